import type { Points } from '../../pipeline/formats/envelope.ts';
import type { FileOrigin, FileState } from './bytes.ts';
import type { TableColumn } from './table.ts';

/** What is known of a run file before any column is read. */
export interface TableInfo {
  readonly rows: number;
  readonly bytes: number;
  readonly groups: number;
  readonly columns: readonly TableColumn[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly firstStep: number;
  readonly lastStep: number;
}

/** Consecutive steps with the same word in a text column. */
export interface Interval {
  readonly word: string;
  readonly first: number;
  readonly last: number;
}

/** A file that has grown, with the stretches of its column `phase`. */
export interface GrownTable extends TableInfo {
  readonly phases: readonly Interval[];
}

/** One cycle at the edge: from an upward crossing of 2/η to the row before the next. */
export interface Cycle {
  readonly cycle: number;
  readonly first: number;
  readonly last: number;
  /** NaN where the file has no such column. */
  readonly peakL1: number;
  readonly peakRatio: number;
}

/** A path through the plane of two columns, thinned to what a drawing can tell apart. */
export interface Path extends Points {
  readonly step: Float64Array;
  /** Index into `words` at each point; all 0 without a text column. */
  readonly code: Uint16Array;
  readonly words: readonly string[];
}

/** What the rows of a selection have of a column; NaN where none has a number. */
export interface ColumnStatistics {
  readonly mean: number;
  readonly meanSquare: number;
  /** Slope of the logarithm of its positive values, a step, by least squares. */
  readonly logSlope: number;
}

export interface Statistics {
  /** Rows in the selection. */
  readonly rows: number;
  /** By name, of those that are there. */
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
}

/** A value of a column, and the step at which it is. */
export interface Anchor {
  readonly step: number;
  readonly value: number;
}

/** Some rows, in their order: `values` by column. */
export interface SampledRows {
  readonly step: Float64Array;
  readonly values: readonly Float64Array[];
  /** Rows from one to the next. */
  readonly every: number;
}

/** A column of the whole file; without words its values are numbers. */
export interface WholeColumn {
  readonly values: Float64Array | Uint16Array;
  readonly words: readonly string[];
}

/** One row of the file. */
export interface Row {
  readonly step: number;
  readonly values: Readonly<Record<string, number | string>>;
}

/** What the page asks of the worker that holds a run. */
export interface TableApi {
  open(origin: FileOrigin): Promise<TableInfo>;
  /**
   * The file as it is now, or in the state that is known to be the newest; undefined where it has
   * not changed.
   */
  refresh(known?: FileState): Promise<GrownTable | undefined>;
  /** One line a column: every extreme of [from, to] at `width` pixel columns. */
  lines(
    columns: readonly string[],
    from: number,
    to: number,
    width: number,
  ): Promise<readonly Points[]>;
  /** The row at `step`, or the nearest one. */
  row(step: number, columns: readonly string[]): Promise<Row | undefined>;
  /**
   * A value of each column at a step or soon after it: the row itself, or where that would have to
   * be read from a large file, what the file keeps of its rows. Where the edge of stability begins
   * by the column of phases, else where the file does, can be asked for without knowing the step.
   */
  near(at: number | 'edge', columns: readonly string[]): Promise<Readonly<Record<string, Anchor>>>;
  intervals(column: string): Promise<readonly Interval[]>;
  /** All, or the first `most` and one more where there are more. */
  cycles(most?: number): Promise<readonly Cycle[]>;
  path(x: string, y: string, text: string | undefined, from: number, to: number): Promise<Path>;
  /** All of a column: numbers, or codes of its words. */
  column(name: string): Promise<WholeColumn>;
  /** The last row's number and the largest of a column. */
  extremes(column: string): Promise<{ readonly last: number; readonly max: number }>;
  /** Undefined where there are too many rows to read. */
  statistics(columns: readonly string[], from: number, to: number): Promise<Statistics | undefined>;
  /** At most so many rows, for what is computed from them. */
  rows(columns: readonly string[], from: number, to: number, most: number): Promise<SampledRows>;
  csv(columns: readonly string[], from: number, to: number): Promise<Blob>;
}

export type Method = keyof TableApi;

/** Page → worker. */
export type Call =
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly ping: number };

/** Worker → page. */
export type Reply =
  | { readonly pong: number }
  | { readonly bytes: number }
  /** Told without being asked. */
  | { readonly status: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  /** The file takes the larger of the two workers. */
  | { readonly id: number; readonly other: true };
