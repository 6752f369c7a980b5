import { damaged, LIMITS, unsupported } from '../limits.ts';
import { deltaBinaryUnpack } from './hyparquet-parts.ts';

/** Writers may fill the last bit-packed run up by this many values. */
const FILLING = 1 << 16;

/**
 * Walks over `count` values in Parquet's mixture of run-length and bit-packed runs.
 *
 * @param width bits a value
 * @param wanted a value to count
 * @returns how many of the values are `wanted`; 0 where it is not given
 */
export function checkRuns(
  view: DataView,
  start: number,
  end: number,
  width: number,
  count: number,
  wanted?: number,
): number {
  if (!(width <= 32)) damaged('it has values of an impossible width');
  const bytes = (width + 7) >> 3;
  let at = start;
  let seen = 0;
  let found = 0;
  while (seen < count) {
    const header = varint();
    const left = count - seen;
    if (header % 2 === 0) {
      const run = header / 2;
      if (run > left) damaged(`it has a run of ${run} values where ${left} are left`);
      if (at + bytes > end) damaged('it has a run that is cut off');
      if (wanted !== undefined && (bytes === 0 ? 0 : view.getUint8(at)) === wanted) found += run;
      at += bytes;
      seen += run;
      continue;
    }
    const groups = (header - 1) / 2;
    const run = Math.min(groups * 8, left);
    if (groups * 8 > left + FILLING)
      damaged(`it has a run of ${groups * 8} values where ${left} are left`);
    if (at + Math.ceil((run * width) / 8) > end) damaged('it has a run that is cut off');
    if (wanted !== undefined) found += countPacked(view, at, width, run, wanted);
    at += groups * width;
    seen += groups * 8;
  }
  return found;

  function varint(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      if (at >= end) damaged('it has a run that is cut off');
      const byte = view.getUint8(at++);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80)
        return value < 2 ** 32 ? value : damaged('it has a run of impossible length');
    }
    return damaged('it has a run of impossible length');
  }
}

/** How many of `count` bit-packed values of at most 8 bits are `wanted`. */
function countPacked(
  view: DataView,
  start: number,
  width: number,
  count: number,
  wanted: number,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    for (let bit = 0; bit < width; bit++) {
      const place = i * width + bit;
      value |= ((view.getUint8(start + (place >> 3)) >> (place & 7)) & 1) << bit;
    }
    if (value === wanted) found++;
  }
  return found;
}

/**
 * Walks over `count` values in Parquet's delta encoding.
 *
 * @returns the first byte behind them
 */
export function checkDelta(view: DataView, start: number, count: number): number {
  const end = view.byteLength;
  let at = start;
  const byte = () => (at < end ? view.getUint8(at++) : damaged('it has deltas that are cut off'));
  const varint = () => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const next = byte();
      value += (next & 0x7f) * 2 ** (7 * i);
      if (next < 0x80) return value;
    }
    return damaged('it has an endless delta');
  };
  if (count === 0 && at === end) return at;
  const block = varint();
  const parts = varint();
  varint();
  varint();
  if (
    !(parts >= 1 && parts <= 1024 && block <= 1 << 20 && block % (8 * parts) === 0 && block > 0)
  ) {
    damaged('it has deltas in blocks of an impossible size');
  }
  const part = block / parts;
  let seen = 1;
  while (seen < count) {
    varint();
    const widths = at;
    for (let i = 0; i < parts; i++) byte();
    for (let i = 0; i < parts && seen < count; i++) {
      const width = view.getUint8(widths + i);
      if (width > 64) damaged('it has deltas of an impossible width');
      // Of the last part only what is needed may be there.
      const most = Math.ceil((Math.min(part, count - seen) * width) / 8);
      if (at + most > end) damaged('it has deltas that are cut off');
      at += (part * width) / 8;
      seen += part;
    }
  }
  return at;
}

/**
 * Walks over `count` texts whose lengths are delta-encoded in front of them, in DELTA_BYTE_ARRAY
 * behind the lengths of what each shares with the one before it.
 */
export function checkDeltaTexts(
  view: DataView,
  start: number,
  count: number,
  prefixed: boolean,
): void {
  if (count === 0) return;
  const shared = prefixed ? lengths(start) : undefined;
  const own = lengths(shared?.end ?? start);
  let left = view.byteLength - own.end;
  let before = 0;
  let unpacked = 0;
  for (let i = 0; i < count; i++) {
    const prefix = shared?.values[i] ?? 0;
    const suffix = own.values[i]!;
    left -= suffix;
    if (!(suffix >= 0 && left >= 0 && prefix >= 0 && prefix <= before))
      damaged('it has texts that are cut off');
    before = prefix + suffix;
    unpacked += prefix === 0 ? 0 : before;
    if (unpacked > LIMITS.page) unsupported('it has the same text again and again');
  }

  function lengths(from: number): { readonly values: Int32Array; readonly end: number } {
    checkDelta(view, from, count);
    const values = new Int32Array(count);
    const reader = { view, offset: from };
    deltaBinaryUnpack(reader, count, values);
    return { values, end: reader.offset };
  }
}
