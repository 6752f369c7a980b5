/** The median of the last values of a series. */
export interface RunningMedian {
  next(value: number): void;
  /** The upper one of an even number; 0 before the first value. */
  median(): number;
  /** Values so far. */
  count(): number;
  /** The last values, oldest first. */
  values(): number[];
}

/**
 * Keeps the last `window` values parted by their median: in no order those before it, then it, then
 * in no order those after it. A new value that stays on the side of the one that it takes the place
 * of costs nothing; one that does not, a look for the least or the largest of the other side.
 *
 * @param saved the last values, oldest first
 */
export function createRunningMedian(window: number, saved: readonly number[] = []): RunningMedian {
  const all: Parted = {
    half: window >> 1,
    parted: new Float64Array(window),
    whose: new Int32Array(window),
    place: new Int32Array(window),
    seen: 0,
    filled: 0,
    oldest: 0,
  };
  for (const value of saved) take(all, value);
  return {
    next: (value) => take(all, value),
    median: () => all.parted[all.filled >> 1]!,
    count: () => all.seen,
    values: () =>
      Array.from(
        { length: all.filled },
        (_, i) => all.parted[all.place[(all.oldest + window - all.filled + i) % window]!]!,
      ),
  };
}

/**
 * The values of a window. The functions below are of the module, not of each median: what V8 has
 * compiled of those of a median that is gone may be gone with it.
 */
interface Parted {
  readonly half: number;
  readonly parted: Float64Array;
  /** Which of the last values stands at a place, and where each of them stands. */
  readonly whose: Int32Array;
  readonly place: Int32Array;
  seen: number;
  filled: number;
  oldest: number;
}

function put({ parted, whose, place }: Parted, value: number, who: number, at: number): void {
  parted[at] = value;
  whose[at] = who;
  place[who] = at;
}

/** Sorts a value in while there is room. */
function insert(all: Parted, value: number): void {
  const { parted, whose, oldest } = all;
  let at = all.filled++;
  for (; at > 0 && parted[at - 1]! > value; at--) put(all, parted[at - 1]!, whose[at - 1]!, at);
  put(all, value, oldest, at);
}

/** Gives the place in the middle to the nearest of the values on one side and a new one. */
function fillMiddle(all: Parted, value: number, first: number, end: number, side: 1 | -1): void {
  const { parted, whose, half, oldest } = all;
  let at = half;
  let nearest = value;
  for (let i = first; i < end; i++) {
    if (side * parted[i]! >= side * nearest) continue;
    nearest = parted[i]!;
    at = i;
  }
  if (at !== half) put(all, nearest, whose[at]!, half);
  put(all, value, oldest, at);
}

function replace(all: Parted, value: number): void {
  const { parted, whose, place, half, oldest } = all;
  const window = parted.length;
  const at = place[oldest]!;
  const middle = parted[half]!;
  if (at === half) {
    fillMiddle(all, value, half + 1, window, 1);
    if (place[oldest] === half) fillMiddle(all, value, 0, half, -1);
  } else if (at < half ? value <= middle : value >= middle) {
    parted[at] = value;
  } else {
    put(all, middle, whose[half]!, at);
    if (at < half) fillMiddle(all, value, half + 1, window, 1);
    else fillMiddle(all, value, 0, half, -1);
  }
}

function take(all: Parted, value: number): void {
  all.seen++;
  if (all.filled < all.parted.length) insert(all, value);
  else replace(all, value);
  all.oldest = all.oldest + 1 === all.parted.length ? 0 : all.oldest + 1;
}
