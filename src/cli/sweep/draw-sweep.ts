import { didYouMean } from '../../pipeline/core/suggest.ts';
import { parseNumber } from '../../pipeline/models/minimal/config.ts';
import {
  heatMap,
  QUANTITIES,
  type Quantity,
  type SweepTable,
  type TableParameter,
  variedParameters,
} from '../../pipeline/sweep/heat-map.ts';
import { MAP_PARAMETERS, otherAxis } from '../../pipeline/sweep/map-parameters.ts';
import { UsageError } from '../errors.ts';
import { pickFormats, writeFigure } from '../figures/draw-figures.ts';
import { omittedFacets, sweepFigure, wholeness } from '../figures/sweep-figure.ts';
import { makeFolder } from '../make-folder.ts';
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

/**
 * Draws maps of a sweep, one a quantity; `wrote` is told each file, `warn` what the maps do not
 * show.
 */
export async function drawSweep(
  drawing: SweepDrawing,
  wrote: (path: string) => void,
  warn: (line: string) => void,
): Promise<void> {
  const formats = pickFormats(drawing.formats);
  const summary = await readSummary('sweep', drawing.sweep, (model) =>
    pickQuantities(model, drawing.only).map(({ name }) => name),
  );
  const { table, missing, damaged } = summary;
  const quantities = pickQuantities(table.model, drawing.only);
  const filters = filtersOf(drawing.where, table);
  const varied = variedParameters(table, filters);
  const { x, y, facet } = axes(table, varied, drawing);
  // One after the other: five maps of a large sweep at once would fill the memory.
  const mapOf = (quantity: Quantity) => heatMap(table, { quantity, x, y, facet, filters });
  const [first] = quantities.slice(0, 1).map(mapOf);
  if (first?.facets.every(({ cells }) => cells.length === 0)) {
    throw new UsageError(
      `--where: no run of ${drawing.sweep} is left by ${drawing.where.join(' and ')}`,
    );
  }
  await makeFolder(drawing.out, 'out');
  for (const file of damaged)
    warn(`${file} is damaged and left out; run the sweep again to have it redone`);
  if (missing > 0) warn(`the sweep is not whole: the maps show ${wholeness(table, missing)}`);
  if (first && first.omitted.length > 0) {
    warn(`--facet: not shown are ${omittedFacets(first)}; pick others with --where ${facet}=V,W`);
  }
  for (const quantity of quantities) {
    const map = mapOf(quantity);
    const name = `sweep-${quantity.name.replaceAll('_', '-')}`;
    await writeFigure(name, '', formats, drawing.out, wrote, (theme) =>
      sweepFigure(map, summary, theme),
    );
  }
}

function pickQuantities(model: SweepTable['model'], names: readonly string[]): readonly Quantity[] {
  const all = QUANTITIES[model];
  if (names.length === 0) return all;
  const known = all.map(({ name }) => name);
  return names.map((name) => {
    const quantity = all.find((each) => each.name === name);
    if (quantity) return quantity;
    throw new UsageError(
      `--only: '${name}' is no quantity of a sweep; there are ${known.join(', ')}`,
    );
  });
}

function axes(
  table: SweepTable,
  varied: readonly TableParameter[],
  { x, y, facet, sweep, where }: SweepDrawing,
) {
  const names = varied.map(({ column }) => column);
  const there = where.length === 0 ? sweep : `the runs that --where leaves of ${sweep}`;
  if (names.length === 0)
    throw new UsageError(`--sweep: nothing varies in ${there}; a map needs at least one parameter`);
  for (const [flag, name] of Object.entries({ x, y, facet })) {
    if (name === undefined || names.includes(name)) continue;
    throw new UsageError(
      `--${flag}: '${name}' does not vary in ${there}${didYouMean(name, names)}; what varies ` +
        `is ${names.join(', ')}`,
    );
  }
  const free = names.filter((name) => name !== x && name !== y && name !== facet);
  const across = x ?? free.shift() ?? names[0]!;
  // A sweep over one parameter is a map of one row.
  const up = y ?? free.shift() ?? otherAxis(table, across);
  if (across === up)
    throw new UsageError(`--y: '${up}' is the x axis already; name another parameter`);
  if (facet !== undefined && (facet === across || facet === up)) {
    throw new UsageError(`--facet: '${facet}' is an axis already; name another parameter`);
  }
  return { x: across, y: up, facet: facet ?? null };
}

function filtersOf(
  texts: readonly string[],
  table: SweepTable,
): ReadonlyMap<string, readonly number[]> {
  const filters = new Map<string, readonly number[]>();
  for (const text of texts) {
    const [column, values] = filterOf(text, table);
    if (filters.has(column)) {
      throw new UsageError(
        `--where: ${column} is there twice; give its values in one, such as ${column}=V,W`,
      );
    }
    filters.set(column, values);
  }
  return filters;
}

function filterOf(text: string, table: SweepTable): readonly [string, readonly number[]] {
  const at = text.indexOf('=');
  const column = (at < 0 ? text : text.slice(0, at)).trim();
  const known = MAP_PARAMETERS[table.model].map((each) => each.column);
  if (!known.includes(column)) {
    throw new UsageError(
      `--where: '${column}' is no parameter${didYouMean(column, known)}; write NAME=VALUE, ` +
        'such as eta=0.05',
    );
  }
  if (at < 0)
    throw new UsageError(
      `--where: '${text}' names no value; write NAME=VALUE, such as ${column}=VALUE`,
    );
  const there = [...new Set(table.numbers(column))].filter((value) => !Number.isNaN(value));
  const words = table.words(column);
  const values = text
    .slice(at + 1)
    .split(',')
    .map((item) =>
      words ? storedWord(column, item.trim(), words) : storedValue(column, item.trim(), there),
    );
  return [column, values];
}

/** Which of the words of a column is meant. */
function storedWord(column: string, item: string, words: readonly string[]): number {
  const place = words.indexOf(item);
  if (place >= 0) return place;
  throw new UsageError(
    `--where: no run has ${column} = ${item}${didYouMean(item, words)}; there are ` +
      words.join(', '),
  );
}

/**
 * The value of a run that is meant: the very number, or, of an inner point of a grid, three digits
 * of it or more.
 */
function storedValue(column: string, item: string, there: readonly number[]): number {
  const value = parseNumber(item);
  if (Number.isNaN(value)) throw new UsageError(`--where: '${item}' is not a number`);
  if (there.length === 0) throw new UsageError(`--where: no run has a value of ${column}`);
  const nearest = there.reduce((best, each) =>
    Math.abs(each - value) < Math.abs(best - value) ? each : best,
  );
  if (Math.abs(nearest - value) <= ROUNDING * Math.abs(value)) return nearest;
  const digits = item
    .replace(/e.*$/i, '')
    .replace(/^[+-]?[0.]*/, '')
    .replace('.', '').length;
  const decimal =
    /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(item) && digits >= 3 && digits <= 17;
  if (decimal && Number(nearest.toPrecision(digits)) === value) return nearest;
  throw new UsageError(`--where: no run has ${column} = ${item}; the nearest is ${nearest}`);
}

/** Points of a range are rounded to 12 digits, fractions to those of a float64. */
const ROUNDING = 1e-11;
