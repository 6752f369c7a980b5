import { SPENT } from './constants.ts';

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
  /** How often such a verdict is right, 0.5 to 1. */
  readonly confidence: number;
}

/** A phase that was found: since when, and how sure. */
export interface PhaseFinding {
  readonly phase: SeriesPhase;
  readonly since: number;
  readonly confidence: number;
}

/** What is said of a phase at a step, at once. */
export interface PhaseChange extends PhaseFinding {
  /** Whether it is new, dated anew, or no longer held to be true. */
  readonly what: 'begins' | 'redated' | 'withdrawn';
  readonly step: number;
}

/** A finding as it was told. */
export interface Told extends PhaseFinding {
  readonly step: number;
}

/**
 * What has to be told so that what was told before agrees with what is found now, and what is then
 * told.
 *
 * @param length steps of the run so far
 */
export function tell(
  told: readonly Told[],
  found: readonly PhaseFinding[],
  step: number,
  length: number,
): { readonly changes: readonly PhaseChange[]; readonly told: readonly Told[] } {
  const changes: PhaseChange[] = [];
  const now: Told[] = [];
  let at = 0;
  for (const finding of found) {
    let known = at;
    while (known < told.length && told[known]!.phase !== finding.phase) known++;
    if (known === told.length) {
      changes.push({ ...finding, what: 'begins', step });
      now.push({ ...finding, step });
      continue;
    }
    withdraw(at, known);
    at = known + 1;
    const before = told[known]!;
    const moved = Math.abs(finding.since - before.since) > SPENT * length;
    if (moved) changes.push({ ...finding, what: 'redated', step });
    const { phase, confidence } = finding;
    now.push({ phase, since: moved ? finding.since : before.since, confidence, step: before.step });
  }
  withdraw(at, told.length);
  return { changes, told: now };

  function withdraw(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const { phase, since, confidence } = told[i]!;
      changes.push({ phase, since, confidence, what: 'withdrawn', step });
    }
  }
}

/**
 * Findings in order: what a later one is dated over is dropped, and neighbours of one phase are
 * one.
 */
export function ordered(findings: readonly PhaseFinding[]): PhaseFinding[] {
  const result: PhaseFinding[] = [];
  for (const finding of findings) {
    while (result.length > 0 && result.at(-1)!.since >= finding.since) result.pop();
    if (result.at(-1)?.phase !== finding.phase) result.push(finding);
  }
  return result;
}

export function spansOf(told: readonly Told[], lastStep: number): SeriesSpan[] {
  return told.map(({ phase, since, step, confidence }, i) => ({
    phase,
    first_step: since,
    last_step: (told[i + 1]?.since ?? lastStep + 1) - 1,
    detected_step: step,
    confidence,
  }));
}
