import { xxhash32 } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const STORED = 2 ** 31;
/** Shortest copy of earlier bytes. */
const LEAST_COPY = 4;

/**
 * Unpacks one LZ4 frame to `length` bytes, in time in proportion to both lengths.
 *
 * @throws Error where it is none, unpacks to another length, or has a checksum that is not its own
 */
export function unpackLz4(frame: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = frame[4]!;
  if (flags >> 6 !== 1 || flags & 2) throw new Error('an LZ4 frame of unknown version');
  if (flags & 1) throw new Error('an LZ4 frame with a dictionary');
  const blockChecksum = flags & 16 ? 4 : 0;
  // Magic, flags, largest block, size where it is given, checksum of the header.
  let at = 6 + (flags & 8 ? 8 : 0) + 1;
  if (at > frame.length || frame[at - 1] !== ((xxhash32(frame.subarray(4, at - 1)) >> 8) & 255))
    throw new Error('an LZ4 frame whose head is damaged');
  const check = (bytes: Uint8Array, place: number) => {
    if (xxhash32(bytes) !== view.getUint32(place, true))
      throw new Error('an LZ4 frame that is not as it was written');
  };
  let filled = 0;
  for (;;) {
    if (at + 4 > frame.length) throw new Error('an LZ4 frame that is cut off');
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const size = word % STORED;
    const end = at + size;
    if (end + blockChecksum > frame.length) throw new Error('an LZ4 block that is cut off');
    if (blockChecksum > 0) check(frame.subarray(at, end), end);
    if (word < STORED) filled = unpackBlock(frame, at, end, out, filled);
    else {
      if (filled + size > out.length) throw new Error('an LZ4 block that is too long');
      out.set(frame.subarray(at, end), filled);
      filled += size;
    }
    at = end + blockChecksum;
  }
  if (filled !== out.length) throw new Error('an LZ4 frame of another length');
  if (at + (flags & 4 ? 4 : 0) !== frame.length)
    throw new Error('an LZ4 frame with something behind it');
  if (flags & 4) check(out, at);
  return out;
}

/**
 * Blocks may copy from the ones before them, so `out` is that of the whole frame. Returns how far
 * it is filled.
 */
function unpackBlock(
  frame: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  filled: number,
): number {
  let at = start;
  let to = filled;
  const length = (first: number): number => {
    let sum = first;
    if (first < 15) return sum;
    for (;;) {
      if (at >= end) throw new Error('an LZ4 block that is cut off');
      const byte = frame[at++]!;
      sum += byte;
      if (byte < 255) return sum;
    }
  };
  while (at < end) {
    const token = frame[at++]!;
    const literals = length(token >> 4);
    if (at + literals > end || to + literals > out.length)
      throw new Error('an LZ4 block that is too long');
    if (literals < 32) for (let i = 0; i < literals; i++) out[to + i] = frame[at + i]!;
    else out.set(frame.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === end) break;
    if (at + 2 > end) throw new Error('an LZ4 block that is cut off');
    const distance = frame[at]! | (frame[at + 1]! << 8);
    at += 2;
    const count = length(token & 15) + LEAST_COPY;
    if (distance === 0 || distance > to || to + count > out.length)
      throw new Error('an LZ4 copy from nowhere');
    copyWithin(out, to, distance, count);
    to += count;
  }
  return to;
}

/**
 * Copies what stands `distance` bytes earlier; where that is less than `count`, it repeats itself.
 */
function copyWithin(out: Uint8Array, to: number, distance: number, count: number): void {
  if (count < 32) {
    for (let i = to; i < to + count; i++) out[i] = out[i - distance]!;
    return;
  }
  const from = to - distance;
  // What is copied becomes a source itself: each round doubles it.
  for (let done = 0; done < count; ) {
    const most = Math.min(count - done, distance + done);
    out.copyWithin(to + done, from, from + most);
    done += most;
  }
}
