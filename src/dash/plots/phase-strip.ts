import * as Plot from '@observablehq/plot';
import { type Drawing, drawPlot, type Look, MARGIN, type Range } from './draw.ts';
import { phaseColor, phaseName } from './theme.ts';
import type { Place } from './x-axis.ts';

/** Consecutive steps in the same phase. */
export interface Interval {
  readonly word: string;
  readonly first: number;
  readonly last: number;
}

/** A phase as far as it is in view. */
export interface Bar {
  readonly word: string;
  readonly x1: number;
  readonly x2: number;
}

/** Phases without the halves of the cycles at the edge. */
export function coarsePhases(phases: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const { word, first, last } of phases) {
    const coarse = word.startsWith('eos-') ? 'edge-of-stability' : word;
    const before = merged.at(-1);
    if (before?.word === coarse) merged[merged.length - 1] = { ...before, last };
    else merged.push({ word: coarse, first, last });
  }
  return merged;
}

/** Phases at their positions on an axis. */
export const placedPhases = (phases: readonly Interval[], place: Place): Interval[] =>
  phases.map(({ word, first, last }) => ({ word, first: place.at(first), last: place.at(last) }));

/**
 * Phases in view, each up to the first step of the next.
 *
 * @param least steps of a bar at the end of the run, where a phase of one step, such as `diverged`,
 * has no width
 */
export function bars(phases: readonly Interval[], [from, to]: Range, least = 0): Bar[] {
  return phases.flatMap(({ word, first, last }, i) => {
    const next = phases[i + 1]?.first;
    // A run of one row has it in the middle of what is shown.
    const alone = phases.length === 1 && first === last;
    const start = next === undefined ? Math.min(first, last - least) : first;
    const x1 = Math.max(from, alone ? from : start);
    const x2 = Math.min(to, alone ? to : (next ?? last));
    return x1 < x2 ? [{ word, x1, x2 }] : [];
  });
}

/** A row of the strip: the phases of a run, or what was known of them at the time. */
export interface StripRow {
  readonly phases: readonly Interval[];
  /** Stands before it. */
  readonly label?: string;
  readonly color?: string;
  /** Thinner, and without names. */
  readonly minor?: boolean;
  /** No space to the next. */
  readonly close?: boolean;
}

const ROW = 18;
const MINOR = 7;
const GAP = 4;
/** A phase of one step at the end of a run is seen all the same. */
const LEAST_PIXELS = 3;
/** Width of a letter. */
const LETTER = 6.2;

export const stripHeight = (rows: readonly StripRow[]): number =>
  rows.reduce((sum, { minor, close }) => sum + (minor ? MINOR : ROW) + (close ? 1 : GAP), 2);

/** A thin strip of phases over steps, named where there is room. */
export function phaseStrip(
  rows: readonly StripRow[],
  steps: Range,
  look: Omit<Look, 'height'>,
): Drawing {
  const { theme, width } = look;
  const height = stripHeight(rows);
  const inner = width - MARGIN.left - MARGIN.right;
  const pixel = (steps[1] - steps[0]) / inner;
  const tops = rows.map((_, i) => 2 + stripHeight(rows.slice(0, i)) - 2);
  const placed = rows.map((row, i) => {
    const [y1, y2] = [tops[i]!, tops[i]! + (row.minor ? MINOR : ROW)];
    const seen = (phases: readonly Interval[]) =>
      merged(bars(phases, steps, LEAST_PIXELS * pixel), pixel).map((bar) => ({ ...bar, y1, y2 }));
    return {
      ...row,
      y: (y1 + y2) / 2,
      bars: seen(row.phases),
      whole: seen(coarsePhases(row.phases)),
    };
  });
  const named = placed.flatMap(({ minor, whole }) =>
    whole.filter(
      ({ x1, x2, word }) => !minor && phaseName(word).length * LETTER <= (x2 - x1) / pixel - 10,
    ),
  );
  return drawPlot(
    {
      marginTop: 0,
      marginBottom: 0,
      x: { domain: steps, type: 'linear', axis: null },
      y: { domain: [height, 0], type: 'linear', axis: null },
      marks: [
        Plot.rect(
          placed.flatMap((row) => row.bars),
          {
            x1: 'x1',
            x2: 'x2',
            y1: 'y1',
            y2: 'y2',
            fill: ({ word }) => phaseColor(theme, word),
            className: 'phases',
          },
        ),
        Plot.text(named, {
          x: ({ x1, x2 }) => (x1 + x2) / 2,
          y: ({ y1, y2 }) => (y1 + y2) / 2,
          text: ({ word }) => phaseName(word),
          fill: theme.text,
          stroke: theme.background,
          strokeWidth: 4,
          fontWeight: 600,
          clip: true,
        }),
        Plot.text(placed, {
          x: steps[0],
          y: 'y',
          dx: -8,
          text: ({ label = '', close }) => (close && label !== '' ? '●' : label),
          fontSize: ({ close }) => (close ? 7 : 10),
          textAnchor: 'end',
          fontWeight: 600,
          fill: ({ color }) => color ?? theme.muted,
        }),
      ],
    },
    { ...look, height },
  );
}

/** Bars of the same pixel as one. */
function merged(all: readonly Bar[], pixel: number): Bar[] {
  const visible: Bar[] = [];
  for (const bar of all) {
    const before = visible.at(-1);
    if (before && bar.x2 - before.x1 < pixel)
      visible[visible.length - 1] = { ...before, x2: bar.x2 };
    else visible.push(bar);
  }
  return visible;
}
