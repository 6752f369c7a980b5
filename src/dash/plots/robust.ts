import type { Range } from './draw.ts';

/** So many values at either end may be left out. */
const MOST_OUT = 12;
/** A value this many times further from the middle than the next is far away. */
const FAR = 20;
/** On a logarithmic axis, decades beyond the next. */
const FAR_DECADES = 6;

/** A range of values that a few far away do not flatten, and what lies beyond it. */
export interface RobustRange {
  readonly range: Range;
  /** Values left out, and the furthest of them. */
  readonly out: number;
  readonly furthest: number;
}

/** Leaves out a few values that a gap parts from all others, as a run that blows up has them. */
export function robustRange(all: readonly number[], log: boolean): RobustRange | undefined {
  const values = Float64Array.from(
    all.filter((value) => Number.isFinite(value) && !(log && value <= 0)),
  );
  if (values.length === 0) return undefined;
  values.sort();
  const middle = values[values.length >> 1]!;
  const last = values.length - 1;
  const isFar = (value: number, next: number): boolean => {
    if (log) {
      const least = Math.max(FAR_DECADES, Math.log10(next / values[0]!) / 2);
      return Math.log10(value / next) > least;
    }
    const size = Math.max(Math.abs(next - middle), Math.abs(middle));
    return size > 0 && Math.abs(value - middle) > FAR * size;
  };
  const most = Math.min(MOST_OUT, last >> 1);
  let [top, bottom] = [0, 0];
  for (let out = 1; out <= most; out++) {
    if (isFar(values[last - out + 1]!, values[last - out]!)) top = out;
    if (!log && isFar(values[out - 1]!, values[out]!)) bottom = out;
  }
  return {
    range: [values[bottom]!, values[last - top]!],
    out: top + bottom,
    furthest: top > 0 ? values[last]! : values[0]!,
  };
}
