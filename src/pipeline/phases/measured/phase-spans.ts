/** Phases that a measured series can be in, as summaries and log lines name them. */
export const SERIES_PHASES = [
  'progressive-sharpening',
  'edge-of-stability',
  'convergence',
  'catapult',
  'diverged',
  'flat',
  'descent',
] as const;
export type SeriesPhase = (typeof SERIES_PHASES)[number];

/** One phase of a series, dated from what is known by now. */
export interface SeriesSpan {
  readonly phase: SeriesPhase;
  readonly first_step: number;
  readonly last_step: number;
  /** Step at which it was first known, and from which on the `phase` column says so. */
  readonly detected_step: number;
  /** Probability that the change is real and not noise, 0.5 to 1. */
  readonly confidence: number;
}

/** A phase as it begins, as told at once. */
export interface PhaseChange {
  readonly phase: SeriesPhase;
  readonly step: number;
  readonly since: number;
  readonly confidence: number;
}

/** The phases so far. A later one may be dated back over those before it, which are then shortened or dropped. */
export interface SpanList {
  begin(change: PhaseChange): void;
  /** Dates the phase that is on anew. */
  redate(since: number, confidence: number): void;
  rename(index: number, phase: SeriesPhase): void;
  readonly length: number;
  at(index: number): PhaseChange | undefined;
  close(lastStep: number): SeriesSpan[];
}

export function createSpanList(): SpanList {
  const spans: PhaseChange[] = [];

  function begin(change: PhaseChange): void {
    while (spans.length > 0 && spans.at(-1)!.since >= change.since) spans.pop();
    if (spans.at(-1)?.phase === change.phase) return;
    spans.push(change);
  }

  return {
    begin,
    redate(since, confidence) {
      const last = spans.pop();
      if (last) begin({ ...last, since, confidence });
    },
    rename(index, phase) {
      const span = spans[index];
      if (span) spans[index] = { ...span, phase };
    },
    get length() {
      return spans.length;
    },
    at: (index) => spans.at(index),
    close(lastStep) {
      return spans.map(({ phase, step, since, confidence }, i) => ({
        phase,
        first_step: since,
        last_step: (spans[i + 1]?.since ?? lastStep + 1) - 1,
        detected_step: step,
        confidence,
      }));
    },
  };
}
