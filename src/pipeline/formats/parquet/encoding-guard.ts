import { damaged } from '../limits.ts';

/** Writers may fill the last bit-packed run up by this many values. */
const FILLING = 1 << 16;

/**
 * Walks over `count` values in Parquet's mixture of run-length and bit-packed runs.
 *
 * @param width bits a value
 * @returns how many of the values are 1, where `width` is 1
 */
export function checkRuns(
  view: DataView,
  start: number,
  end: number,
  width: number,
  count: number,
): number {
  if (width > 32) damaged('it has values of an impossible width');
  const bytes = (width + 7) >> 3;
  let at = start;
  let seen = 0;
  let ones = 0;
  while (seen < count) {
    const header = varint();
    const left = count - seen;
    if (header % 2 === 0) {
      const run = header / 2;
      if (run > left) damaged(`it has a run of ${run} values where ${left} are left`);
      if (at + bytes > end) damaged('it has a run that is cut off');
      if (width === 1 && view.getUint8(at) === 1) ones += run;
      at += bytes;
      seen += run;
      continue;
    }
    const groups = (header - 1) / 2;
    if (groups * 8 > left + FILLING)
      damaged(`it has a run of ${groups * 8} values where ${left} are left`);
    if (at + Math.ceil((Math.min(groups * 8, left) * width) / 8) > end)
      damaged('it has a run that is cut off');
    if (width === 1)
      for (let i = 0; i < Math.min(groups * 8, left); i++)
        ones += (view.getUint8(at + (i >> 3)) >> (i & 7)) & 1;
    at += groups * width;
    seen += groups * 8;
  }
  return ones;

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

/** Walks over `count` values in Parquet's delta encoding. */
export function checkDelta(view: DataView, start: number, count: number): void {
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
  if (count === 0) return;
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
      at += (part * width) / 8;
      seen += part;
    }
  }
}
