import { parseValue } from './cell.ts';
import { chooseColumn, type GivenColumns, NO_STEP, noColumns } from './column-names.ts';
import { parseJson, parsePath, valueAt } from './json-path.ts';
import { LogError, type Tally } from './log-error.ts';
import {
  AT,
  fieldValue,
  giveRow,
  QUALIFIES,
  ROW_FIELDS,
  type RowField,
  type RowTaker,
} from './row-block.ts';

/**
 * A JSON document is parsed whole, so it may be this large; longer logs are better written one
 * object a line.
 */
export const LONGEST_DOCUMENT = 256 << 20;

/** Nested deeper than this a document is no log, and would only cost memory to parse. */
const DEEPEST = 1000;

type Table = Readonly<Record<string, readonly unknown[]>>;

/** What a document says besides its rows. */
export interface DocumentNotes {
  /** Learning rate of the whole run, from `params.eta`, `config.lr` or the like. */
  readonly eta: number | null;
}

/**
 * Reads a JSON document: a list of objects, or an object of lists of one length a column (`loss`,
 * `eigenvalues`, …), at the top or one level below it. Lists of several lengths are taken as
 * recorded over the same run: of every `stepInterval`-th step, or with `totalSteps` steps in all of
 * every round(totalSteps / n)-th; without either the longest is of every step.
 */
export function readDocument(
  bytes: Uint8Array,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): DocumentNotes {
  if (isDeep(bytes))
    throw new LogError(`lists and objects are nested more than ${DEEPEST} deep, as in no log`);
  const text = new TextDecoder().decode(bytes);
  let root: unknown;
  try {
    root = parseJson(text);
  } catch (error) {
    throw new LogError(
      `not JSON: ${error instanceof Error ? error.message.slice(0, 120) : 'it cannot be parsed'}`,
    );
  }
  return readRoot(root, rows, tally, given);
}

/** Reads a document that has been parsed, or lists by name that came otherwise. */
export function readRoot(
  root: unknown,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): DocumentNotes {
  const eta = etaOf(root);
  const objects = byColumns(root) ?? keyedBySteps(root) ?? listOfObjects(root);
  if (objects) {
    readObjects(objects, rows, tally, given);
    return { eta };
  }
  readTable(root, rows, tally, given);
  return { eta };
}

/** Whether brackets are nested deeper than `DEEPEST` anywhere outside of strings. */
function isDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i]!;
    if (code === 34) {
      for (i++; i < bytes.length && bytes[i] !== 34; i++) if (bytes[i] === 92) i++;
    } else if (code === 91 || code === 123) {
      if (++depth > DEEPEST) return true;
    } else if (code === 93 || code === 125) {
      depth--;
    }
  }
  return false;
}

function readObjects(
  objects: readonly unknown[],
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): void {
  const names = new Set<string>();
  for (const object of objects.slice(0, 1000)) {
    if (isObject(object)) for (const name of namesIn(object)) names.add(name);
  }
  const list = [...names];
  const get = accessors(list, given, tally);
  for (let i = 0; i < objects.length; i++) {
    const object = objects[i];
    if (!isObject(object)) tally.add('not a JSON object', i + 1);
    else takeRow(rows, tally, i + 1, (field) => get[field]?.(object));
  }
}

/** Names of an object's values, those one level down as `outer.inner`. */
function namesIn(object: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(object).flatMap(([name, value]) =>
    isObject(value) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name],
  );
}

/** How to get at each field of an object: by path, by name, or not at all. */
function accessors(names: readonly string[], given: GivenColumns, tally: Tally) {
  const get: { [F in RowField]?: (object: unknown) => unknown } = {};
  const taken: { [F in RowField]?: string } = {};
  for (const field of ROW_FIELDS) {
    const text = given[field];
    if (field === 'step' && text === NO_STEP) continue;
    const name = text ?? names[chooseColumn(field, names, undefined)];
    const other = QUALIFIES[field];
    if (name === undefined || (other && name === taken[other])) continue;
    taken[field] = name;
    const path = names.includes(name) && !name.includes('.') ? [name] : parsePath(name);
    if (!path)
      throw new LogError(
        `${name} (asked for as the ${field}) is not a path such as metrics.eigs[-1]`,
      );
    if (field !== 'epoch') tally.column(field, name);
    get[field] = (object) =>
      isObject(object) && Object.hasOwn(object, name) ? object[name] : valueAt(object, path);
  }
  if (!get.loss && !get.sharpness) throw noColumns(names, null);
  return get;
}

function readTable(root: unknown, rows: RowTaker, tally: Tally, given: GivenColumns): void {
  const table = listTable(root, given);
  const names = Object.keys(table);
  const lists: { [F in RowField]?: readonly unknown[] } = {};
  let last: number | null = null;
  for (const field of ROW_FIELDS) {
    const text = given[field];
    if (field === 'step' && text === NO_STEP) continue;
    if (text !== undefined && !names.includes(text)) {
      const { list, at } = listAt(root, text, field);
      lists[field] = list;
      if (at !== null && field === 'sharpness') last = at;
      continue;
    }
    const column = chooseColumn(field, names, text);
    const list = table[names[column] ?? ''];
    const other = QUALIFIES[field];
    // Lists of one length say their steps, or are of every step.
    if (!list || field === 'epoch' || (other && list === lists[other])) continue;
    lists[field] = list;
    tally.column(field, names[column]!);
  }
  if (!lists.loss && !lists.sharpness)
    throw noColumns(isObject(root) ? Object.keys(root) : [], null);

  const longest = Math.max(lists.loss?.length ?? 0, lists.sharpness?.length ?? 0);
  if (longest === 0) throw new LogError('the lists of loss and sharpness are empty');
  const counted = lists.step?.length === longest ? lists.step : null;
  const total = numberAt(root, ['totalSteps', 'total_steps']);
  const spread = total > longest ? Math.max(1, Math.round(total / longest)) : 1;
  const interval = numberAt(root, INTERVALS);
  const base = counted ? 1 : Number.isSafeInteger(interval) && interval > 0 ? interval : spread;
  const strideOf = (list: readonly unknown[] | undefined) =>
    list && list.length > 0 ? Math.max(1, Math.round(longest / list.length)) : 1;
  const strides = ROW_FIELDS.map((field) => strideOf(lists[field]));

  for (let i = 0; i < longest; i++) {
    takeRow(rows, tally, i + 1, (field) => {
      if (field === 'step') return counted ? counted[i] : i * base;
      if (field === 'eta') return lists.eta?.length === longest ? lists.eta[i] : undefined;
      const stride = strides[AT[field]]!;
      const value = i % stride === 0 ? lists[field]?.[i / stride] : undefined;
      return field === 'sharpness' && last !== null && Array.isArray(value)
        ? value.at(last)
        : value;
    });
  }
}

/** `eigenvalues[-1]`: the list of that name, and the index to take of each of its entries. */
function listAt(
  root: unknown,
  text: string,
  field: RowField,
): { list: readonly unknown[]; at: number | null } {
  const path = parsePath(text);
  const index = path?.at(-1);
  const outer = path ? valueAt(root, path.slice(0, -1)) : undefined;
  if (typeof index === 'number' && Array.isArray(outer) && outer.some(Array.isArray))
    return { list: outer, at: index };
  const whole = path ? valueAt(root, path) : undefined;
  if (Array.isArray(whole)) return { list: whole, at: null };
  throw new LogError(`no list stands at ${text} (asked for as the ${field})`);
}

function takeRow(
  rows: RowTaker,
  tally: Tally,
  line: number,
  get: (field: RowField) => unknown,
): void {
  const values: number[] = [];
  for (const [i, field] of ROW_FIELDS.entries()) {
    const value = fieldValue(parseValue(get(field)), i, tally, line);
    if (value === undefined) return;
    values.push(value);
  }
  giveRow(rows, tally, line, values);
}

/** `{"0": {…}, "10": {…}}`: the keys are the steps. */
function keyedBySteps(root: unknown): readonly unknown[] | null {
  if (!isObject(root)) return null;
  const entries = Object.entries(root);
  const keyed = entries.every(([key, value]) => /^\d+$/.test(key) && isObject(value));
  if (!keyed || entries.length === 0) return null;
  return entries.map(([key, value]) => ({ step: Number(key), ...(value as object) }));
}

/**
 * Rows of a document that has its columns by name, each with the steps of its values: `{"loss":
 * {"0": 2.5, …}}` and `{"columns": […], "index": […], "data": [[…], …]}` of pandas, `{"loss":
 * {"steps": […], "values": […]}}` of Sacred.
 */
export function byColumns(root: unknown): readonly unknown[] | null {
  if (!isObject(root)) return null;
  const { columns, index, data } = root;
  if (Array.isArray(columns) && Array.isArray(index) && Array.isArray(data))
    return rowsOf(
      columns.map((name, c) => ({
        name: String(name),
        steps: index,
        values: data.map((row) => (Array.isArray(row) ? row[c] : undefined)),
      })),
    );
  const found = Object.entries(root).map(([name, column]) => {
    if (!isObject(column)) return null;
    const { steps, values } = column;
    if (Array.isArray(steps) && Array.isArray(values)) return { name, steps, values };
    const keys = Object.keys(column);
    if (keys.length === 0 || !keys.every((key) => /^\d+$/.test(key))) return null;
    return { name, steps: keys, values: Object.values(column) };
  });
  if (found.length === 0 || !found.every((column) => column !== null)) return null;
  return rowsOf(found);
}

function rowsOf(
  columns: readonly {
    readonly name: string;
    readonly steps: readonly unknown[];
    readonly values: readonly unknown[];
  }[],
): readonly unknown[] {
  const names = columns.map(({ name }) => name);
  const stepped = chooseColumn('step', names, undefined) >= 0;
  const table = new Map<number, Record<string, unknown>>();
  for (const { name, steps, values } of columns)
    for (const [i, each] of steps.entries()) {
      const step = Number(each);
      const row = table.get(step) ?? (stepped ? {} : { step });
      table.set(step, row);
      row[name] = values[i];
    }
  return [...table].sort(([a], [b]) => a - b).map(([, row]) => row);
}

function listOfObjects(root: unknown): readonly unknown[] | null {
  const candidates = isObject(root) ? Object.values(root) : [root];
  for (const value of candidates)
    if (Array.isArray(value) && value.length > 0 && isObject(value[0])) return value;
  return null;
}

/**
 * The object whose values are the columns: the document itself, or the first of its values that has
 * a loss or sharpness.
 */
function listTable(root: unknown, given: GivenColumns): Table {
  if (!isObject(root))
    throw new LogError('the document is neither a list of objects nor an object of lists');
  for (const candidate of [root, ...Object.values(root)]) {
    if (!isObject(candidate)) continue;
    const lists = Object.fromEntries(
      Object.entries(candidate).filter(([, value]) => Array.isArray(value)),
    );
    const names = Object.keys(lists);
    const fits = (field: RowField) =>
      given[field] === undefined
        ? chooseColumn(field, names, undefined) >= 0
        : names.includes(given[field]);
    if (fits('loss') || fits('sharpness')) return lists as Table;
  }
  return {};
}

/** Where documents keep the parameters of their run. */
const SETTINGS = ['', 'params.', 'config.', 'hyperparameters.', 'hparams.', 'args.', 'meta.'];
const ETAS = ['eta', 'lr', 'learning_rate', 'learningRate', 'step_size', 'stepSize'];
const INTERVALS = [
  ...['stepInterval', 'step_interval', 'logInterval', 'log_interval'],
  ...['logEvery', 'log_every', 'recordEvery', 'record_every'],
];

/** A parameter of the run under one of its names; NaN without one. */
function numberAt(root: unknown, names: readonly string[]): number {
  for (const prefix of SETTINGS) {
    for (const name of names) {
      const value = valueAt(root, parsePath(prefix + name)!);
      if (typeof value === 'number' && Number.isFinite(value)) return value;
    }
  }
  return Number.NaN;
}

function etaOf(root: unknown): number | null {
  const eta = numberAt(root, ETAS);
  return eta > 0 ? eta : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
