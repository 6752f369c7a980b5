import * as Plot from '@observablehq/plot';
import {
  type Cell,
  type HeatMap,
  type MapAxis,
  parameterSymbol,
} from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { el, swatch } from '../dom.ts';
import { formatNumber } from '../format.ts';
import { drawPlot, tickText } from '../panels/draw.ts';

export interface FacetCell extends Cell {
  readonly facet: number | null;
}

/** A map on the page, and how to find one's way in it. */
export interface MapDrawing {
  readonly map: HeatMap;
  readonly cells: readonly FacetCell[];
  readonly svg: SVGSVGElement;
  readonly legend: readonly HTMLElement[];
  /** Which cell an element of the drawing stands for. */
  indexOf(target: EventTarget | null): number | undefined;
  /** The element of a cell. */
  rect(index: number): Element | undefined;
  /** The cell so many places further. */
  neighbour(index: number, dx: number, dy: number): number | undefined;
  outcomeColor(outcome: string): string;
}

const OUTCOME_COLORS: Readonly<Record<string, string>> = {
  'gradient-flow': 'var(--phase-sharpening)',
  'edge-of-stability': 'var(--phase-edge)',
  converged: 'var(--phase-convergence)',
  diverged: 'var(--phase-diverged)',
};
const OUTCOME_NAMES: Readonly<Record<string, string>> = {
  'gradient-flow': 'gradient flow',
  'edge-of-stability': 'edge of stability',
};
const NONE = 'var(--grid)';
const RAMP_STEPS = 4;

export const outcomeName = (outcome: string): string => OUTCOME_NAMES[outcome] ?? outcome;
const outcomeColor = (outcome: string): string => OUTCOME_COLORS[outcome] ?? NONE;

/** Draws a heat map with the line of theory over it. */
export function drawMap(
  map: HeatMap,
  { width, height }: { readonly width: number; readonly height: number },
): MapDrawing {
  const cells = map.facets.flatMap(({ value, cells: own }) =>
    own.map((cell): FacetCell => ({ ...cell, facet: value })),
  );
  const border = map.facets.flatMap(({ value, border: own }) =>
    own.map((point) => ({ ...point, facet: value })),
  );
  const colors = map.quantity.name === 'outcome' ? outcomes(cells) : ramp(map, cells);
  const facets = map.facet === null ? {} : { fx: 'facet' };
  const line = {
    x: 'x',
    y: 'y',
    z: 'facet',
    clip: true,
    pointerEvents: 'none',
    ...facets,
  } as const;
  const svg = drawPlot({
    width: Math.max(280, width),
    height,
    marginLeft: 62,
    marginRight: 18,
    marginTop: map.facet === null ? 22 : 40,
    marginBottom: 40,
    x: axis(map.x),
    y: axis(map.y),
    ...(map.facet === null
      ? {}
      : {
          fx: {
            label: parameterSymbol(map.facet),
            padding: 0.06,
            tickFormat: (value: number) => tickText(value),
          },
        }),
    marks: [
      Plot.rect(cells, {
        x1: ({ x }: FacetCell) => x.from,
        x2: ({ x }: FacetCell) => x.to,
        y1: ({ y }: FacetCell) => y.from,
        y2: ({ y }: FacetCell) => y.to,
        fill: (cell: FacetCell) => colors.of(cell),
        shapeRendering: 'crispEdges',
        className: 'cells',
        ...facets,
      }),
      Plot.line(border, { ...line, stroke: 'var(--panel)', strokeWidth: 5, strokeOpacity: 0.7 }),
      Plot.line(border, { ...line, stroke: 'var(--text)', strokeWidth: 2, strokeDasharray: '6 4' }),
    ],
  });
  const rects = new Map<number, Element>();
  const indices = new Map<EventTarget, number>();
  for (const rect of svg.querySelectorAll('.cells rect')) {
    // Plot leaves with each element the row that it was drawn from.
    const index = (rect as Element & { readonly __data__?: number }).__data__;
    if (index === undefined) continue;
    rects.set(index, rect);
    indices.set(rect, index);
  }
  const places = new Map(cells.map((cell, i) => [key(map, cell, 0, 0), i]));
  const lined = border.length > 1 ? [lineKey('S∞(θ₀) = 2/η')] : [];
  return {
    map,
    cells,
    svg,
    legend: [...colors.legend.map(([label, color]) => colorKey(label, color)), ...lined],
    indexOf: (target) => (target ? indices.get(target) : undefined),
    rect: (index) => rects.get(index),
    neighbour: (index, dx, dy) => places.get(key(map, cells[index]!, dx, dy)),
    outcomeColor,
  };
}

function key({ x, y }: HeatMap, cell: FacetCell, dx: number, dy: number): string {
  return `${x.places.indexOf(cell.x) + dx}:${y.places.indexOf(cell.y) + dy}:${cell.facet}`;
}

interface Colors {
  readonly legend: readonly (readonly [string, string])[];
  of(cell: FacetCell): string;
}

function outcomes(cells: readonly FacetCell[]): Colors {
  const there = new Set(cells.map(({ value }) => OUTCOMES[value]!));
  return {
    legend: OUTCOMES.filter((outcome) => there.has(outcome)).map((outcome) => [
      outcomeName(outcome),
      outcomeColor(outcome),
    ]),
    of: ({ value }) => outcomeColor(OUTCOMES[value]!),
  };
}

function ramp({ quantity }: HeatMap, cells: readonly FacetCell[]): Colors {
  const known = cells.map(({ value }) => value).filter(Number.isFinite);
  const low = known.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = known.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const log = quantity.log === true && high > 20 * Math.max(low, 1);
  // Zero cycles have a place on the scale all the same: with those of one.
  const from = log ? Math.max(low, 1e-3 * high, low > 0 ? low : 1) : low;
  const to = high > from ? high : from + (Math.abs(from) || 1);
  const color = Plot.scale({
    color: { type: log ? 'log' : 'linear', domain: [from, to], scheme: 'viridis', clamp: true },
  })!;
  const of = (value: number) => String(color.apply(Math.max(value, from)));
  const steps =
    known.length === 0 ? [] : Array.from({ length: RAMP_STEPS }, (_, i) => i / (RAMP_STEPS - 1));
  const legend = steps.map((share, i) => {
    const exact = log ? from * (to / from) ** share : from + (to - from) * share;
    const value = quantity.whole ? Math.round(exact) : exact;
    return [`${i === 0 && low < from ? '≤ ' : ''}${formatNumber(value, 3)}`, of(value)] as const;
  });
  const diverged = cells.some((cell) => cell.diverged)
    ? [['diverged', outcomeColor('diverged')] as const]
    : [];
  const none = cells.some((cell) => !cell.diverged && Number.isNaN(cell.value))
    ? [['not reached', NONE] as const]
    : [];
  return {
    legend: [...legend, ...diverged, ...none],
    of: (cell) =>
      cell.diverged
        ? outcomeColor('diverged')
        : Number.isFinite(cell.value)
          ? of(cell.value)
          : NONE,
  };
}

function axis({ column, log, places }: MapAxis) {
  return {
    type: log ? ('log' as const) : ('linear' as const),
    domain: [places[0]!.from, places.at(-1)!.to],
    label: parameterSymbol(column),
    ticks: 5,
    tickFormat: (value: number) => tickText(value),
  };
}

function colorKey(label: string, color: string): HTMLElement {
  const square = el('span', { class: 'map-swatch' });
  square.style.background = color;
  return el('span', { class: 'key static' }, square, label);
}

function lineKey(label: string): HTMLElement {
  const { element, look } = swatch();
  look('var(--text)', '6 4');
  return el('span', { class: 'key static' }, element, label);
}
