/** The median of the last values of a series. */
export interface RunningMedian {
  next(value: number): void;
  /** The upper one of an even number; 0 before the first value. */
  readonly median: number;
  /** Values so far. */
  readonly count: number;
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
  const half = window >> 1;
  const parted = new Float64Array(window);
  /** Which of the last values stands at a place, and where each of them stands. */
  const whose = new Int32Array(window);
  const place = new Int32Array(window);
  let seen = 0;
  let filled = 0;
  let oldest = 0;

  function put(value: number, who: number, at: number): void {
    parted[at] = value;
    whose[at] = who;
    place[who] = at;
  }

  /** Sorts a value in while there is room. */
  function insert(value: number): void {
    let at = filled++;
    for (; at > 0 && parted[at - 1]! > value; at--) put(parted[at - 1]!, whose[at - 1]!, at);
    put(value, oldest, at);
  }

  /** Gives the place in the middle to the nearest of the values on one side and a new one. */
  function fillMiddle(value: number, first: number, end: number, side: 1 | -1): void {
    let at = half;
    let nearest = value;
    for (let i = first; i < end; i++) {
      if (side * parted[i]! >= side * nearest) continue;
      nearest = parted[i]!;
      at = i;
    }
    if (at !== half) put(nearest, whose[at]!, half);
    put(value, oldest, at);
  }

  function replace(value: number): void {
    const at = place[oldest]!;
    const middle = parted[half]!;
    if (at === half) {
      fillMiddle(value, half + 1, window, 1);
      if (place[oldest] === half) fillMiddle(value, 0, half, -1);
    } else if (at < half ? value <= middle : value >= middle) {
      parted[at] = value;
    } else {
      put(middle, whose[half]!, at);
      if (at < half) fillMiddle(value, half + 1, window, 1);
      else fillMiddle(value, 0, half, -1);
    }
  }

  function next(value: number): void {
    seen++;
    if (filled < window) insert(value);
    else replace(value);
    oldest = oldest + 1 === window ? 0 : oldest + 1;
  }

  for (const value of saved) next(value);
  return {
    next,
    get median() {
      return parted[filled >> 1]!;
    },
    get count() {
      return seen;
    },
    values: () =>
      Array.from(
        { length: filled },
        (_, i) => parted[place[(oldest + window - filled + i) % window]!]!,
      ),
  };
}
