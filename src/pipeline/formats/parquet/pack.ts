import { bytesOf } from '../../core/base64.ts';
import { KERNEL_BYTES } from './kernel-bytes.ts';

/** What the WebAssembly module of kernel/ offers; addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
  split(from: number, count: number, to: number): void;
  snappy(from: number, length: number, to: number): number;
  extremes(from: number, count: number, rows: number, to: number): number;
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

/** Bytes of the extremes of a part: two numbers, and the places of two rows. */
export const EXTREMES = 20;

/** Float64 numbers that stand in the memory of the kernel until the next call of anything here. */
export interface PlacedNumbers {
  /**
   * The least and the largest of each `rows` of them, and the first rows that hold these, as
   * float64, float64, uint16, uint16; undefined where one is infinite, or a part has no number. To
   * be asked for first.
   */
  extremes(rows: number): Uint8Array | undefined;
  /** All first bytes before all second ones: signs and exponents then stand together. */
  split(): Uint8Array;
  /** The same, packed by Snappy. */
  snappySplit(): Uint8Array;
}

export function placed(values: Float64Array): PlacedNumbers {
  const pack = kernel();
  const { length, byteLength: size } = values;
  const at = pack.reserve(2 * size + packedRoom(size));
  // Asked for afterwards: memory that has grown is another buffer.
  const { buffer } = pack.memory;
  new Float64Array(buffer, at, length).set(values);
  const behind = at + size;
  return {
    extremes: (rows) =>
      pack.extremes(at, length, rows, behind)
        ? new Uint8Array(buffer, behind, EXTREMES * Math.ceil(length / rows)).slice()
        : undefined,
    split() {
      pack.split(at, length, behind);
      return new Uint8Array(buffer, behind, size);
    },
    snappySplit() {
      pack.split(at, length, behind);
      return new Uint8Array(buffer, behind + size, pack.snappy(behind, size, behind + size));
    },
  };
}
