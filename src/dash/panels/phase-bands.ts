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

/** The phases of a run as bands behind a time series; each reaches to the first step of the next. */
export function phaseBands(
  run: Run | undefined,
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
): Plot.Markish[] {
  if (!run) return [];
  const phases = coarsePhases(run.phases);
  const bands = phases
    .map(({ word, first, last }, i) => ({
      word,
      x1: Math.max(from, first),
      x2: Math.min(to, phases[i + 1]?.first ?? last),
    }))
    .filter(({ x1, x2 }) => x1 < x2)
    .slice(0, MAX_BANDS);
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
