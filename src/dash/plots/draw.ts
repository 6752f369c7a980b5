import * as Plot from '@observablehq/plot';
import type { Theme } from './theme.ts';

/** Where and how to draw. */
export interface Look {
  readonly document: Document;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
}

/** Room around a drawing for its axes, the same in all, so that steps stand under each other. */
export const MARGIN = { top: 24, right: 16, bottom: 34, left: 68 } as const;

export type Drawing = SVGSVGElement & Plot.Plot;

/**
 * Draws with Observable Plot, the same in a page and on a server. Its `<style>` element is taken
 * out, which a page's Content-Security-Policy would refuse; the rules stand in the page's own
 * stylesheet.
 */
export function drawPlot(options: Plot.PlotOptions, look: Look): Drawing {
  const { document, width, height, theme } = look;
  const svg = Plot.plot({
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    ...options,
    document,
    width,
    height,
    className: 'eos-plot',
    figure: false,
    style: { color: theme.muted },
  }) as Drawing;
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.setAttribute('aria-hidden', 'true');
  svg.removeAttribute('aria-label');
  return svg;
}

/** From the least to the largest value that a drawing shows. */
export type Range = readonly [low: number, high: number];

/** The least and the largest finite value; undefined where there is none. */
export function extent(arrays: Iterable<ArrayLike<number>>): Range | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of arrays) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** Ends of an axis around values: a little air, and for logarithms positive numbers only. */
export function niceDomain(range: Range | undefined, log = false): Range {
  if (!range) return log ? [0.1, 1] : [0, 1];
  const [low, high] = range;
  if (log) {
    const air = low === high ? 2 : Math.max(1.05, (high / low) ** 0.03);
    return [low / air, high * air];
  }
  const air = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - air, high + air];
}
