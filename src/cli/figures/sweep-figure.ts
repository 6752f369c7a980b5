import type { RenderFunction } from '@observablehq/plot';
import type { Cell, HeatMap, MapAxis, Place, SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { parameterSymbol } from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import type { Figure, LegendItem, Panel, PlotModule } from './figure.ts';
import type { Theme } from './theme.ts';
import { glued, plain } from './words.ts';

const RAMP_STEPS = 4;

/**
 * A map of a sweep as a figure: a panel for each facet, and the line where the edge of stability begins.
 * @param missing runs that the sweep has beyond those of the table
 */
export function sweepFigure(
  map: HeatMap,
  { table, missing }: { readonly table: SweepTable; readonly missing: number },
  theme: Theme,
  plot: PlotModule,
): Figure {
  const cells = map.facets.flatMap((facet) => facet.cells);
  const colors =
    map.quantity.name === 'outcome'
      ? outcomeColors(cells, theme)
      : rampColors(map, cells, theme, plot);
  const line: LegendItem = {
    label: 'S∞(θ₀) = 2/η',
    color: theme.text,
    kind: 'line',
    dash: '6 4',
    width: 2,
  };
  const lined = map.facets.some(({ border }) => border.length > 1);
  const panels = map.facets.map((facet, i): Panel => {
    const legend = i === 0 ? [...colors.legend, ...(lined ? [line] : [])] : [];
    return {
      title:
        facet.value === null
          ? map.quantity.label
          : `${parameterSymbol(map.facet!)} = ${plain(facet.value)}`,
      legend,
      options: {
        x: scale(map.x),
        y: scale(map.y),
        marks: [
          tiles(facet.cells, (cell) => (cell.diverged ? theme.muted : colors.of(cell.value))),
          plot.line(facet.border, {
            x: 'x',
            y: 'y',
            stroke: theme.background,
            strokeWidth: 5,
            strokeOpacity: 0.7,
            clip: true,
          }),
          plot.line(facet.border, {
            x: 'x',
            y: 'y',
            stroke: theme.text,
            strokeWidth: 2,
            strokeDasharray: '6 4',
            clip: true,
          }),
        ],
      },
    };
  });
  return { title: map.quantity.title, caption: caption(map, cells, table, missing, lined), panels };
}

/** Cells as one path a colour: an element for each of some ten thousand would take most of a gigabyte. */
function tiles(cells: readonly Cell[], colorOf: (cell: Cell) => string): RenderFunction {
  return (_index, { x, y }, _values, _dimensions, context) => {
    const paths = new Map<string, string>();
    const at = (position: number) => String(Math.round(100 * position) / 100);
    for (const { row, from, to, color } of stripes(cells, colorOf)) {
      const outline = `M${at(x!(from))},${at(y!(row.to))}H${at(x!(to))}V${at(y!(row.from))}H${at(x!(from))}Z`;
      paths.set(color, (paths.get(color) ?? '') + outline);
    }
    const group = context.document.createElementNS(SVG, 'g');
    group.setAttribute('shape-rendering', 'crispEdges');
    for (const [color, outline] of paths) {
      const path = context.document.createElementNS(SVG, 'path');
      path.setAttribute('fill', color);
      path.setAttribute('d', outline);
      group.append(path);
    }
    return group;
  };
}

interface Stripe {
  readonly row: Place;
  readonly from: number;
  readonly to: number;
  readonly color: string;
}

/** Neighbours along x that have the same colour, as one. */
function stripes(cells: readonly Cell[], colorOf: (cell: Cell) => string): Stripe[] {
  const sorted = [...cells].sort((a, b) => a.y.from - b.y.from || a.x.from - b.x.from);
  const found: Stripe[] = [];
  for (const cell of sorted) {
    const color = colorOf(cell);
    const last = found.at(-1);
    if (last?.row === cell.y && last.color === color && last.to === cell.x.from) {
      found[found.length - 1] = { ...last, to: cell.x.to };
    } else found.push({ row: cell.y, from: cell.x.from, to: cell.x.to, color });
  }
  return found;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Names of outcomes in words, with what they mean. */
const OUTCOME_WORDS = ['gradient flow', 'edge of stability', 'converged', 'diverged'];

interface Colors {
  readonly legend: readonly LegendItem[];
  of(value: number): string;
}

function outcomeColors(cells: readonly Cell[], theme: Theme): Colors {
  const hues = [theme.blue, theme.orange, theme.green, theme.muted];
  const there = new Set(cells.map(({ value }) => value));
  return {
    legend: OUTCOMES.flatMap((_, i) =>
      there.has(i) ? [{ label: OUTCOME_WORDS[i]!, color: hues[i]!, kind: 'area' } as const] : [],
    ),
    of: (value) => hues[value]!,
  };
}

/** A ramp that people with any common colour blindness read, from low to high; no value is grey. */
function rampColors(
  { quantity }: HeatMap,
  cells: readonly Cell[],
  theme: Theme,
  plot: PlotModule,
): Colors {
  const known = cells.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = [
    known.reduce((a, b) => Math.min(a, b), Infinity),
    known.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  const log = quantity.log === true && high > 20 * Math.max(low, 1);
  // Zero cycles have a place on the scale all the same: with those of one.
  const from = log ? Math.max(low, 1e-3 * high, low > 0 ? low : 1) : low;
  const to = high > from ? high : from + (Math.abs(from) || 1);
  const color = plot.scale({
    color: { type: log ? 'log' : 'linear', domain: [from, to], scheme: 'viridis', clamp: true },
  })!;
  const of = (value: number) =>
    Number.isFinite(value) ? String(color.apply(Math.max(value, from))) : theme.grid;
  const steps = Array.from({ length: RAMP_STEPS }, (_, i) => {
    const share = i / (RAMP_STEPS - 1);
    const value = log ? from * (to / from) ** share : from + (to - from) * share;
    return quantity.whole ? Math.round(value) : value;
  });
  const legend: LegendItem[] =
    known.length === 0
      ? []
      : [...new Set(steps)].map((value, i) => ({
          label: `${i === 0 && low < from ? '≤\u00a0' : ''}${plain(value)}`,
          color: of(value),
          kind: 'area',
        }));
  if (cells.some(({ diverged }) => diverged))
    legend.push({ label: 'diverged', color: theme.muted, kind: 'area' });
  if (cells.some(({ value, diverged }) => Number.isNaN(value) && !diverged))
    legend.push({ label: 'not reached', color: theme.grid, kind: 'area' });
  return { legend, of };
}

function scale({ column, log, places }: MapAxis) {
  return {
    type: log ? ('log' as const) : ('linear' as const),
    domain: [places[0]!.from, places.at(-1)!.to],
    label: parameterSymbol(column),
    ...(log ? { ticks: 4, tickFormat: plain } : { tickFormat: plain }),
  };
}

function caption(
  map: HeatMap,
  cells: readonly Cell[],
  table: SweepTable,
  missing: number,
  lined: boolean,
): string {
  const runs = cells.reduce((sum, cell) => sum + cell.runs, 0);
  const most = cells.reduce((least, cell) => Math.max(least, cell.runs), 0);
  const axes = `${parameterSymbol(map.x.column)} and ${parameterSymbol(map.y.column)}`;
  const several =
    most === 1
      ? ''
      : map.quantity.name === 'outcome'
        ? ` Each cell shows the most frequent of up to ${most} runs.`
        : ` Each cell shows the median of up to ${most} runs.`;
  const theory = lined
    ? ' Where η is below the dashed line, S∞(θ₀) < 2/η: gradient flow from the start ends where gradient descent is stable, and there is no edge of stability.'
    : '';
  const steps = table.numbers('steps');
  const longest = steps.reduce((a, b) => Math.max(a, b), 0);
  const partial =
    missing === 0 ? '' : ` The sweep is not whole: ${wholeness(table, missing)} are there.`;
  const omitted = map.omitted.length === 0 ? '' : ` Not shown: ${omittedFacets(map)}.`;
  return glued(
    `${runs.toLocaleString('en-US')} ${runs === 1 ? 'run' : 'runs'} of up to ${longest.toLocaleString('en-US')} steps over ${axes}.${partial}${omitted}${several}${theory}`,
  );
}

/** How much of a sweep is there: 4 of 50 runs. */
export function wholeness({ length }: SweepTable, missing: number): string {
  return `${length.toLocaleString('en-US')} of ${(length + missing).toLocaleString('en-US')} runs`;
}

const MOST_NAMED = 6;

/** The facets that a map leaves out: λ₁ = 20, 30, 40 and 12 more. */
export function omittedFacets({ facet, omitted }: HeatMap): string {
  const named = omitted.slice(0, MOST_NAMED).map(plain).join(', ');
  const rest = omitted.length - MOST_NAMED;
  return `${parameterSymbol(facet!)} = ${named}${rest > 0 ? ` and ${rest} more` : ''}`;
}
