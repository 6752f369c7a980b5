// Packs the pages of a Parquet file: bytes of float64 numbers into streams, and Snappy, by the
// format's description (github.com/google/snappy/blob/main/format_description.txt). All addresses
// are in bytes.

/** A place of the table for each hash of four bytes: the address where they stood last. */
const TABLE_BITS: u32 = 14;
const TABLE: usize = memory.data(1 << 16);
/** A copy reaches no farther back. */
const FARTHEST: usize = 0xffff;
/** Bytes at the end that are not looked at, so that eight can be read at once. */
const MARGIN: usize = 16;

/** The first of so many bytes that are free until the next call. */
export function reserve(bytes: usize): usize {
  const at = (__heap_base + 15) & ~15;
  const missing = <i32>((at + bytes + 0xffff) >>> 16) - memory.size();
  if (missing > 0) memory.grow(missing);
  return at;
}

function evens(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

function odds(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/**
 * Writes the first bytes of `count` numbers one behind the other, then all second ones, up to the
 * eighth.
 */
export function split(from: usize, count: usize, to: usize): void {
  const whole = count & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    const at = from + 8 * i;
    const e0 = evens(v128.load(at), v128.load(at, 16));
    const o0 = odds(v128.load(at), v128.load(at, 16));
    const e1 = evens(v128.load(at, 32), v128.load(at, 48));
    const o1 = odds(v128.load(at, 32), v128.load(at, 48));
    const e2 = evens(v128.load(at, 64), v128.load(at, 80));
    const o2 = odds(v128.load(at, 64), v128.load(at, 80));
    const e3 = evens(v128.load(at, 96), v128.load(at, 112));
    const o3 = odds(v128.load(at, 96), v128.load(at, 112));
    store8(to + i, count, evens(e0, e1), evens(e2, e3), odds(e0, e1), odds(e2, e3));
    store8(to + i + count, count, evens(o0, o1), evens(o2, o3), odds(o0, o1), odds(o2, o3));
  }
  for (let i = whole; i < count; i++)
    for (let k: usize = 0; k < 8; k++) store<u8>(to + k * count + i, load<u8>(from + 8 * i + k));
}

/** Every other one of the eight streams of sixteen numbers. */
function store8(to: usize, count: usize, a0: v128, a1: v128, b0: v128, b1: v128): void {
  v128.store(to, evens(a0, a1));
  v128.store(to + 2 * count, evens(b0, b1));
  v128.store(to + 4 * count, odds(a0, a1));
  v128.store(to + 6 * count, odds(b0, b1));
}

/**
 * The least and the largest of each `rows` of `count` numbers and the first rows that hold them, as
 * float64, float64, uint16, uint16; what is no number counts for nothing.
 *
 * @returns whether all of these are finite; else they are worth nothing
 */
export function extremes(from: usize, count: usize, rows: usize, to: usize): bool {
  const end = from + 8 * count;
  for (let at = from; at < end; at += 8 * rows, to += 20) {
    const stop = min(at + 8 * rows, end);
    let low = f64x2.splat(Infinity);
    let high = f64x2.splat(-Infinity);
    let low2 = low;
    let high2 = high;
    let i = at;
    for (; i + 32 <= stop; i += 32) {
      const a = v128.load(i);
      const b = v128.load(i, 16);
      low = f64x2.pmin(low, a);
      low2 = f64x2.pmin(low2, b);
      high = f64x2.pmax(high, a);
      high2 = f64x2.pmax(high2, b);
    }
    for (; i < stop; i += 8) {
      const a = v128.load_splat<f64>(i);
      low = f64x2.pmin(low, a);
      high = f64x2.pmax(high, a);
    }
    low = f64x2.pmin(low, low2);
    high = f64x2.pmax(high, high2);
    low = f64x2.pmin(low, v128.shuffle<f64>(low, low, 1, 0));
    high = f64x2.pmax(high, v128.shuffle<f64>(high, high, 1, 0));
    if (
      f64x2.extract_lane(low, 0) == -Infinity ||
      f64x2.extract_lane(high, 0) == Infinity ||
      f64x2.extract_lane(low, 0) > f64x2.extract_lane(high, 0)
    )
      return false;
    const least = placeOf(low, at, stop);
    const largest = placeOf(high, at, stop);
    // Of zeros the first has its own sign.
    store<u64>(to, load<u64>(least));
    store<u64>(to + 8, load<u64>(largest));
    store<u16>(to + 16, <u16>((least - at) >>> 3));
    store<u16>(to + 18, <u16>((largest - at) >>> 3));
  }
  return true;
}

/** Where the first of the numbers stands that both lanes of `value` are; it is among them. */
function placeOf(value: v128, at: usize, stop: usize): usize {
  for (; at + 64 <= stop; at += 64) {
    const a = f64x2.eq(v128.load(at), value);
    const b = f64x2.eq(v128.load(at, 16), value);
    const c = f64x2.eq(v128.load(at, 32), value);
    const d = f64x2.eq(v128.load(at, 48), value);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) break;
  }
  while (load<f64>(at) != f64x2.extract_lane(value, 0)) at += 8;
  return at;
}

/**
 * Packs `length` bytes; `to` has room for them, a sixth more, and 32. @returns the packed length
 */
export function snappy(from: usize, length: usize, to: usize): usize {
  let out = to;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) store<u8>(out++, rest | 0x80);
  store<u8>(out++, rest);
  const end = from + length;
  if (length < MARGIN) return literal(out, from, end) - to;
  const limit = end - MARGIN;
  memory.fill(TABLE, 0, 4 << TABLE_BITS);
  let written = from;
  let at = from;
  // Where nothing was found for long, fewer places are tried.
  let tries: usize = 32;
  while (at <= limit) {
    const slot = slotOf(at);
    const before: usize = load<u32>(slot);
    store<u32>(slot, at);
    if (before == 0 || at - before > FARTHEST || load<u32>(before) != load<u32>(at)) {
      at += tries++ >>> 5;
      continue;
    }
    const same = sameBytes(before, at, end);
    out = copy(literal(out, written, at), at - before, same);
    at += same;
    written = at;
    tries = 32;
    if (at <= limit) store<u32>(slotOf(at - 1), at - 1);
  }
  return literal(out, written, end) - to;
}

function slotOf(at: usize): usize {
  return TABLE + ((<usize>((load<u32>(at) * 0x1e35a7bd) >>> (32 - TABLE_BITS))) << 2);
}

/** How many bytes from two places on are the same; the first four are. */
function sameBytes(before: usize, at: usize, end: usize): usize {
  let same: usize = 4;
  for (; at + same + 8 <= end; same += 8) {
    const differ = load<u64>(at + same) ^ load<u64>(before + same);
    if (differ != 0) return same + <usize>(ctz(differ) >>> 3);
  }
  while (at + same < end && load<u8>(at + same) == load<u8>(before + same)) same++;
  return same;
}

function literal(out: usize, from: usize, to: usize): usize {
  if (from == to) return out;
  const last = <u32>(to - from - 1);
  if (last < 60) store<u8>(out++, last << 2);
  else {
    const bytes: u32 = (39 - clz(last)) >>> 3;
    store<u8>(out++, (59 + bytes) << 2);
    for (let b: u32 = 0; b < bytes; b++) store<u8>(out++, last >>> (8 * b));
  }
  memory.copy(out, from, to - from);
  return out + (to - from);
}

function copy(out: usize, distance: usize, length: usize): usize {
  // No copy is shorter than four bytes.
  for (; length > 64; length -= length < 68 ? 60 : 64, out += 3)
    longCopy(out, distance, length < 68 ? 60 : 64);
  if (length >= 12 || distance >= 2048) return longCopy(out, distance, length);
  store<u8>(out, 1 | ((length - 4) << 2) | ((distance >>> 8) << 5));
  store<u8>(out + 1, distance);
  return out + 2;
}

function longCopy(out: usize, distance: usize, length: usize): usize {
  store<u8>(out, ((length - 1) << 2) | 2);
  store<u16>(out + 1, distance);
  return out + 3;
}
