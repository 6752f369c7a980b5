import type { Tally } from './log-error.ts';

/**
 * Rows as they stand in a log, before order is brought into them. NaN is a value that is missing; a loss of Infinity is
 * one that is there but not finite (the words NaN and Infinity alike).
 */
export interface RowBlock {
  length: number;
  /** Line of each row in the log, from 1. */
  readonly line: Float64Array;
  readonly step: Float64Array;
  readonly loss: Float64Array;
  readonly sharpness: Float64Array;
  readonly eta: Float64Array;
}

/** Fields of a row; the epoch tells steps that start over in each from those of a second run. */
export const ROW_FIELDS = ['step', 'loss', 'sharpness', 'eta', 'epoch'] as const;
export type RowField = (typeof ROW_FIELDS)[number];

/** Takes in rows one by one, in the order of the log. */
export interface RowTaker {
  row(
    line: number,
    step: number,
    loss: number,
    sharpness: number,
    eta: number,
    epoch?: number,
  ): void;
}

/** Hands on the values of a row, in the order of `ROW_FIELDS`; a row that says nothing is counted. */
export function giveRow(
  rows: RowTaker,
  tally: Pick<Tally, 'add'>,
  line: number,
  values: ArrayLike<number>,
): boolean {
  const [step, loss, sharpness, eta] = [values[0]!, values[1]!, values[2]!, values[3]!];
  if (Number.isNaN(loss) && Number.isNaN(sharpness) && Number.isNaN(eta)) {
    tally.add('no loss and no sharpness', line);
    return false;
  }
  rows.row(line, step, loss, sharpness, eta, values[4]!);
  return true;
}
