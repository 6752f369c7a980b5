import * as Plot from '@observablehq/plot';
import type { Run } from '../app.ts';
import { coarsePhase, phaseColor } from '../format.ts';
import type { Interval } from '../load/protocol.ts';

/** More bands than this are no longer seen as bands. */
const MAX_BANDS = 400;

/** Coarse phases of a run: both halves of a cycle at the edge are one. */
export function coarsePhases(phases: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { word, first, last } of phases) {
    const coarse = coarsePhase(word);
    const before = merged.at(-1);
    if (before?.word === coarse) merged[merged.length - 1] = { ...before, last };
    else merged.push({ word: coarse, first, last });
  }
  return merged;
}

/** A phase as far as it is in view. */
export interface Bar {
  readonly word: string;
  readonly x1: number;
  readonly x2: number;
}

/**
 * Phases in view, each up to the first step of the next.
 *
 * @param least of steps to a bar at the end of the run, where a phase of one step, such as `diverged`, is none wide
 */
export function bars(
  phases: readonly Interval[],
  [from, to]: readonly [number, number],
  least = 0,
): Bar[] {
  return phases.flatMap(({ word, first, last }, i) => {
    const next = phases[i + 1]?.first;
    // A run of one row has it in the middle of what is shown.
    const alone = phases.length === 1 && first === last;
    const x1 = Math.max(
      from,
      alone ? from : next === undefined ? Math.min(first, last - least) : first,
    );
    const x2 = Math.min(to, alone ? to : (next ?? last));
    return x1 < x2 ? [{ word, x1, x2 }] : [];
  });
}

/** The phases of a run as bands behind a time series; each reaches to the first step of the next. */
export function phaseBands(
  run: Run | undefined,
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
): Plot.Markish[] {
  if (!run) return [];
  const bands = bars(coarsePhases(run.phases), [from, to]).slice(0, MAX_BANDS);
  return [
    Plot.rect(bands, {
      x1: 'x1',
      x2: 'x2',
      y1: low,
      y2: high,
      fill: (band: { word: string }) => phaseColor(band.word),
      fillOpacity: 0.13,
      className: 'phase-band',
    }),
    Plot.ruleX(bands.slice(1), {
      x: 'x1',
      stroke: (band: { word: string }) => phaseColor(band.word),
      strokeOpacity: 0.7,
      strokeDasharray: '2 2',
    }),
  ];
}
