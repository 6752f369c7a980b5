import * as Plot from '@observablehq/plot';
import { formatNumber } from '../../pipeline/format.ts';
import {
  type Cell,
  type HeatMap,
  type MapAxis,
  parameterSymbol,
  type Share,
} from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { linearTicks, logTicks, type Ticks } from './axes.ts';
import { type Drawing, drawPlot, type Look, MARGIN } from './draw.ts';
import { outcomeColor, outcomeName } from './outcomes.ts';
import type { Theme } from './theme.ts';

export interface FacetCell extends Cell {
  readonly facet: number | null;
}

/** A key of a map's legend. */
export interface MapKey {
  readonly label: string;
  readonly color: string;
  /** Told apart from a scale by its pattern, since that may have any lightness. */
  readonly hatched?: boolean;
}

/** Left, top, width and height in pixels. */
export type Box = readonly [x: number, y: number, width: number, height: number];

export interface DrawnMap {
  readonly svg: Drawing;
  readonly cells: readonly FacetCell[];
  /** Where a cell is drawn. */
  box(index: number): Box;
}

/** The name of the line of theory. */
export const borderLabel = ({ threshold }: HeatMap): string => `S∞(θ₀) = ${threshold}`;

/** Colours of a map's cells, with what they mean. */
export interface MapColors {
  readonly legend: readonly MapKey[];
  /** A scale without steps, from the left to the right. */
  readonly ramp?: MapRamp;
  of(share: Pick<Share, 'value' | 'diverged'>): string;
}

export interface MapRamp {
  readonly colors: readonly string[];
  /** Where along it a value stands. */
  readonly ticks: readonly { readonly label: string; readonly at: number }[];
}

export function mapColors(map: HeatMap, theme: Theme): MapColors {
  const cells = map.facets.flatMap((facet) => facet.cells);
  return map.quantity.name === 'outcome' ? outcomes(cells, theme) : ramp(map, cells, theme);
}

/** Whether the line of theory is in a map. */
export const isLined = ({ facets }: HeatMap): boolean =>
  facets.some(({ border }) => border.length > 1);

/** Draws a map of a sweep, a facet beside the other, with the line of theory over it. */
export function sweepMap(map: HeatMap, look: Look): DrawnMap {
  const { theme } = look;
  const cells = map.facets.flatMap(({ value, cells: own }) =>
    own.map((cell): FacetCell => ({ ...cell, facet: value })),
  );
  const border = map.facets.flatMap(({ value, border: own }) =>
    own.map((point) => ({ ...point, facet: value })),
  );
  const colors = mapColors(map, theme);
  const facets = map.facet === null ? {} : { fx: 'facet' };
  const [across, upward] = [ticksOf(map.x), ticksOf(map.y)];
  const line = {
    x: 'x',
    y: 'y',
    z: 'facet',
    clip: true,
    pointerEvents: 'none',
    ...facets,
  } as const;
  const svg = drawPlot(
    {
      marginTop: map.facet === null ? 24 : 44,
      marginBottom: 40,
      x: scale(map.x),
      y: scale(map.y),
      ...(map.facet === null
        ? {}
        : { fx: { label: null, padding: 0.06, tickFormat: named(map.facet, map.facetWords) } }),
      marks: [
        Plot.axisX(across.values, {
          label: parameterSymbol(map.x.column),
          labelArrow: 'none',
          text: (value: number) => across.text(value),
        }),
        Plot.axisY(upward.values, {
          label: parameterSymbol(map.y.column),
          labelArrow: 'none',
          text: (value: number) => upward.text(value),
        }),
        Plot.rect(
          cells.flatMap((cell) => slices(cell, map.x.log)),
          {
            x1: 'from',
            x2: 'to',
            y1: ({ y }: Slice) => y.from,
            y2: ({ y }: Slice) => y.to,
            fill: ({ share }: Slice) => colors.of(share),
            ...facets,
            render: cellPaths(
              colors.legend.find(({ hatched }) => hatched)?.color,
              theme.background,
            ),
          },
        ),
        Plot.line(border, {
          ...line,
          stroke: theme.background,
          strokeWidth: 5,
          strokeOpacity: 0.7,
        }),
        Plot.line(border, { ...line, stroke: theme.text, strokeWidth: 2, strokeDasharray: '6 4' }),
      ],
    },
    look,
  );
  const [x, y, fx] = [svg.scale('x')!, svg.scale('y')!, svg.scale('fx')];
  return {
    svg,
    cells,
    box(index) {
      const cell = cells[index]!;
      const shift = fx ? fx.apply(cell.facet) - MARGIN.left : 0;
      const [left, right] = [x.apply(cell.x.from), x.apply(cell.x.to)];
      const [bottom, top] = [y.apply(cell.y.from), y.apply(cell.y.to)];
      return [left + shift, top, right - left, bottom - top];
    },
  };
}

const named = (facet: string, words: readonly string[] | undefined) => (value: number) =>
  `${parameterSymbol(facet)} = ${words?.[value] ?? formatNumber(value, 4)}`;

/** A share of a cell, as wide as it is large. */
interface Slice extends FacetCell {
  readonly share: Share;
  readonly from: number;
  readonly to: number;
}

function slices(cell: FacetCell, log: boolean): Slice[] {
  const { from, to } = cell.x;
  const at = (share: number) => (log ? from * (to / from) ** share : from + (to - from) * share);
  let done = 0;
  return cell.shares.map((share, i) => {
    const start = done;
    done = i === cell.shares.length - 1 ? 1 : done + share.share;
    return { ...cell, share, from: at(start), to: done === 1 ? to : at(done) };
  });
}

/**
 * Cells as one path a colour: an element for each of some ten thousand would take most of a
 * gigabyte.
 */
const cellPaths =
  (hatched: string | undefined, over: string): Plot.RenderFunction =>
  (index, _scales, values, _dimensions, { document }) => {
    const { x1, x2, y1, y2, fill } = values as unknown as Record<string, ArrayLike<number>> & {
      readonly fill: ArrayLike<string>;
    };
    const paths = new Map<string, string>();
    let hatches = '';
    const at = (position: number) => String(Math.round(100 * position) / 100);
    const sorted = Array.from(index).sort((a, b) => y1![a]! - y1![b]! || x1![a]! - x1![b]!);
    for (let i = 0; i < sorted.length; ) {
      const first = sorted[i]!;
      let last = first;
      // Neighbours along x that have the same colour, as one.
      while (++i < sorted.length) {
        const next = sorted[i]!;
        if (y1![next] !== y1![first] || fill[next] !== fill[first] || x1![next] !== x2![last])
          break;
        last = next;
      }
      const [left, right] = [at(x1![first]!), at(x2![last]!)];
      const outline = `M${left},${at(y2![first]!)}H${right}V${at(y1![first]!)}H${left}Z`;
      paths.set(fill[first]!, (paths.get(fill[first]!) ?? '') + outline);
      if (fill[first] === hatched)
        hatches += hatch([x1![first]!, y2![first]!], [x2![last]!, y1![first]!]);
    }
    const svg = 'http://www.w3.org/2000/svg';
    const group = document.createElementNS(svg, 'g');
    group.setAttribute('class', 'cells');
    group.setAttribute('shape-rendering', 'crispEdges');
    for (const [color, outline] of paths) {
      const path = document.createElementNS(svg, 'path');
      path.setAttribute('fill', color);
      path.setAttribute('d', outline);
      group.append(path);
    }
    if (hatches !== '') {
      const path = document.createElementNS(svg, 'path');
      for (const [name, value] of Object.entries({ ...HATCH, stroke: over, d: hatches }))
        path.setAttribute(name, value);
      group.append(path);
    }
    return group as SVGElement;
  };

const HATCH = { fill: 'none', 'stroke-width': '1.2', 'shape-rendering': 'auto' };
const HATCH_PIXELS = 8;

/** Slanted lines in a box, which go on in the box beside it. */
function hatch([left, top]: readonly number[], [right, bottom]: readonly number[]): string {
  const at = (position: number) => String(Math.round(100 * position) / 100);
  let path = '';
  const first = Math.ceil((left! + top!) / HATCH_PIXELS) * HATCH_PIXELS;
  for (let sum = first; sum < right! + bottom!; sum += HATCH_PIXELS) {
    const [from, to] = [Math.max(left!, sum - bottom!), Math.min(right!, sum - top!)];
    path += `M${at(from)},${at(sum - from)}L${at(to)},${at(sum - to)}`;
  }
  return path;
}

function outcomes(cells: readonly Cell[], theme: Theme): MapColors {
  const there = new Set(cells.flatMap(({ shares }) => shares.map(({ value }) => OUTCOMES[value]!)));
  return {
    legend: OUTCOMES.filter((outcome) => there.has(outcome)).map((outcome) => ({
      label: outcomeName(outcome),
      color: outcomeColor(theme, outcome),
    })),
    of: ({ value }) => outcomeColor(theme, OUTCOMES[value]!),
  };
}

/** Colours of a ramp. */
const RAMP_COLORS = 24;

/** A ramp that people with any common colour blindness read, from low to high; no value is grey. */
function ramp({ quantity }: HeatMap, cells: readonly Cell[], theme: Theme): MapColors {
  const shares = cells.flatMap((cell) => cell.shares);
  // Those that diverged have a colour of their own, and values that would leave none to others.
  const known = shares.flatMap(({ value, diverged }) =>
    !diverged && Number.isFinite(value) ? [value] : [],
  );
  const low = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const log = quantity.log === true && high > 20 * Math.max(low, 1);
  // Zero cycles have a place on the scale all the same: with those of one.
  const from = log ? Math.max(low, 1e-3 * high, low > 0 ? low : 1) : low;
  const to = high > from ? high : from + (Math.abs(from) || 1);
  // Over and under the threshold are two things: 1 stands in the middle of two hues.
  const ratio = quantity.name.endsWith('_ratio');
  const color = Plot.scale({
    color: ratio
      ? {
          type: log ? 'diverging-log' : 'diverging',
          domain: [from, to],
          pivot: 1,
          scheme: 'PuOr',
          reverse: true,
          clamp: true,
        }
      : { type: log ? 'log' : 'linear', domain: [from, to], scheme: 'viridis', clamp: true },
  })!;
  const of = (value: number) => String(color.apply(Math.max(value, from)));
  const at = (share: number) => (log ? from * (to / from) ** share : from + (to - from) * share);
  const tick = (share: number) => {
    const value = quantity.whole ? Math.round(at(share)) : at(share);
    const least = share === 0 && low < from ? '≤\u00a0' : '';
    return { at: share, label: least + formatNumber(value, 3) };
  };
  // Of a ratio it is 1 that parts the hues.
  const one = log ? Math.log(1 / from) / Math.log(to / from) : (1 - from) / (to - from);
  const ticks = [0, ratio && one > 0 && one < 1 ? one : 0.5, 1].map(tick);
  const scale: MapRamp = {
    colors: Array.from({ length: RAMP_COLORS }, (_, i) => of(at(i / (RAMP_COLORS - 1)))),
    ticks: high > low ? ticks : ticks.slice(0, 1),
  };
  return {
    ...(known.length > 0 ? { ramp: scale } : {}),
    legend: [
      ...(shares.some(({ diverged }) => diverged)
        ? [{ label: 'diverged', color: theme.diverged, hatched: true }]
        : []),
      ...(shares.some(({ value, diverged }) => Number.isNaN(value) && !diverged)
        ? [{ label: quantity.none ?? 'not reached', color: theme.grid }]
        : []),
    ],
    of({ value, diverged }) {
      if (diverged) return theme.diverged;
      return Number.isFinite(value) ? of(value) : theme.grid;
    },
  };
}

/** Names for which there is room along an axis. */
const MOST_NAMES = 12;

function ticksOf({ log, named: names, words, places }: MapAxis): Ticks {
  if (names) {
    const every = Math.ceil(places.length / MOST_NAMES);
    const values = places.flatMap((_, i) => (i % every === 0 ? [i] : []));
    return {
      values,
      text: (i) => words?.[places[i]!.value] ?? formatNumber(places[i]!.value),
      label: '',
    };
  }
  return (log ? logTicks : linearTicks)([places[0]!.from, places.at(-1)!.to], '');
}

const scale = ({ log, places }: MapAxis): Plot.ScaleOptions => ({
  type: log ? 'log' : 'linear',
  domain: [places[0]!.from, places.at(-1)!.to],
});
