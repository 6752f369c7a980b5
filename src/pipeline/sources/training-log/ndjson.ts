import { NOT_FINITE, parseValue } from './cell.ts';
import { type GivenColumns, NO_STEP, nameRank, noColumns } from './column-names.ts';
import { createDecimalReader } from './decimal.ts';
import { type JsonPath, parseJson, parsePath, valueAt } from './json-path.ts';
import type { LineTaker } from './lines.ts';
import { LogError, type Tally } from './log-error.ts';
import { AT, fieldValue, giveRow, QUALIFIES, ROW_FIELDS, type RowTaker } from './row-block.ts';
import { type RunHeader, runHeader } from './run-header.ts';

const OTHER = -1;
/** A key whose value has to be looked into: only the whole line parsed can tell. */
const DEEP = -2;
/** More keys than this are not remembered; lines with others are parsed the slow way. */
const MOST_KEYS = 512;

interface Key {
  readonly bytes: Uint8Array;
  /** Index into ROW_FIELDS, OTHER or DEEP. */
  readonly field: number;
}

export interface NdjsonOptions {
  readonly given: GivenColumns;
  /** Told what a first line `{"eos":1,…}` says of the run. */
  readonly said?: ((header: RunHeader) => void) | undefined;
  /** False leaves the bytes to JSON.parse: slower, and the same in every result. */
  readonly fast?: boolean;
}

/**
 * Reads one JSON object a line. Each field's column is the most usual of the names on the first
 * line that has one, or the path given; a value that is a list counts as its largest number.
 *
 * Flat objects, the common case, are scanned byte by byte; a line that the scanner does not know
 * how to read, and the first line of each new key, goes through JSON.parse, with the same result.
 */
export function createNdjsonReader(
  rows: RowTaker,
  tally: Tally,
  options: NdjsonOptions,
): LineTaker {
  const { given, fast = true } = options;
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const decimal = createDecimalReader();
  const paths: (JsonPath | null)[] = ROW_FIELDS.map(() => null);
  const keys: Key[] = [];
  const known = new Set<string>();
  let guess = 0;
  const values = new Float64Array(ROW_FIELDS.length);

  for (const [i, field] of ROW_FIELDS.entries()) {
    const text = given[field];
    if (text === undefined || (field === 'step' && text === NO_STEP)) continue;
    const path = parsePath(text);
    if (!path)
      throw new LogError(
        `${text} (asked for as the ${field}) is not a path such as metrics.eigs[-1]`,
      );
    paths[i] = path;
  }
  let rowsSeen = false;

  /**
   * Remembers the keys of an object, and chooses the columns that are still open among the new
   * ones.
   */
  function learn(object: Readonly<Record<string, unknown>>): void {
    const fresh = Object.keys(object).filter((key) => !known.has(key));
    if (fresh.length === 0 || known.size + fresh.length > MOST_KEYS) return;
    for (const [i, field] of ROW_FIELDS.entries()) {
      if (paths[i] || given[field] !== undefined) continue;
      let best: { readonly name: string; readonly path: JsonPath } | null = null;
      for (const candidate of namesOf(object, fresh)) {
        const rank = nameRank(field, candidate.name);
        if (rank < (best ? nameRank(field, best.name) : Number.POSITIVE_INFINITY)) best = candidate;
      }
      if (!best) continue;
      const other = QUALIFIES[field];
      if (other && paths[AT[other]]?.join() === best.path.join()) continue;
      paths[i] = best.path;
      if (field !== 'epoch') tally.column(field, best.name);
    }
    for (const key of fresh) {
      known.add(key);
      const users = paths.filter((path) => path?.[0] === key);
      const field = paths.findIndex((path) => path?.[0] === key);
      const deep = users.length > 1 || users.some((path) => path!.length > 1);
      const plain = !/["\\]/.test(key) && !hasControl(key);
      if (plain) keys.push({ bytes: encoder.encode(key), field: deep ? DEEP : field });
    }
  }

  function slow(bytes: Uint8Array, from: number, to: number, line: number, cut: boolean): void {
    const text = decoder.decode(bytes.subarray(from, to)).trim();
    if (text === '') return;
    let object: unknown;
    try {
      object = parseJson(text);
    } catch {
      tally.add(cut ? 'cut off in mid-line' : 'not JSON', line);
      return;
    }
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      tally.add('not a JSON object', line);
      return;
    }
    if (Object.hasOwn(object, 'eos') && !rowsSeen) {
      options.said?.(runHeader(object as Readonly<Record<string, unknown>>));
      return;
    }
    learn(object as Readonly<Record<string, unknown>>);
    for (let i = 0; i < ROW_FIELDS.length; i++) {
      const path = paths[i];
      const found = path ? parseValue(valueAt(object, path)) : Number.NaN;
      const value = fieldValue(found, i, tally, line);
      if (value === undefined) return;
      values[i] = value;
    }
    take(line);
  }

  function take(line: number): void {
    if (giveRow(rows, tally, line, values)) rowsSeen = true;
  }

  /** Scans a flat object; false where it is anything else. */
  function scan(bytes: Uint8Array, from: number, to: number): boolean {
    values.fill(Number.NaN);
    let i = from;
    let code = bytes[i];
    while (i < to && (code === 32 || code === 9)) code = bytes[++i];
    if (code !== 123) return false;
    i = skipBlank(bytes, i + 1, to);
    if (bytes[i] === 125) return skipBlank(bytes, i + 1, to) === to;

    for (;;) {
      if (i >= to || bytes[i] !== 34) return false;
      i++;
      let key = keys[guess];
      if (key === undefined || !matches(bytes, i, to, key.bytes)) {
        guess = keys.findIndex((candidate) => matches(bytes, i, to, candidate.bytes));
        key = keys[guess];
        if (key === undefined) {
          guess = 0;
          return false;
        }
      }
      guess = guess + 1 < keys.length ? guess + 1 : 0;
      if (key.field === DEEP) return false;
      i += key.bytes.length + 1;
      if (bytes[i] !== 58) i = skipBlank(bytes, i, to);
      if (i >= to || bytes[i] !== 58) return false;
      i++;
      if (bytes[i] === 32) i++;
      code = bytes[i];
      if (code === 32 || code === 9) {
        i = skipBlank(bytes, i, to);
        code = bytes[i];
      }
      if (i >= to) return false;

      let value: number;
      if (code === 45 || (code! >= 48 && code! <= 57)) {
        value = decimal.read(bytes, i, to);
        if (decimal.end < 0) return false;
        i = decimal.end;
        if (value === Number.NEGATIVE_INFINITY) value = NOT_FINITE;
      } else if (code === 34) {
        if (key.field !== OTHER) return false;
        i = endOfString(bytes, i + 1, to);
        if (i < 0) return false;
        value = Number.NaN;
      } else if (code === 91) {
        value = Number.NaN;
        i = skipBlank(bytes, i + 1, to);
        if (bytes[i] === 93) i++;
        else {
          for (;;) {
            const item = decimal.read(bytes, i, to);
            if (decimal.end < 0) return false;
            const finite = item === Number.NEGATIVE_INFINITY ? NOT_FINITE : item;
            if (!(finite <= value)) value = finite;
            i = skipBlank(bytes, decimal.end, to);
            if (i >= to) return false;
            const next = bytes[i++];
            if (next === 93) break;
            if (next !== 44) return false;
            i = skipBlank(bytes, i, to);
          }
        }
      } else {
        const word = wordAt(bytes, i, to);
        // A truth value is no number; the slow way says so.
        if (word === 0 || (word < 0 && key.field !== OTHER)) return false;
        i += Math.abs(word);
        value = word === 4 ? Number.NaN : NOT_FINITE;
      }
      if (key.field !== OTHER) values[key.field] = value;

      code = bytes[i];
      if (i < to && (code === 32 || code === 9)) {
        i = skipBlank(bytes, i, to);
        code = bytes[i];
      }
      if (i >= to) return false;
      if (code === 125) return i + 1 === to || skipBlank(bytes, i + 1, to) === to;
      if (code !== 44) return false;
      i++;
      if (bytes[i] === 32) i++;
      if (bytes[i] !== 34) i = skipBlank(bytes, i, to);
    }
  }

  return (bytes, from, to, line, cut) => {
    if (fast && scan(bytes, from, to)) take(line);
    else slow(bytes, from, to, line, cut);
    if (!rowsSeen && line >= LINES_TO_DECIDE) throw noColumns([...known], null);
  };
}

/** Without a single usable row by then, the log is refused. */
const LINES_TO_DECIDE = 1000;

function skipBlank(bytes: Uint8Array, at: number, limit: number): number {
  let i = at;
  while (i < limit && (bytes[i] === 32 || bytes[i] === 9 || bytes[i] === 13)) i++;
  return i;
}

/** Whether a key stands at `at`, with the quote that closes it. */
function matches(bytes: Uint8Array, at: number, limit: number, key: Uint8Array): boolean {
  const n = key.length;
  if (at + n >= limit || bytes[at + n] !== 34) return false;
  for (let i = 0; i < n; i++) if (bytes[at + i] !== key[i]) return false;
  return true;
}

/**
 * Position behind the string that began before `at`; −1 where it holds an escape or a control
 * character, or does not end.
 */
function endOfString(bytes: Uint8Array, at: number, limit: number): number {
  for (let i = at; i < limit; i++) {
    const code = bytes[i]!;
    if (code === 34) return i + 1;
    if (code === 92 || code < 32) return -1;
  }
  return -1;
}

const WORDS: readonly (readonly [string, number])[] = [
  ['null', 4],
  ['NaN', 3],
  ['Infinity', 8],
  ['true', -4],
  ['false', -5],
];

/** Length of the word there (negative for a truth value); 0 where there is none. */
function wordAt(bytes: Uint8Array, at: number, limit: number): number {
  for (const [word, length] of WORDS) {
    if (at + word.length > limit) continue;
    let i = 0;
    while (i < word.length && bytes[at + i] === word.charCodeAt(i)) i++;
    if (i === word.length) return length;
  }
  return 0;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32) return true;
  return false;
}

/** Names of the values under these keys, those one level down among them. */
function* namesOf(
  object: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Generator<{ readonly name: string; readonly path: JsonPath }> {
  for (const key of keys) {
    const value = object[key];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield { name: key, path: [key] };
      continue;
    }
    for (const inner of Object.keys(value)) yield { name: `${key}.${inner}`, path: [key, inner] };
  }
}
