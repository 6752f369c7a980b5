import type { Outline, WordRuns } from '../../pipeline/formats/parquet/chunk-outline.ts';

/** What a column of a run file holds, as far as the page is concerned. */
export interface TableColumn {
  readonly name: string;
  readonly kind: 'number' | 'string';
}

/**
 * A block of consecutive rows that is read at once: a Parquet row group or an Arrow record batch.
 */
export interface TableGroup {
  readonly start: number;
  readonly rows: number;
  /**
   * Changes where the bytes of the group may have changed; equal keys mean that cached values still
   * hold.
   */
  readonly key: string;
  /** First and last step, where the file's statistics tell them without a read. */
  readonly steps?: readonly [number, number];
  /** Extremes of blocks of its rows, and where its words change, where the file keeps them. */
  outline?(column: string): Outline | undefined;
  runs?(column: string): WordRuns | undefined;
}

/**
 * Values of one column in one group: numbers (NaN for null), or codes into the source's
 * `words(column)`.
 */
export type ColumnValues = Float64Array | Uint16Array;

/** What is known of a file when it is opened again because it has grown. */
export interface FileMark {
  readonly kind: 'parquet' | 'arrow';
  /** First byte of its last group, which a writer writes anew; what stands before stays. */
  readonly last: number;
  /** Bytes of the footer. */
  readonly footer: number;
  /** What makes codes of its words. */
  readonly coders: ReadonlyMap<string, WordCoder>;
}

/**
 * A run file, opened: everything but the values, which are read column by column and group by
 * group.
 */
export interface TableSource {
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly TableColumn[];
  readonly groups: readonly TableGroup[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent where it is no file. */
  readonly mark?: FileMark;
  /** Words of a string column that the codes read so far stand for. */
  words(column: string): readonly string[];
  read(column: string, group: number): Promise<ColumnValues>;
}

/** A file that the page refuses, with a message for people. */
export class RunFileError extends Error {
  override readonly name = 'RunFileError';
}

/**
 * The file is no longer as it was when it was opened: what has been read of it does not belong
 * together.
 */
export class ChangedFileError extends Error {
  override readonly name = 'ChangedFileError';
}

/** Nothing is wrong with the file, but the reader that was asked is too small for it. */
export class OtherReaderError extends Error {
  override readonly name = 'OtherReaderError';
}

/** More rows than this are refused: one column of them takes 160 MB. */
export const MAX_ROWS = 20_000_000;
/** Strings of a file are cut to this many characters wherever the page keeps them. */
export const MAX_STRING = 200;
/** Different words that a string column may hold. */
const MAX_WORDS = 4096;

export interface WordCoder {
  readonly words: readonly string[];
  code(word: string): number;
}

/** Turns strings into small codes, the same code for the same word in every group of a column. */
export function wordCoder(): WordCoder {
  const words: string[] = [];
  const codes = new Map<string, number>();
  let lastWord: string | undefined;
  let lastCode = 0;
  return {
    words,
    code(word) {
      if (word === lastWord) return lastCode;
      let code = codes.get(word);
      if (code === undefined) {
        if (words.length >= MAX_WORDS)
          throw new RunFileError(`a text column has more than ${MAX_WORDS} different words`);
        code = words.length;
        words.push(word.length > MAX_STRING ? `${word.slice(0, MAX_STRING)}…` : word);
        codes.set(word, code);
      }
      lastWord = word;
      lastCode = code;
      return code;
    },
  };
}
