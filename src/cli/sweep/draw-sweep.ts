import { parseNumber } from '../../pipeline/config.ts';
import {
  heatMap,
  QUANTITIES,
  type Quantity,
  type SweepTable,
  type TableParameter,
  variedParameters,
} from '../../pipeline/sweep/heat-map.ts';
import { SWEEP_PARAMETER_NAMES } from '../../pipeline/sweep/parameters.ts';
import { columnName } from '../../pipeline/sweep/sweep-columns.ts';
import { UsageError } from '../errors.ts';
import { makeFolder, pickFormats, writeFigure } from '../figures/draw-figures.ts';
import { sweepFigure } from '../figures/sweep-figure.ts';
import { didYouMean } from '../suggest.ts';
import { readSummary } from './read-summary.ts';

export interface SweepDrawing {
  readonly sweep: string;
  readonly x: string | undefined;
  readonly y: string | undefined;
  readonly facet: string | undefined;
  readonly where: readonly string[];
  readonly only: readonly string[];
  readonly formats: readonly string[];
  readonly out: string;
}

/** Draws maps of a sweep, one a quantity; `wrote` is told each file. */
export async function drawSweep(drawing: SweepDrawing, wrote: (path: string) => void): Promise<void> {
  const formats = pickFormats(drawing.formats);
  const quantities = pickQuantities(drawing.only);
  const table = await readSummary('sweep', drawing.sweep, [
    ...SWEEP_PARAMETER_NAMES.map(columnName),
    'outcome',
    'start_gfs_ratio',
    ...quantities.map(({ name }) => name).filter((name) => name !== 'outcome'),
  ]);
  const varied = variedParameters(table);
  const { x, y, facet } = axes(varied, drawing);
  const filters = new Map(drawing.where.map((text) => filterOf(text, table)));
  const maps = quantities.map((quantity) => heatMap(table, { quantity, x, y, facet, filters }));
  if (maps.some(({ facets }) => facets.every(({ cells }) => cells.length === 0))) {
    throw new UsageError(`--where: no run of ${drawing.sweep} is left by ${drawing.where.join(' and ')}`);
  }
  await makeFolder(drawing.out);
  const plot = await import('@observablehq/plot');
  for (const map of maps) {
    const name = `sweep-${map.quantity.name.replaceAll('_', '-')}`;
    await writeFigure(name, '', formats, drawing.out, plot, wrote, (theme) => sweepFigure(map, table, theme, plot));
  }
}

function pickQuantities(names: readonly string[]): readonly Quantity[] {
  if (names.length === 0) return QUANTITIES;
  const known = QUANTITIES.map(({ name }) => name);
  return names.map((name) => {
    const quantity = QUANTITIES.find((each) => each.name === name);
    if (quantity) return quantity;
    throw new UsageError(`--only: '${name}' is no quantity of a sweep; there are ${known.join(', ')}`);
  });
}

function axes(varied: readonly TableParameter[], { x, y, facet, sweep }: SweepDrawing) {
  const names = varied.map(({ column }) => column);
  if (names.length === 0)
    throw new UsageError(`--sweep: nothing varies in ${sweep}; a map needs at least one parameter`);
  for (const [flag, name] of Object.entries({ x, y, facet })) {
    if (name === undefined || names.includes(name)) continue;
    throw new UsageError(
      `--${flag}: '${name}' does not vary in ${sweep}${didYouMean(name, names)}; what varies is ${names.join(', ')}`,
    );
  }
  const free = names.filter((name) => name !== x && name !== y && name !== facet);
  const across = x ?? free.shift() ?? names[0]!;
  // A sweep over one parameter is a map of one row.
  const up = y ?? free.shift() ?? columnName(across === 'lambda2' ? 'eta' : 'lambda2');
  if (across === up) throw new UsageError(`--y: '${up}' is the x axis already; name another parameter`);
  if (facet !== undefined && (facet === across || facet === up)) {
    throw new UsageError(`--facet: '${facet}' is an axis already; name another parameter`);
  }
  return { x: across, y: up, facet: facet ?? null };
}

function filterOf(text: string, table: SweepTable): [string, number[]] {
  const [column, list] = text.split('=', 2) as [string, string | undefined];
  const known = SWEEP_PARAMETER_NAMES.map(columnName);
  if (!known.includes(column) || list === undefined) {
    throw new UsageError(
      `--where: '${text}' is not NAME=VALUE with a parameter such as eta${didYouMean(column, known)}`,
    );
  }
  const numbers = table.numbers(column);
  const values = list.split(',').map((item) => {
    const value = parseNumber(item.trim());
    if (Number.isNaN(value)) throw new UsageError(`--where: '${item}' is not a number`);
    // The nearest value there is: nobody types all digits of a grid's inner points.
    return numbers.reduce((best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best), numbers[0]!);
  });
  return [column, values];
}
