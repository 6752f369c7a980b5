import { copyWithin } from './lz4-frame.ts';
import {
  type BackwardBits,
  backwardBits,
  constantTable,
  type PrefixTable,
  readPrefixTable,
  readStateTable,
  type StateTable,
  stateTable,
} from './zstd-tables.ts';

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers of frames that hold nothing. */
const SKIPPED = 0x184d2a50;
/** No block unpacks to more: the format says so, and it is what bounds the time that one takes. */
const LARGEST_BLOCK = 1 << 17;

const LITERAL_EXTRA = [
  ...new Array(16).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
];
const COPY_EXTRA = [
  ...new Array(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const LITERAL_BASE = bases(0, LITERAL_EXTRA);
const COPY_BASE = bases(3, COPY_EXTRA);
/** Largest code and largest table of each: lengths of literals, distances, lengths of copies. */
const KINDS = [
  { symbols: 35, log: 9 },
  { symbols: 31, log: 8 },
  { symbols: 52, log: 9 },
] as const;
const USUAL = [
  stateTable(
    [
      4,
      3,
      ...new Array(11).fill(2),
      1,
      1,
      1,
      ...new Array(9).fill(2),
      3,
      2,
      1,
      1,
      1,
      1,
      1,
      -1,
      -1,
      -1,
      -1,
    ],
    6,
  ),
  stateTable([1, 1, 1, 1, 1, 1, 2, 2, 2, ...new Array(15).fill(1), -1, -1, -1, -1, -1], 5),
  stateTable(
    [1, 4, 3, ...new Array(6).fill(2), ...new Array(37).fill(1), ...new Array(7).fill(-1)],
    6,
  ),
] as const;

/** The least value of each code, where a code is followed by so many bits. */
function bases(first: number, extra: readonly number[]): Uint32Array {
  const base = new Uint32Array(extra.length);
  let next = first;
  extra.forEach((bits, code) => {
    base[code] = next;
    next += 2 ** bits;
  });
  return base;
}

/** What the blocks of a frame hand on. */
interface Frame {
  /** Where the frame begins in what is unpacked: copies reach no further back. */
  readonly start: number;
  readonly distances: [number, number, number];
  prefixes: PrefixTable | undefined;
  states: readonly StateTable[] | undefined;
}

/**
 * Unpacks Zstandard frames (checksums are not verified) so that they fill `out` to the last byte.
 *
 * Takes memory for one block, and time in proportion to both lengths, whatever the frames say; the decoder that comes
 * with Parquet's other ones can be kept busy for many seconds by a few kilobytes. RFC 8878.
 *
 * @throws Error where there are none, or where they unpack to another length
 */
export function unpackZstd(bytes: Uint8Array, out: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let filled = 0;
  while (at < bytes.length) {
    if (at + 9 > bytes.length) throw new Error('a Zstandard frame that is cut off');
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === SKIPPED >>> 4) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw new Error('a Zstandard frame that is cut off');
      continue;
    }
    if (magic !== MAGIC) throw new Error('no Zstandard frame');
    const flags = bytes[at + 4]!;
    if (flags & 8) throw new Error('a Zstandard frame of unknown version');
    if (flags & 3) throw new Error('a Zstandard frame with a dictionary');
    const single = (flags >> 5) & 1;
    const sizeBytes = flags >> 6 ? 1 << (flags >> 6) : single;
    at += 5 + (single ? 0 : 1) + sizeBytes;
    const frame: Frame = {
      start: filled,
      distances: [1, 4, 8],
      prefixes: undefined,
      states: undefined,
    };
    for (let last = false; !last; ) {
      if (at + 3 > bytes.length) throw new Error('a Zstandard frame that is cut off');
      const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      at += 3;
      last = (header & 1) === 1;
      const kind = (header >> 1) & 3;
      const size = header >> 3;
      const end = at + (kind === 1 ? 1 : size);
      if (size > LARGEST_BLOCK || end > bytes.length)
        throw new Error('a Zstandard block that is cut off or too long');
      if (kind === 2) filled = unpackBlock(bytes.subarray(at, end), out, filled, frame);
      else {
        if (kind === 3 || filled + size > out.length)
          throw new Error('a Zstandard block that is too long');
        if (kind === 1) out.fill(bytes[at]!, filled, filled + size);
        else out.set(bytes.subarray(at, end), filled);
        filled += size;
      }
      at = end;
    }
    at += flags & 4 ? 4 : 0;
  }
  if (at !== bytes.length || filled !== out.length)
    throw new Error('Zstandard frames of another length');
}

/** Returns how far `out` is filled. */
function unpackBlock(block: Uint8Array, out: Uint8Array, filled: number, frame: Frame): number {
  const most = Math.min(out.length, filled + LARGEST_BLOCK);
  const { end, literals } = readLiterals(block, frame, most - filled);
  let at = end;
  const byte = () => (at < block.length ? block[at++]! : fail());
  let count = byte();
  if (count === 255) count = byte() + (byte() << 8) + 0x7f00;
  else if (count > 127) count = ((count - 128) << 8) + byte();
  if (count === 0) {
    if (at !== block.length) fail();
    out.set(literals, filled);
    return filled + literals.length;
  }
  const modes = byte();
  if (modes & 3) fail();
  const tables = KINDS.map(({ symbols, log }, kind): StateTable => {
    switch ((modes >> (6 - 2 * kind)) & 3) {
      case 0:
        return USUAL[kind]!;
      case 1: {
        const symbol = byte();
        return symbol <= symbols ? constantTable(symbol) : fail();
      }
      case 2: {
        const read = readStateTable(block, at, block.length, log, symbols);
        at = read.end;
        return read.table;
      }
      default:
        return frame.states?.[kind] ?? fail();
    }
  });
  frame.states = tables;
  return runSequences(
    backwardBits(block, at, block.length),
    count,
    literals,
    tables,
    out,
    filled,
    most,
    frame,
  );
}

function runSequences(
  stream: BackwardBits,
  count: number,
  literals: Uint8Array,
  tables: readonly StateTable[],
  out: Uint8Array,
  filled: number,
  most: number,
  frame: Frame,
): number {
  const [lengths, distances, copies] = tables as readonly [StateTable, StateTable, StateTable];
  let length = stream.read(lengths.log);
  let distance = stream.read(distances.log);
  let copy = stream.read(copies.log);
  let used = 0;
  let to = filled;
  for (let i = 0; i < count; i++) {
    const bits = distances.symbols[distance]!;
    const code =
      bits > 16
        ? 2 ** bits + stream.read(bits - 16) * 65_536 + stream.read(16)
        : (1 << bits) + stream.read(bits);
    const copyCode = copies.symbols[copy]!;
    const copied = COPY_BASE[copyCode]! + stream.read(COPY_EXTRA[copyCode]!);
    const lengthCode = lengths.symbols[length]!;
    const plain = LITERAL_BASE[lengthCode]! + stream.read(LITERAL_EXTRA[lengthCode]!);
    const back = nextDistance(frame.distances, code, plain === 0);
    if (
      used + plain > literals.length ||
      to + plain + copied > most ||
      back > to + plain - frame.start ||
      back === 0
    )
      fail();
    if (plain < 32) for (let j = 0; j < plain; j++) out[to + j] = literals[used + j]!;
    else out.set(literals.subarray(used, used + plain), to);
    used += plain;
    to += plain;
    copyWithin(out, to, back, copied);
    to += copied;
    if (i === count - 1) break;
    length = lengths.base[length]! + stream.read(lengths.bits[length]!);
    copy = copies.base[copy]! + stream.read(copies.bits[copy]!);
    distance = distances.base[distance]! + stream.read(distances.bits[distance]!);
  }
  const rest = literals.length - used;
  if (stream.left() !== 0 || to + rest > most) fail();
  out.set(literals.subarray(used), to);
  return to + rest;
}

/** Codes up to 3 stand for one of the last three distances; where there are no literals they mean others. */
function nextDistance(last: [number, number, number], code: number, noLiterals: boolean): number {
  const which = code > 3 ? 3 : code - 1 + (noLiterals ? 1 : 0);
  if (which === 0) return last[0];
  const distance = code > 3 ? code - 3 : which === 3 ? last[0] - 1 : last[which]!;
  if (which > 1) last[2] = last[1];
  last[1] = last[0];
  last[0] = distance;
  return distance;
}

/** Unpacks the literals of a block, all of which it will give out. Returns them, and where they end. */
function readLiterals(
  block: Uint8Array,
  frame: Frame,
  most: number,
): { readonly literals: Uint8Array; readonly end: number } {
  const header = (i: number) => (i < block.length ? block[i]! : fail());
  const kind = header(0) & 3;
  const format = (header(0) >> 2) & 3;
  if (kind < 2) {
    const bytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    const word = header(0) + (bytes > 1 ? header(1) << 8 : 0) + (bytes > 2 ? header(2) << 16 : 0);
    const count = word >> (bytes === 1 ? 3 : 4);
    const end = bytes + (kind === 1 ? 1 : count);
    if (count > most || end > block.length) fail();
    return {
      literals: kind === 1 ? new Uint8Array(count).fill(block[bytes]!) : block.subarray(bytes, end),
      end,
    };
  }
  const width = [10, 10, 14, 18][format]!;
  const start = format < 2 ? 3 : format + 2;
  let word = 0;
  for (let i = 0; i < start; i++) word += header(i) * 2 ** (8 * i);
  const number = Math.floor(word / 16);
  const count = number % 2 ** width;
  const end = start + Math.floor(number / 2 ** width);
  if (count > most || end > block.length) fail();
  const literals = new Uint8Array(count);
  let at = start;
  if (kind === 2) {
    const read = readPrefixTable(block, start, end);
    frame.prefixes = read.table;
    at = read.end;
  }
  const table = frame.prefixes ?? fail();
  if (format === 0) {
    readPrefixes(block, at, end, table, literals, 0, count);
    return { literals, end };
  }
  const part = (count + 3) >> 2;
  let from = at + 6;
  for (let i = 0; i < 4; i++) {
    const stop = i < 3 ? from + header(at + 2 * i) + (header(at + 2 * i + 1) << 8) : end;
    if (stop > end || 3 * part > count) fail();
    readPrefixes(block, from, stop, table, literals, i * part, i < 3 ? (i + 1) * part : count);
    from = stop;
  }
  return { literals, end };
}

function readPrefixes(
  block: Uint8Array,
  start: number,
  end: number,
  { log, symbols, bits }: PrefixTable,
  out: Uint8Array,
  from: number,
  to: number,
): void {
  const stream = backwardBits(block, start, end);
  for (let i = from; i < to; i++) {
    const prefix = stream.peek(log);
    out[i] = symbols[prefix]!;
    stream.skip(bits[prefix]!);
  }
  if (stream.left() !== 0) fail();
}

function fail(): never {
  throw new Error('a Zstandard block that is damaged');
}
