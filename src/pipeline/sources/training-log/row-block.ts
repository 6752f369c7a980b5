import type { Tally } from './log-error.ts';

/**
 * What a row may say. The epoch tells steps that start over in each from those of a second run;
 * what comes behind it tells more of the measurement.
 */
export const ROW_FIELDS = [
  'step',
  'loss',
  'sharpness',
  'eta',
  'epoch',
  'sharpness_error',
  'batch_sharpness',
  'batch_sharpness_error',
  'l1',
  'l1_leading',
  'edge_directions',
  'threshold',
] as const;
export type RowField = (typeof ROW_FIELDS)[number];

/** Place of each field in the values of a row. */
export const AT = Object.fromEntries(ROW_FIELDS.map((field, i) => [field, i])) as Readonly<
  Record<RowField, number>
>;

/** Fields that only qualify another: a column is never taken as one of them and the other. */
export const QUALIFIES: Readonly<Partial<Record<RowField, RowField>>> = {
  epoch: 'step',
  batch_sharpness: 'sharpness',
};

/** The values of a row, in the order of `ROW_FIELDS`; NaN where there is none. */
export type RowValues = ArrayLike<number>;

/**
 * Rows as they stand in a log, before order is brought into them. NaN is a value that is missing; a
 * loss of Infinity is one that is there but not finite (the words NaN and Infinity alike).
 */
export interface RowBlock {
  length: number;
  /** Line of each row in the log, from 1. */
  readonly line: Float64Array;
  /** A column for each of `ROW_FIELDS`. */
  readonly columns: readonly Float64Array[];
}

export function emptyBlock(capacity: number): RowBlock {
  return {
    length: 0,
    line: new Float64Array(capacity),
    columns: ROW_FIELDS.map(() => new Float64Array(capacity)),
  };
}

/** The rows from `from` to `to`, in the same memory. */
export function partOf({ line, columns }: RowBlock, from: number, to: number): RowBlock {
  return {
    length: to - from,
    line: line.subarray(from, to),
    columns: columns.map((column) => column.subarray(from, to)),
  };
}

/** Takes in rows one by one, in the order of the log. */
export interface RowTaker {
  /** @param values used again for the next row */
  row(line: number, values: RowValues): void;
}

/** Hands on the values of a row; a row that says nothing is counted. */
export function giveRow(
  rows: RowTaker,
  tally: Pick<Tally, 'add'>,
  line: number,
  values: RowValues,
): boolean {
  if ([AT.loss, AT.sharpness, AT.eta].every((field) => Number.isNaN(values[field]))) {
    tally.add('no loss and no sharpness', line);
    return false;
  }
  rows.row(line, values);
  return true;
}

/**
 * What a reader makes of a value that was looked up: undefined, and counted, where the row cannot
 * be used with it; NaN, and counted, where it can be used without.
 *
 * @param value undefined where it is there, but is no number
 */
export function fieldValue(
  value: number | undefined,
  field: number,
  tally: Pick<Tally, 'add' | 'value'>,
  line: number,
): number | undefined {
  if (value !== undefined) return value;
  // That column is held against ours alone, and may hold a formula.
  if (field === AT.threshold) return Number.NaN;
  const reason = `${ROW_FIELDS[field]} is not a number`;
  if (field <= AT.epoch) {
    tally.add(reason, line);
    return undefined;
  }
  tally.value(reason, line);
  return Number.NaN;
}
