import * as Plot from '@observablehq/plot';
import { tickStep, ticks } from 'd3-array';
import { format, precisionFixed, precisionRound } from 'd3-format';
import { formatNumber, printed } from '../../pipeline/format.ts';
import type { Range } from './draw.ts';
import type { Theme } from './theme.ts';
import type { XAxis } from './x-axis.ts';

/** What stands at an axis. */
export interface Ticks {
  readonly values: readonly number[];
  readonly text: (value: number) => string;
  /** Title of the axis, with what is taken off its numbers: `β₁ − 0.6123`. */
  readonly label: string;
}

/** Digits for which there is room beside an axis. */
const MOST_DIGITS = 9;

/**
 * Ticks of a linear axis; what all have in common stands in the title where it is too long to stand
 * at each.
 */
export function linearTicks(domain: Range, label: string, wanted = 5): Ticks {
  const [low, high] = domain;
  const found = ticks(low, high, wanted);
  const values = found.length > 1 ? found : [low, high];
  const text = tickText(values, tickStep(low, high, wanted));
  const room = 10 ** Math.ceil(Math.log10(high - low));
  const base = Math.floor(low / room) * room;
  const long = values.some((value) => text(value).length > MOST_DIGITS);
  if (!long || !Number.isFinite(base) || base === 0 || base === low) return { values, text, label };
  const rest = linearTicks([low - base, high - base], label, wanted);
  const digits = Math.min(15, 1 + Math.floor(Math.log10(Math.abs(base) / room) + 1e-9));
  const taken = formatNumber(Math.abs(base), Math.max(1, digits));
  return {
    values: rest.values.map((value) => value + base),
    text: (value) => rest.text(value - base),
    label: `${label} ${base < 0 ? '+' : '−'} ${taken}`,
  };
}

/** The same of an axis of counts: whole numbers only. */
export function wholeTicks(domain: Range, label: string): Ticks {
  const ticks = linearTicks(domain, label);
  const values = ticks.values.filter(Number.isInteger);
  return { ...ticks, values, text: formatNumber };
}

function tickText(values: readonly number[], step: number): (value: number) => string {
  const size = Math.max(...values.map(Math.abs));
  if (size < 1e6 && (size >= 1e-3 || size === 0))
    return format(`,.${Math.min(20, precisionFixed(step))}f`);
  // Between the largest numbers there are no steps.
  const digits = precisionRound(step, size + step) - 1;
  const power = format(`.${Number.isFinite(digits) ? Math.max(0, digits) : 2}~e`);
  return (value) => (Math.abs(value) < step / 1e6 ? '0' : printed(power(value).replace('−', '-')));
}

/**
 * Ticks of a logarithmic axis: powers of ten, in a decade or two also their 2 and 5, and within one
 * linear ones.
 */
export function logTicks(domain: Range, label: string, wanted = 6): Ticks {
  const [low, high] = [Math.log10(domain[0]), Math.log10(domain[1])];
  const decades = ticks(Math.floor(low), Math.ceil(high), wanted).filter(Number.isInteger);
  const factors = high - low > 2.5 ? [1] : [1, 2, 5];
  const values = decades
    .flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
    .filter((value) => value >= domain[0] && value <= domain[1]);
  if (values.length < 3 && high - low < 1) return linearTicks(domain, label, wanted);
  const plain = factors.length > 1 && low >= -3 && high <= 6;
  return {
    values,
    text: (value) => {
      const power = Math.floor(Math.log10(value) + 1e-9);
      return plain
        ? formatNumber(value, 1)
        : printed(`${Math.round(value / 10 ** power)}e${power}`);
    },
    label,
  };
}

/** Ticks of an axis of steps: whole numbers only. */
export function stepTicks([from, to]: Range, width: number): readonly number[] {
  const values = ticks(from, to, Math.max(2, Math.round(width / 110))).filter(Number.isInteger);
  return values.length > 0 ? values : [Math.round((from + to) / 2)];
}

/** Grid line and axis marks of values. */
export function valueMarks({ values, text, label }: Ticks, theme: Theme): Plot.Markish[] {
  return [
    Plot.gridY(values, { stroke: theme.grid, strokeOpacity: 1 }),
    Plot.axisY(values, {
      label,
      labelArrow: 'none',
      labelOffset: 60,
      // As tickFormat it would be left out at some ticks of a logarithmic scale.
      text: (value: number) => text(value),
      tickSize: 0,
      tickPadding: 6,
    }),
  ];
}

/** The axis below a drawing over positions of an axis. */
export function stepMarks(axis: XAxis, positions: Range, width: number): Plot.Markish[] {
  const ticks = axis.ticks(positions, width);
  return [
    Plot.axisX(
      ticks.map(({ at }) => at),
      {
        label: axis.label,
        labelAnchor: 'right',
        labelArrow: 'none',
        text: ticks.map(({ text }) => text),
        tickSize: 4,
      },
    ),
  ];
}
