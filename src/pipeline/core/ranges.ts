// What a value must be, without a word about it: all that a page needs that starts a run. What
// parameters mean, and the messages about values that cannot be, stand with their tables.

/** Limits of a number, in the words of JSON Schema. */
export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** What a parameter may be. */
export type Range =
  | (NumberRange & { readonly type: 'number' | 'integer'; readonly default?: number | null })
  | { readonly type: 'numbers'; readonly count: number; readonly default?: undefined }
  | { readonly type: 'word'; readonly words: readonly string[]; readonly default: string | null };

/** Whether a number lies within the limits of its parameter. */
export function isInRange(
  {
    type,
    minimum = -Infinity,
    maximum = Infinity,
    exclusiveMinimum = -Infinity,
    exclusiveMaximum = Infinity,
  }: NumberRange & { readonly type: 'number' | 'integer' },
  value: unknown,
): value is number {
  return (
    typeof value === 'number' &&
    (type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value >= minimum &&
    value <= maximum &&
    value > exclusiveMinimum &&
    value < exclusiveMaximum
  );
}

/** Whether a value will do as it is, with nothing to be read from a text. */
function fits(range: Range, value: unknown): boolean {
  if (range.type === 'word') return range.words.includes(value as string);
  if (range.type !== 'numbers') return isInRange(range, value);
  return Array.isArray(value) && value.length === range.count && value.every(Number.isFinite);
}

/**
 * Values of a table where all that is given will do as it is: what is given, else what `base` says,
 * else the default. Undefined where anything is unknown, missing, or has to be read or refused.
 */
export function plainValues(
  table: Readonly<Record<string, Range>>,
  given: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>>,
): Record<string, unknown> | undefined {
  for (const key in given) if (!Object.hasOwn(table, key)) return undefined;
  const values: Record<string, unknown> = {};
  for (const name in table) {
    const range = table[name]!;
    const value = given[name] ?? base[name] ?? range.default;
    if (value === undefined || (value !== range.default && !fits(range, value))) return undefined;
    values[name] = Array.isArray(value) ? [...value] : value;
  }
  return values;
}
