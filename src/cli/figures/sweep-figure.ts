import type { Look } from '../../dash/plots/draw.ts';
import { borderLabel, isLined, mapColors, sweepMap } from '../../dash/plots/sweep-map.ts';
import type { Theme } from '../../dash/plots/theme.ts';
import { count, formatNumber } from '../../pipeline/format.ts';
import {
  type Cell,
  type HeatMap,
  parameterSymbol,
  type SweepTable,
} from '../../pipeline/sweep/heat-map.ts';
import type { Figure, LegendItem } from './figure.ts';
import { glued } from './words.ts';

/**
 * A map of a sweep as a figure: a panel for each facet, and the line where the edge of stability
 * begins.
 * @param missing runs that the sweep has beyond those of the table
 */
export function sweepFigure(
  map: HeatMap,
  { table, missing }: { readonly table: SweepTable; readonly missing: number },
  theme: Theme,
): Figure {
  const { legend, ramp } = mapColors(map, theme);
  const lined = isLined(map);
  const cells = map.facets.flatMap((facet) => facet.cells);
  return {
    title: map.quantity.title,
    caption: caption(map, cells, table, missing, lined),
    panels: [
      {
        title: map.quantity.label,
        legend: [
          ...(ramp
            ? [
                {
                  label: ramp.ticks.map(({ label }) => label).join(' … '),
                  color: ramp.colors[0]!,
                  colors: ramp.colors,
                  kind: 'area',
                } as const,
              ]
            : []),
          ...legend.map((key): LegendItem => ({ ...key, kind: 'area' })),
          ...(lined
            ? [{ label: borderLabel(map), color: theme.text, kind: 'line', dash: '6 4' } as const]
            : []),
        ],
        draw: (look: Look) => sweepMap(map, look).svg,
      },
    ],
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
    most === 1 ? '' : ` A cell is parted by what its runs have, in shares of up to ${most} runs.`;
  const theory = lined
    ? ` Where η is below the dashed line, S∞(θ₀) < ${map.threshold}: gradient flow from the ` +
      'start ends where gradient descent is stable, and there is no edge of stability.'
    : '';
  const steps = table.numbers('steps');
  const longest = steps.reduce((a, b) => Math.max(a, b), 0);
  const partial =
    missing === 0 ? '' : ` The sweep is not whole: ${wholeness(table, missing)} are there.`;
  const omitted = map.omitted.length === 0 ? '' : ` Not shown: ${omittedFacets(map)}.`;
  return glued(
    `${count(runs)} ${runs === 1 ? 'run' : 'runs'} of up to ${count(longest)} steps over ` +
      `${axes}.${partial}${omitted}${several}${theory}`,
  );
}

/** How much of a sweep is there: 4 of 50 runs. */
export function wholeness({ length }: SweepTable, missing: number): string {
  return `${count(length)} of ${count(length + missing)} runs`;
}

const MOST_NAMED = 6;

/** The facets that a map leaves out: λ₁ = 20, 30, 40 and 12 more. */
export function omittedFacets({ facet, facetWords, omitted }: HeatMap): string {
  const named = omitted
    .slice(0, MOST_NAMED)
    .map((value) => facetWords?.[value] ?? formatNumber(value, 4))
    .join(', ');
  const rest = omitted.length - MOST_NAMED;
  return `${parameterSymbol(facet!)} = ${named}${rest > 0 ? ` and ${rest} more` : ''}`;
}
