import { bytesOf } from '../../core/base64.ts';
import { KERNEL_BYTES } from './kernel-bytes.ts';

/** What the WebAssembly module of kernel/ offers; addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  split(from: number, count: number, to: number): void;
  snappy(from: number, length: number, to: number): number;
}

let started: Kernel | undefined;

function kernel(): Kernel {
  started ??= new WebAssembly.Instance(new WebAssembly.Module(bytesOf(KERNEL_BYTES)))
    .exports as unknown as Kernel;
  return started;
}

/** Most bytes of a Snappy block of so many. */
const packedRoom = (length: number): number => length + Math.ceil(length / 6) + 32;

/** Packs bytes by Snappy. What is given stands until the next call of anything here. */
export function snappy(bytes: Uint8Array): Uint8Array {
  const { memory, reserve, snappy: pack } = kernel();
  const { length } = bytes;
  const at = reserve(length + packedRoom(length));
  new Uint8Array(memory.buffer, at).set(bytes);
  return new Uint8Array(memory.buffer, at + length, pack(at, length, at + length));
}

/**
 * Float64 numbers, all first bytes before all second ones: signs and exponents then stand together.
 */
export function splitStreams(values: Float64Array): Uint8Array {
  const from = split(values, 0);
  // Asked for afterwards: memory that has grown is another buffer.
  return new Uint8Array(kernel().memory.buffer, from, values.byteLength);
}

/** The same, packed by Snappy. */
export function snappySplit(values: Float64Array): Uint8Array {
  const size = values.byteLength;
  const from = split(values, packedRoom(size));
  const { memory, snappy: pack } = kernel();
  return new Uint8Array(memory.buffer, from + size, pack(from, size, from + size));
}

/** @returns where the split numbers stand, with so much room behind them */
function split(values: Float64Array, room: number): number {
  const { memory, reserve, split: separate } = kernel();
  const size = values.byteLength;
  const at = reserve(2 * size + room);
  new Float64Array(memory.buffer, at, values.length).set(values);
  separate(at, values.length, at + size);
  return at + size;
}
