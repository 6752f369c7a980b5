import { tableKind } from '../../formats/table-file.ts';
import { isRecord } from '../../formats/tfevents.ts';
import { parseCell } from './cell.ts';
import { chooseColumn, type GivenColumns, nameRank } from './column-names.ts';
import { guessDelimiter, splitCells } from './delimited.ts';
import { byColumns } from './json-document.ts';
import { parseJson } from './json-path.ts';
import { LogError } from './log-error.ts';
import { ROW_FIELDS } from './row-block.ts';
import { isTextRow } from './text-lines.ts';

export const LOG_FORMATS = [
  'csv',
  'tsv',
  'ndjson',
  'json',
  'text',
  'parquet',
  'arrow',
  'npy',
  'npz',
  'tfevents',
] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface Sniffed {
  readonly format: LogFormat;
  /** Lines of other text before the log begins. */
  readonly preamble: number;
}

/** Bytes in which binary formats are known. */
const LEAST_HEAD = 12;
/** Lines that may come before a log. */
const MOST_PREAMBLE = 20;
/** A first line longer than this is a document. */
export const LONGEST_HEAD = 1 << 20;

/**
 * Guesses the format of a log from its beginning; null while more has to be seen.
 *
 * @param ended whether `head` is all there is
 */
export function sniff(head: Uint8Array, ended: boolean, given: GivenColumns): Sniffed | null {
  if (head.length < LEAST_HEAD && !ended) return null;
  const magic = String.fromCharCode(...head.subarray(0, 6));
  const table = tableKind(head);
  if (table !== undefined) return plain(table);
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw new LogError('compressed by gzip; unpack it first');
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new LogError('written in UTF-16; save it as UTF-8');
  }
  if (magic === '\x93NUMPY') return plain('npy');
  if (magic.startsWith('PK\x03\x04')) return plain('npz');
  if (isRecord(head)) return plain('tfevents');
  const hint = pythonHint(head);
  if (hint) throw new LogError(hint);
  if (head.subarray(0, 1024).includes(0))
    throw new LogError('neither text nor a file of a kind that is read here');

  const text = new TextDecoder().decode(head.subarray(0, LONGEST_HEAD)).trimStart();
  if (text === '') {
    if (ended) throw new LogError('it is empty');
    return null;
  }
  if (text.startsWith('[') && !/^\[[^\]\n]*\][^\n]*[:=]/.test(text)) return plain('json');
  if (/^\{\s*'/.test(text)) return plain('text');
  if (text.startsWith('{')) return sniffObject(text, ended, head.length >= LONGEST_HEAD);
  return sniffText(new TextDecoder().decode(head.subarray(0, LONGEST_HEAD)), ended, given);
}

/** Vectors of Matlab are matrices there. */
const HDF5 =
  "import h5py; d = {n: v[()].squeeze() for n, v in h5py.File('FILE').items() if hasattr(v, " +
  "'shape')}";

/** Files of Python that are known by their first bytes, and what loads them. */
const PYTHON_FILES: readonly (readonly [begin: RegExp, what: string, load: string])[] = [
  [/^\x89HDF/, 'an HDF5 file', HDF5],
  [/^MATLAB 7\.3/, 'a .mat file', HDF5],
  [/^MATLAB/, 'a .mat file', "import scipy.io; d = scipy.io.loadmat('FILE', squeeze_me=True)"],
  [/^\x80[^\0]/, 'a pickle', "import pickle; d = pickle.load(open('FILE', 'rb'))"],
];

/** What turns a file of Python into a CSV that is read here: a line for a shell. */
export function conversionOf(load: string): string {
  const table =
    "k = [n for n in ('loss', 'sharpness') if n in d]; open('log.csv', " +
    "'w').write('\\n'.join([','.join(k)] + [','.join(map(str, map(float, r))) for r in " +
    'zip(*(d[n] for n in k))]))';
  return `python -c "${load}; ${table}"`;
}

function pythonHint(head: Uint8Array): string | null {
  const begin = String.fromCharCode(...head.subarray(0, LEAST_HEAD));
  const found = PYTHON_FILES.find(([magic]) => magic.test(begin));
  if (!found) return null;
  const [, what, load] = found;
  return (
    `${what}, which only Python reads; write it as CSV there (with the names that yours has): ` +
    `${conversionOf(load)}`
  );
}

function plain(format: LogFormat): Sniffed {
  return { format, preamble: 0 };
}

/** One object a line, or one document? */
function sniffObject(text: string, ended: boolean, long: boolean): Sniffed | null {
  const newline = text.indexOf('\n');
  if (newline < 0 && !ended && !long) return null;
  const line = (newline < 0 ? text : text.slice(0, newline)).trim();
  if (long && newline < 0) return plain('json');
  let object: unknown;
  try {
    object = parseJson(line);
  } catch {
    // Pretty-printed documents break their first line after a brace, a bracket or a comma.
    return plain(newline >= 0 && /[{[,]$/.test(line) ? 'json' : 'ndjson');
  }
  const more = newline >= 0 && text.slice(newline).trim() !== '';
  if (more || !isDocument(object)) return plain('ndjson');
  return plain('json');
}

/**
 * Whether an object holds a whole log: a list as its loss, or a list of objects, perhaps one level
 * down.
 */
function isDocument(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const names = Object.keys(value);
  const values = Object.values(value);
  const loss = values[chooseColumn('loss', names, undefined)];
  if (Array.isArray(loss) || byColumns(value)) return true;
  return values.some(
    (inner) =>
      (Array.isArray(inner) && inner.some((item) => typeof item === 'object' && item !== null)) ||
      (typeof inner === 'object' &&
        inner !== null &&
        !Array.isArray(inner) &&
        Object.values(inner).some((list) => Array.isArray(list) && list.length > 1)),
  );
}

function sniffText(text: string, ended: boolean, given: GivenColumns): Sniffed | null {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, i) => line.split('\r').map((part) => ({ i, line: part.trim() })));
  const whole = ended ? lines : lines.slice(0, -1);
  let looked = 0;
  let comment = Number.NaN;
  let before: { readonly line: number; readonly cells: number } | null = null;
  for (const { i, line } of whole) {
    if (BAR.test(line) && !isTextRow(line)) continue;
    if (looked++ === MOST_PREAMBLE) break;
    if (line.startsWith('#')) comment = i;
    if (line === '' || line.startsWith('#')) continue;
    if (/^\{\s*'/.test(line)) return { format: 'text', preamble: 0 };
    if (line.startsWith('{')) return { format: 'ndjson', preamble: i };
    if (isTextRow(line)) return plain('text');
    const delimiter = guessDelimiter(line);
    const cells = (delimiter === null ? [line] : (splitCells(line, delimiter) ?? [])).map((cell) =>
      cell.trim(),
    );
    const format = delimiter === '\t' ? 'tsv' : 'csv';
    if (isHeader(cells, delimiter, given)) return { format, preamble: i };
    if (cells.length > 0 && cells.every((cell) => isNumber(cell, delimiter))) {
      // What stands right above numbers, in as many cells, is their header, whatever its names.
      if (comment === i - 1) return { format, preamble: comment };
      return { format, preamble: before?.cells === cells.length ? before.line : i };
    }
    before = { line: i, cells: cells.length };
  }
  return ended || looked > MOST_PREAMBLE ? plain('csv') : null;
}

/** A progress bar that says no more than how far it is. */
const BAR = /^(?:[^|]{0,80}:)?\s*\d+%\s*\|/;

/**
 * One known name makes a header; among words that only blanks separate, which may be a sentence, or
 * beside numbers two.
 */
function isHeader(
  cells: readonly string[],
  delimiter: string | null,
  given: GivenColumns,
): boolean {
  const known = cells.filter(
    (cell) =>
      !cell.includes('=') &&
      ROW_FIELDS.some(
        (field) => given[field] === cell || nameRank(field, cell, true) < Number.POSITIVE_INFINITY,
      ),
  );
  const numbers = cells.some((cell) => cell !== '' && isNumber(cell, delimiter));
  return known.length >= (delimiter === ' ' || numbers ? 2 : 1);
}

function isNumber(cell: string, delimiter: string | null): boolean {
  return parseCell(cell, delimiter !== ',') !== undefined;
}
