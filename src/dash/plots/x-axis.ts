import { count, formatNumber } from '../../pipeline/format.ts';
import { linearTicks, logTicks, stepTicks } from './axes.ts';
import type { Range } from './draw.ts';

export type XName = 'step' | 'log' | 'time' | 'crossing';

/** Where the steps of a run stand on the shared axis, as positions that drawings are linear in. */
export interface Place {
  at(step: number): number;
  step(position: number): number;
}

/** What of a run an axis may depend on. */
export interface PlacedRun {
  readonly eta?: number | undefined;
  /** Steps behind which its parameters were changed. */
  readonly changes?: readonly number[] | undefined;
  readonly crossing?: number | undefined;
}

/** A tick at a position. */
export interface XTick {
  readonly at: number;
  readonly text: string;
}

/**
 * What the runs are drawn over. A position is the number that links and people use, or on a
 * logarithmic axis its logarithm.
 */
export interface XAxis {
  readonly name: XName;
  readonly title: string;
  readonly label: string;
  /** Why a run has no place on it. */
  readonly lack: string;
  /** Undefined where the run has no place on it. */
  place(run: PlacedRun): Place | undefined;
  /** From the number to the position, and back. */
  at(value: number): number;
  value(position: number): number;
  ticks(positions: Range, width: number): readonly XTick[];
  /** A position in words. */
  say(position: number): string;
}

const same = (value: number): number => value;
const EVERYWHERE: Place = { at: same, step: same };

const whole = (positions: Range, width: number): readonly XTick[] =>
  stepTicks(positions, width).map((at) => ({ at, text: count(at) }));

const AXES: readonly XAxis[] = [
  {
    name: 'step',
    title: 'step',
    label: 'step t',
    lack: '',
    place: () => EVERYWHERE,
    at: same,
    value: same,
    ticks: whole,
    say: (position) => `step ${formatNumber(position)}`,
  },
  {
    name: 'log',
    title: 'log step',
    label: 'step t (log scale, from step 1)',
    lack: '',
    // Step 0 stands where step 1 does.
    place: () => ({
      at: (step) => Math.log10(Math.max(1, step)),
      step: (position) => 10 ** position,
    }),
    at: (value) => Math.log10(Math.max(1, value)),
    value: (position) => 10 ** position,
    ticks([from, to], width) {
      const { values, text } = logTicks([10 ** from, 10 ** to], '', Math.max(2, width / 110));
      return values.map((value) => ({ at: Math.log10(value), text: text(value) }));
    },
    say: (position) => `step ${formatNumber(Math.round(10 ** position))}`,
  },
  {
    name: 'time',
    title: 'ηt',
    label: 'ηt',
    lack: 'η is unknown or changes',
    place: ({ eta, changes = [] }) =>
      eta === undefined || !(eta > 0) || changes.length > 0
        ? undefined
        : { at: (step) => step * eta, step: (position) => position / eta },
    at: same,
    value: same,
    ticks(positions, width) {
      const { values, text } = linearTicks(positions, '', Math.max(2, Math.round(width / 110)));
      return values.map((at) => ({ at, text: text(at) }));
    },
    say: (position) => `ηt = ${formatNumber(position, 6)}`,
  },
  {
    name: 'crossing',
    title: 'steps since the first crossing',
    label: 'steps since the first crossing',
    lack: 'it has not crossed the threshold',
    place: ({ crossing }) =>
      crossing === undefined
        ? undefined
        : { at: (step) => step - crossing, step: (position) => position + crossing },
    at: same,
    value: same,
    ticks: whole,
    say: (position) => `${formatNumber(position)} steps after the first crossing`,
  },
];

export const X_AXES: readonly XAxis[] = AXES;

export const xAxisOf = (name: string | null): XAxis =>
  AXES.find((axis) => axis.name === name) ?? AXES[0]!;
