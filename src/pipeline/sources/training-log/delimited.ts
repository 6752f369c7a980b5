import { NOT_FINITE, parseCell } from './cell.ts';
import { chooseColumns, type GivenColumns, NO_STEP, stemOf } from './column-names.ts';
import { createDecimalReader } from './decimal.ts';
import type { LineTaker } from './lines.ts';
import { LogError, type Tally } from './log-error.ts';
import { fieldValue, giveRow, ROW_FIELDS, type RowTaker } from './row-block.ts';

const QUOTE = 34;
const HASH = 35;
/** Delimiters tried, in the order in which they win a tie; a blank stands for any run of blanks. */
const DELIMITERS = ['\t', ';', ',', '|', ' '] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** The delimiter that a line is most likely written with; null where it has only one cell. */
export function guessDelimiter(line: string): Delimiter | null {
  // A doubled quote ends one such piece and begins the next.
  const bare = line.replace(/"[^"]*"/g, '');
  if (bare.includes('\t')) return '\t';
  let best: Delimiter | null = null;
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const parts = delimiter === ' ' ? bare.trim().split(/ +/) : bare.split(delimiter);
    if (parts.length - 1 > most && (delimiter !== ' ' || best === null)) {
      best = delimiter;
      most = parts.length - 1;
    }
    // "0;1,5;2,5" has as many commas as semicolons: the semicolon separates, the comma is a decimal
    // sign.
    if (delimiter === ';' && best === ';') return ';';
  }
  return best;
}

/** Cells of a line; null where a quote is not closed. */
export function splitCells(line: string, delimiter: Delimiter): string[] | null {
  if (delimiter === ' ') return line.trim().split(/[ \t]+/);
  if (!line.includes('"')) return line.split(delimiter);
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let cell = '';
    while (line[at] === ' ') at++;
    if (line[at] === '"') {
      for (at++; ; at++) {
        const close = line.indexOf('"', at);
        if (close < 0) return null;
        cell += line.slice(at, close);
        at = close + 1;
        if (line[at] !== '"') break;
        cell += '"';
      }
      const next = line.indexOf(delimiter, at);
      cell += line.slice(at, next < 0 ? undefined : next).trim();
      at = next < 0 ? line.length : next;
    } else {
      const next = line.indexOf(delimiter, at);
      cell = line.slice(at, next < 0 ? undefined : next);
      at = next < 0 ? line.length : next;
    }
    cells.push(cell);
    if (at >= line.length) return cells;
    at++;
  }
}

export interface DelimitedOptions {
  /** Name of the file: what a column called `Value` holds, as TensorBoard exports it. */
  readonly title?: string | undefined;
  /** Whether a learning rate alone is enough. */
  readonly part?: boolean | undefined;
  readonly given: GivenColumns;
  /** Guessed from the first line unless given. */
  readonly delimiter?: Delimiter | undefined;
}

/**
 * Reads rows of cells, with a header or, where the columns are given by number, without one. Cells
 * may be quoted; decimals may be written with a comma where the comma does not separate.
 */
export function createDelimitedReader(
  rows: RowTaker,
  tally: Tally,
  options: DelimitedOptions,
): LineTaker {
  const { given } = options;
  const decoder = new TextDecoder();
  const decimal = createDecimalReader();
  const values = new Float64Array(ROW_FIELDS.length);
  let delimiter: Delimiter | undefined = options.delimiter;
  let byte = 0;
  let header: string | null = null;
  let width = 0;
  /** Field of each column, or −1. */
  let fieldOf = new Int8Array(0);
  let started = false;
  let comment = '';

  /** Header in a comment right above the numbers, as NumPy's savetxt writes it. */
  function commented(cells: readonly string[]): string[] | null {
    const names = splitCells(comment.trim(), delimiter!)?.map((cell) => cell.trim());
    const fits = names?.length === cells.length && names.some((name) => /\p{L}/u.test(name));
    return fits ? names : null;
  }

  /**
   * MLflow keeps each metric in a file of its name: a time in milliseconds, the value, the step.
   */
  function metricFile(cells: readonly string[]): string[] | null {
    const isTime = cells.length === 3 && Number(cells[0]) > 1e11;
    return isTime ? ['timestamp', stemOf(options.title ?? ''), 'step'] : null;
  }

  function start(text: string, line: number): boolean {
    delimiter ??= guessDelimiter(text) ?? ',';
    byte = delimiter.charCodeAt(0);
    const cells = splitCells(text, delimiter)?.map((cell) => cell.trim());
    if (!cells) throw new LogError('a quote in the header is not closed', line);
    const headed = cells.some((cell) => parseCell(cell, delimiter !== ',') === undefined);
    const above = headed ? null : (commented(cells) ?? metricFile(cells));
    if (
      !headed &&
      !above &&
      !ROW_FIELDS.some((field) => given[field] !== undefined && given[field] !== NO_STEP)
    ) {
      throw new LogError(
        `there is no header (it reads ${text.slice(0, 60)}); say which columns they are, such ` +
          'as --step-col 1 --loss-col 2 --sharpness-col 3',
        line,
      );
    }
    const names = headed ? cells : (above ?? cells.map((_, i) => String(i + 1)));
    const meant = names.map((name) =>
      name.toLowerCase() === 'value' ? stemOf(options.title ?? '') : name,
    );
    const chosen = chooseColumns(meant, given, line, options.part);
    width = cells.length;
    fieldOf = new Int8Array(width).fill(-1);
    for (const [i, field] of ROW_FIELDS.entries()) {
      if (chosen[field] < 0) continue;
      fieldOf[chosen[field]] = i;
      if (field !== 'epoch') tally.column(field, meant[chosen[field]]!);
    }
    started = true;
    if (headed) header = text;
    return headed;
  }

  function scan(bytes: Uint8Array, from: number, to: number): boolean {
    values.fill(Number.NaN);
    let i = from;
    for (let column = 0; column < width; column++) {
      const field = fieldOf[column]!;
      if (field >= 0) {
        if (i < to && bytes[i] !== byte) {
          const value = decimal.read(bytes, i, to);
          if (decimal.end < 0) return false;
          i = decimal.end;
          values[field] = Number.isFinite(value) ? value : NOT_FINITE;
        }
        if (i < to && bytes[i] !== byte) return false;
      } else {
        while (i < to && bytes[i] !== byte) if (bytes[i++] === QUOTE) return false;
      }
      if (i >= to) return column === width - 1;
      i++;
    }
    return i === to + 1;
  }

  function slow(text: string, line: number, cut: boolean): boolean {
    const cells = splitCells(text, delimiter!);
    if (!cells) {
      tally.add(cut ? 'cut off in mid-line' : 'a quote is not closed', line);
      return false;
    }
    if (cells.length < width) {
      tally.add(cut ? 'cut off in mid-line' : 'too few columns', line);
      return false;
    }
    if (cells.length > width && cells.slice(width).some((cell) => cell.trim() !== '')) {
      tally.add('too many columns', line);
      return false;
    }
    values.fill(Number.NaN);
    for (let column = 0; column < width; column++) {
      const field = fieldOf[column]!;
      if (field < 0) continue;
      const found = parseCell(cells[column]!, delimiter !== ',');
      const value = fieldValue(found, field, tally, line);
      if (value === undefined) return false;
      values[field] = value;
    }
    return true;
  }

  return (bytes, from, to, line, cut) => {
    if (!started || bytes[from] === HASH || !(delimiter !== ' ' && scan(bytes, from, to))) {
      const text = decoder.decode(bytes.subarray(from, to)).trimEnd();
      if (text.startsWith('#') && !started) comment = text.slice(1);
      if (text.trim() === '' || text.startsWith('#')) return;
      if (!started) {
        if (start(text, line)) return;
      } else if (text === header) {
        tally.add('header repeated', line);
        return;
      }
      if (!slow(text, line, cut)) return;
    }
    giveRow(rows, tally, line, values);
  };
}
