import * as Plot from '@observablehq/plot';

/** Room around the drawing for the axes, the same in every time series so that their steps stand under each other. */
export const MARGIN = { top: 12, right: 16, bottom: 34, left: 58 } as const;

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

/** Ticks of a linear y axis: short numbers, powers of ten where they are shorter. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e4 && size >= 1e-3) return String(Number(value.toPrecision(6))).replace('-', '−');
  const [factor = '', power = ''] = value.toExponential(2).split('e');
  const short = String(Number(factor)).replace('-', '−');
  const raised = superscript(Number(power));
  return short === '1' ? `10${raised}` : `${short}·10${raised}`;
}

/** Ticks of a logarithmic axis, all of them whole powers of ten. */
export const powerText = (value: number): string => `10${superscript(Math.round(Math.log10(value)))}`;

const superscript = (power: number): string =>
  String(power)
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!);

/** Step counts on the x axis. */
export const stepText = (value: number): string =>
  value >= 1e6 ? `${Number((value / 1e6).toPrecision(7))} M` : String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');

/** Logarithmic ticks: whole powers of ten, thinned to about six; none of them where less than a decade is in view. */
export function logTicks([low, high]: readonly [number, number]): number[] | undefined {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return undefined;
  const stride = Math.max(1, Math.ceil((last - first + 1) / 7));
  const ticks: number[] = [];
  for (let power = Math.ceil(first / stride) * stride; power <= last; power += stride) ticks.push(10 ** power);
  return ticks.length >= 2 ? ticks : undefined;
}
