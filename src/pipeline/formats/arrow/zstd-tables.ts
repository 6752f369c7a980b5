/** A decoding table of finite state entropy: for each state its symbol, and how the next state is read. */
export interface StateTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;
}

/** A Huffman table: for each `log` bits of the stream the symbol that they begin with, and its length. */
export interface PrefixTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const LONGEST_PREFIX = 11;

/** Table of symbols that occur so often (−1: less than once) in 2^log. */
export function stateTable(counts: readonly number[], log: number): StateTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  counts.forEach((count, symbol) => {
    next[symbol] = Math.abs(count);
    if (count === -1) symbols[--high] = symbol;
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  });
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  for (let i = 0; i < size; i++) {
    const state = next[symbols[i]!]!++;
    const width = log - (31 - Math.clz32(state));
    bits[i] = width;
    base[i] = (state << width) - size;
  }
  return { log, symbols, bits, base };
}

/** Table whose every state is this symbol. */
export function constantTable(symbol: number): StateTable {
  return {
    log: 0,
    symbols: Uint8Array.of(symbol),
    bits: new Uint8Array(1),
    base: new Uint16Array(1),
  };
}

/** Reads the description of a table. @returns it, and where the description ends */
export function readStateTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxLog: number,
  maxSymbol: number,
): { readonly table: StateTable; readonly end: number } {
  let bit = start * 8;
  const read = (count: number): number => {
    if (bit + count > end * 8) throw new Error('a Zstandard table that is cut off');
    const at = bit >> 3;
    const word = bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    const value = (word >> (bit & 7)) & ((1 << count) - 1);
    bit += count;
    return value;
  };
  const log = read(4) + 5;
  if (log > maxLog) throw new Error('a Zstandard table that is too large');
  const counts: number[] = [];
  let left = 1 << log;
  while (left > 0) {
    const width = 32 - Math.clz32(left + 1);
    const low = (1 << (width - 1)) - 1;
    // Small values take one bit less.
    const saved = (1 << width) - 1 - (left + 1);
    let value = read(width - 1);
    if (value >= saved) {
      value |= read(1) << (width - 1);
      if (value > low) value -= saved;
    }
    const count = value - 1;
    left -= Math.abs(count);
    counts.push(count);
    if (count === 0) {
      for (let more = 3; more === 3; ) {
        more = read(2);
        for (let i = 0; i < more; i++) counts.push(0);
        if (counts.length > maxSymbol + 1) throw new Error('a Zstandard table of too many symbols');
      }
    }
    if (counts.length > maxSymbol + 1) throw new Error('a Zstandard table of too many symbols');
  }
  if (left < 0) throw new Error('a Zstandard table that does not add up');
  return { table: stateTable(counts, log), end: (bit + 7) >> 3 };
}

/** Reads the description of a Huffman tree. @returns its table, and where the description ends */
export function readPrefixTable(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: PrefixTable; readonly end: number } {
  if (start >= end) throw new Error('a Zstandard tree that is cut off');
  const header = bytes[start]!;
  const stop = start + 1 + (header < 128 ? header : (header - 126) >> 1);
  if (stop > end) throw new Error('a Zstandard tree that is cut off');
  const weights =
    header < 128
      ? packedWeights(bytes, start + 1, stop)
      : Array.from(
          { length: header - 127 },
          (_, i) => (bytes[start + 1 + (i >> 1)]! >> (i % 2 ? 0 : 4)) & 15,
        );
  return { table: prefixTable(weights), end: stop };
}

function packedWeights(bytes: Uint8Array, start: number, stop: number): number[] {
  const { table, end } = readStateTable(bytes, start, stop, 6, 255);
  const stream = backwardBits(bytes, end, stop);
  const weights: number[] = [];
  let one = stream.read(table.log);
  let other = stream.read(table.log);
  for (;;) {
    weights.push(table.symbols[one]!);
    if (weights.length > 254) throw new Error('a Zstandard tree of too many symbols');
    if (stream.left() < table.bits[one]!) break;
    // The two states take turns.
    [one, other] = [other, table.base[one]! + stream.read(table.bits[one]!)];
  }
  weights.push(table.symbols[other]!);
  return weights;
}

function prefixTable(given: readonly number[]): PrefixTable {
  let sum = 0;
  for (const weight of given) {
    if (weight > LONGEST_PREFIX) throw new Error('a Zstandard tree that is too deep');
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0) throw new Error('a Zstandard tree without symbols');
  // The last weight is what is missing to a power of two.
  const log = 32 - Math.clz32(sum);
  const rest = (1 << log) - sum;
  if (log > LONGEST_PREFIX || (rest & (rest - 1)) !== 0)
    throw new Error('a Zstandard tree that does not add up');
  const weights = [...given, 32 - Math.clz32(rest)];
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let place = 0;
  for (let weight = 1; weight <= log; weight++) {
    weights.forEach((own, symbol) => {
      if (own !== weight) return;
      const next = place + (1 << (weight - 1));
      symbols.fill(symbol, place, next);
      bits.fill(log + 1 - weight, place, next);
      place = next;
    });
  }
  if (place !== 1 << log) throw new Error('a Zstandard tree that does not add up');
  return { log, symbols, bits };
}

/** Bits that are read from the last one to the first. */
export interface BackwardBits {
  left(): number;
  /** The next `count` ≤ 24 bits. @throws Error where there are fewer */
  read(count: number): number;
  /** The same without taking them, with zeros behind the end. */
  peek(count: number): number;
  skip(count: number): void;
}

/** The bits of bytes[start, end), of whose last byte the highest bit is a mark. */
export function backwardBits(bytes: Uint8Array, start: number, end: number): BackwardBits {
  const last = end > start ? bytes[end - 1]! : 0;
  if (last === 0) throw new Error('a Zstandard stream without an end');
  const first = start * 8;
  let position = end * 8 - 8 + (31 - Math.clz32(last));
  const at = (bit: number, count: number): number => {
    const byte = bit >> 3;
    const word =
      bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24);
    return (word >>> (bit & 7)) & ((1 << count) - 1);
  };
  return {
    left: () => position - first,
    read(count) {
      position -= count;
      if (position < first) throw new Error('a Zstandard stream that is cut off');
      return at(position, count);
    },
    peek(count) {
      const bit = position - count;
      return bit >= first
        ? at(bit, count)
        : at(first, Math.max(0, position - first)) << (first - bit);
    },
    skip(count) {
      position -= count;
      if (position < first) throw new Error('a Zstandard stream that is cut off');
    },
  };
}
