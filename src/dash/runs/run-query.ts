import { formatNumber } from '../../pipeline/format.ts';
import { doubtOf, KEY_FIGURES, type KnownRun } from './key-figures.ts';

/** A cell: what it shows, and by what it is sorted. */
export interface CellText {
  readonly text: string;
  readonly sort: number | string;
}

/** What is known of a run, by the names of the table's columns. */
export type Cells = ReadonlyMap<string, CellText>;

/** Numbers of a run that tell it from others, besides its parameters. */
export const NUMBERS: readonly string[] = ['cycles', 'max-ratio', 'convergence', 'final-loss'];

/** Parameters stand behind `=`, numbers of the summary behind `#`, each with its own name. */
export const columnTitle = (key: string): string =>
  KEY_FIGURES.find((figure) => figure.key === key)?.title ?? key.slice(1);

/** Cells of runs that do not change any more. */
const settled = new WeakMap<KnownRun, Cells>();

/** The cells of a run, with as many digits as a table has room for. */
export function tableCells(run: KnownRun): Cells {
  const found = settled.get(run) ?? cellsOf(run, (value) => formatNumber(value, 5));
  if (!run.writing) settled.set(run, found);
  return found;
}

export function cellsOf(run: KnownRun, write: (value: number) => string): Cells {
  const figures = KEY_FIGURES.filter(({ key }) => key === 'outcome' || NUMBERS.includes(key));
  const cell = (value: number | string): CellText => ({
    text: typeof value === 'number' ? write(value) : value,
    sort: value,
  });
  return new Map<string, CellText>([
    ...figures.flatMap((figure) => {
      const value = figure.read(run, {});
      // What rests on rows whose digits are not true is marked as in the tiles, in one sign.
      const mark = value && doubtOf(figure, run) ? ' ⁇' : '';
      return value
        ? [[figure.key, { text: value.text + mark, sort: value.exact ?? value.text }] as const]
        : [];
    }),
    ...Object.entries(run.facts.parameters).map(
      ([key, value]) => [`=${key}`, cell(value)] as const,
    ),
    ...Object.entries(run.facts.numbers).map(([key, value]) => [`#${key}`, cell(value)] as const),
  ]);
}

const COMPARISON = /^([^<>=]+)(<=|>=|=|<|>)(.*)$/;

/**
 * Whether a run is among those that a query asks for: each of its words stands in the row, or where
 * it compares a column (`eta>=0.05`, `outcome=converged`) holds of it.
 */
export function matches(query: string, name: string, cells: Cells): boolean {
  const text = [name, ...[...cells.values()].map((cell) => cell.text)].join(' ').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => {
      const [, key = '', sign = '', value = ''] = COMPARISON.exec(word) ?? [];
      const cell = key && [...cells].find(([column]) => isNamed(column, key))?.[1];
      return cell ? holds(cell, sign, value) : text.includes(word);
    });
}

const isNamed = (column: string, key: string): boolean =>
  column === key || column.slice(1).toLowerCase() === key;

function holds({ text, sort }: CellText, sign: string, value: string): boolean {
  const number = value === '' ? Number.NaN : Number(value);
  if (sign === '=') return text.toLowerCase() === value || (sort === number && value !== '');
  if (typeof sort !== 'number' || Number.isNaN(number)) return false;
  if (sign === '<') return sort < number;
  if (sign === '>') return sort > number;
  return sign === '<=' ? sort <= number : sort >= number;
}
