/**
 * A value that is there but not finite, as a word (NaN, inf, Infinity) or beyond the range of a
 * double.
 */
export const NOT_FINITE = Number.POSITIVE_INFINITY;

const MISSING = new Set(['', 'null', 'none', 'na', 'n/a', '-', '—', 'nil', 'undefined', '""']);
// No digit can be taken by two parts of a pattern: what is not a number is then found out in one
// go, however long it is.
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const COMMA_NUMBER = /^[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?$/i;
const THOUSANDS = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/;
const LIST = /^[[(].*[\])]$/s;
const WORD = /^[+-]?(nan|inf|infinity)$/i;

/**
 * Number in a text cell: NaN where it says that there is none, `NOT_FINITE` for the words,
 * undefined where it is something else.
 */
export function parseCell(text: string, decimalComma: boolean): number | undefined {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) return finiteOrNot(Number(trimmed));
  if (MISSING.has(trimmed.toLowerCase())) return Number.NaN;
  if (WORD.test(trimmed)) return NOT_FINITE;
  if (THOUSANDS.test(trimmed) && (!decimalComma || trimmed.includes('.')))
    return finiteOrNot(Number(trimmed.replaceAll(',', '')));
  if (LIST.test(trimmed))
    return largest(
      trimmed
        .slice(1, -1)
        .split(/[\s,;]+/)
        .filter(Boolean),
    );
  if (decimalComma && COMMA_NUMBER.test(trimmed))
    return finiteOrNot(Number(trimmed.replace(',', '.')));
  return undefined;
}

/**
 * Characters of the longest number that a table may hold as text; its words may be shared by a
 * million rows.
 */
const LONGEST = 1000;

/** Number of a parsed value of JSON, Parquet or Arrow, in the same terms; of a list its largest. */
export function parseValue(value: unknown): number | undefined {
  if (value === null || value === undefined) return Number.NaN;
  if (typeof value === 'number') return finiteOrNot(value);
  if (typeof value === 'string')
    return value.length > LONGEST ? undefined : parseCell(value, false);
  if (typeof value === 'bigint') return finiteOrNot(Number(value));
  if (Array.isArray(value) || ArrayBuffer.isView(value) || isIterableObject(value))
    return largest(value as Iterable<unknown>);
  return undefined;
}

/** Largest number of a list; NaN for an empty one or one of nothing but missing values. */
function largest(values: Iterable<unknown>): number | undefined {
  let most = Number.NaN;
  for (const value of values) {
    const number = typeof value === 'object' && value !== null ? undefined : parseValue(value);
    if (number === undefined) return undefined;
    if (!(number <= most)) most = Number.isNaN(number) ? most : number;
  }
  return most;
}

function isIterableObject(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function finiteOrNot(value: number): number {
  return Number.isFinite(value) ? value : NOT_FINITE;
}
