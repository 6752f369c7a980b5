/** A rise of the loss in one step by this share is oscillation. */
const ACTIVE_RISE = 1e-3;
/** Losses in a row that are not finite before the series counts as diverged. */
const NOT_FINITE_ROWS = 3;
const MOST_LOSS = 1e12;
/** Losses that go missing all at once after a rise by this factor were not finite: JSON has no word for those. */
const VANISHED_RISE = 10;

/** What the detector has to know of the loss. */
export interface LossWatch {
  /** @param loss NaN where it is missing, Infinity where it is not finite */
  next(step: number, loss: number): void;
  /** First finite loss, without its sign; NaN without one. */
  readonly first: number;
  /** ∑ L·Δt so far. */
  readonly work: number;
  /** Last step in which the loss rose; −Infinity if never. */
  readonly lastRise: number;
  /** Step since which the loss has diverged. */
  readonly divergedAt: number | null;
  /** Step since which it is not finite, where the log ends before that is sure. */
  readonly notFiniteSince: number | null;
}

/**
 * @param divergence a loss so many times the first one has diverged, as has one over 10¹², and one that is not finite
 *   three times in a row
 */
export function createLossWatch(divergence: number): LossWatch {
  let first = Number.NaN;
  let last = Number.NaN;
  let lastStep = Number.NaN;
  let work = 0;
  let lastRise = Number.NEGATIVE_INFINITY;
  let gaps = false;
  let bad = 0;
  let badSince = 0;
  let divergedAt: number | null = null;

  return {
    next(step, loss) {
      if (loss > Number.NEGATIVE_INFINITY && loss < Number.POSITIVE_INFINITY) {
        if (Number.isNaN(first)) first = Math.abs(loss);
        if (loss > last * (1 + ACTIVE_RISE)) lastRise = step;
        if (step > lastStep) work += ((loss + last) / 2) * (step - lastStep);
        last = loss;
        lastStep = step;
        if (bad > 0) gaps = true;
        bad = 0;
        if (loss > MOST_LOSS || (first > 0 && loss > divergence * first)) divergedAt = step;
        return;
      }
      // What is missing counts as what was there last.
      if (step > lastStep) {
        work += last * (step - lastStep);
        lastStep = step;
      }
      if (Number.isNaN(loss) && (gaps || !(last > VANISHED_RISE * first))) {
        gaps = true;
        return;
      }
      if (bad === 0) badSince = step;
      bad++;
      if (bad >= NOT_FINITE_ROWS) divergedAt = badSince;
    },
    get first() {
      return first;
    },
    get work() {
      return work;
    },
    get lastRise() {
      return lastRise;
    },
    get divergedAt() {
      return divergedAt;
    },
    get notFiniteSince() {
      return bad > 0 ? badSince : null;
    },
  };
}
