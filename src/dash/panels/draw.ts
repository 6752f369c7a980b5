import * as Plot from '@observablehq/plot';
import { formatNumber } from '../format.ts';

/** Room around the drawing for the axes, the same in every time series so that their steps stand under each other. */
export const MARGIN = { top: 12, right: 16, bottom: 34, left: 68 } as const;

/**
 * Draws with Observable Plot. Its `<style>` element is taken out before the drawing meets the page, whose
 * Content-Security-Policy would refuse it; the rules stand in the page's own stylesheet.
 */
export function drawPlot(options: Plot.PlotOptions): SVGSVGElement {
  const svg = Plot.plot({ ...options, className: 'eos-plot', figure: false }) as SVGSVGElement;
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.classList.add('main');
  svg.setAttribute('aria-hidden', 'true');
  svg.removeAttribute('aria-label');
  return svg;
}

/** Ends of a y axis around the values: a little air, and for logarithms whole positive numbers only. */
export function niceDomain(low: number, high: number, log: boolean): [number, number] {
  if (!(low <= high)) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const air = low === high ? 2 : Math.max(1.05, (high / low) ** 0.03);
    return [low / air, high * air];
  }
  const air = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - air, high + air];
}

/** Digits of a tick written plainly, and of one written with a power of ten. */
const PLAIN_DIGITS = 6;
const POWER_DIGITS = 3;
const isPlain = (size: number): boolean => size < 1e4 && size >= 1e-3;

/** Ticks of a linear y axis: short numbers, powers of ten where they are shorter. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (isPlain(size)) return String(Number(value.toPrecision(PLAIN_DIGITS))).replace('-', '−');
  const [factor = '', power = ''] = value.toExponential(POWER_DIGITS - 1).split('e');
  const short = String(Number(factor)).replace('-', '−');
  const raised = superscript(Number(power));
  return short === '1' ? `10${raised}` : `${short}·10${raised}`;
}

/** Ticks of a logarithmic axis, all of them whole powers of ten. */
export const powerText = (value: number): string =>
  `10${superscript(Math.round(Math.log10(value)))}`;

const superscript = (power: number): string =>
  String(power)
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!);

/** The ticks of a linear y axis, and what they are to be multiplied and added to, as its title tells. */
export interface LinearTicks {
  readonly ticks: readonly number[];
  readonly text: (value: number) => string;
  readonly title: string;
}

/** Digits of a tick for which there is room beside the title of the axis. */
const MAX_TICK = 7;
const MOST_TICKS = 12;

/**
 * About five ticks between two values. What all have in common, when it is too long to stand at each, stands in the
 * title: `β₁ − 0.6123 (×10⁻⁶)`.
 */
export function linearTicks([low, high]: readonly [number, number], title: string): LinearTicks {
  const step = niceStep((high - low) / 5);
  const power = floorLog(step);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = Array.from({ length: MOST_TICKS }, (_, i) => (first + i) * step).filter(
    (tick) => tick <= high + step * 1e-9,
  );
  const plain = ticks.map(tickText);
  if (ticks.every((tick) => isTold(tick, power)) && plain.every((text) => text.length <= MAX_TICK))
    return { ticks, text: tickText, title };
  const largest = Math.max(...ticks.map(Math.abs));
  const round = 10 ** Math.ceil(Math.log10(high - low) - 1e-9);
  const base = largest > step * 1000 ? Math.floor(low / round + 1e-9) * round : 0;
  const size = Math.max(...ticks.map((tick) => Math.abs(tick - base)));
  const scale = size >= 1e4 || size < 1e-2 ? floorLog(size) : 0;
  const decimals = Math.min(12, Math.max(0, scale - power));
  return {
    ticks,
    text: (value) => {
      const shown = (value - base) / 10 ** scale;
      return (Math.abs(shown) < 10 ** -decimals / 2 ? 0 : shown)
        .toFixed(decimals)
        .replace('-', '−');
    },
    title: [
      title,
      ...(base === 0 ? [] : [base < 0 ? '+' : '−', longText(Math.abs(base), floorLog(round))]),
      ...(scale === 0 ? [] : [`(×10${superscript(scale)})`]),
    ].join(' '),
  };
}

/** Exponent of the power of ten at or below a value. */
const floorLog = (value: number): number => Math.floor(Math.log10(value) + 1e-9);

/** Whether a tick's text tells all of it, down to the place at which the ticks differ. */
const isTold = (tick: number, power: number): boolean => {
  const size = Math.abs(tick);
  return size === 0 || floorLog(size) - power < (isPlain(size) ? PLAIN_DIGITS : POWER_DIGITS);
};

const longText = (value: number, power: number): string =>
  value >= 1e7 || value < 1e-3
    ? formatNumber(value, Math.min(15, floorLog(value) - power + 1))
    : String(Number(value.toFixed(Math.min(15, Math.max(0, -power)))));

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough * 0.999) ?? 10;
  return factor * power;
}

/** Step counts on the x axis. */
export const stepText = (value: number): string =>
  value >= 1e6
    ? `${Number((value / 1e6).toPrecision(7))} M`
    : String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');

/** Ticks of the x axis: how many, or where there are so few steps, the steps themselves. */
export function stepTicks([from, to]: readonly [number, number], count: number): number | number[] {
  if (to - from > count) return count;
  const first = Math.ceil(from);
  return Array.from({ length: Math.floor(to) - first + 1 }, (_, i) => first + i);
}

/** Logarithmic ticks: whole powers of ten, thinned to about six; none of them where less than a decade is in view. */
export function logTicks([low, high]: readonly [number, number]): number[] | undefined {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return undefined;
  const stride = Math.max(1, Math.ceil((last - first + 1) / 7));
  const ticks: number[] = [];
  for (let power = Math.ceil(first / stride) * stride; power <= last; power += stride)
    ticks.push(10 ** power);
  return ticks.length >= 2 ? ticks : undefined;
}
