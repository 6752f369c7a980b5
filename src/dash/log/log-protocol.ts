import type { RowField } from '../../pipeline/sources/training-log/row-block.ts';

/** What was typed in of a log; a text that is empty leaves it to the log. */
export type LogSaid = Readonly<
  Record<'eta' | 'optimizer' | 'momentum' | 'step' | 'loss' | 'sharpness', string>
>;

/** What came out of a log. */
export interface Detected {
  /** The file of `eos detect`. */
  readonly bytes: ArrayBuffer;
  readonly format: string;
  readonly optimizer: string;
  /** The one learning rate; null where it is a schedule, a column or unknown. */
  readonly eta: number | null;
  /** Which column was taken as what. */
  readonly taken: Readonly<Partial<Record<RowField, string>>>;
  /** What was left out, a line each. */
  readonly skipped: readonly string[];
}

export interface LogApi {
  /** @throws RunFileError whose message says where the log cannot be used */
  detect(log: File, said: LogSaid): Promise<Detected>;
}

export const LOG_METHODS = ['detect'] as const;
