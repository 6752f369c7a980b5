import { checkOptions } from '../core/options.ts';
import { show } from '../core/show.ts';
import { type ByteSource, memorySource, namedSource } from './byte-source.ts';
import { damaged } from './limits.ts';
import { openTable } from './open-table.ts';
import {
  fieldNamed,
  jsonObject,
  type TableField,
  type TableFile,
  type Values,
} from './table-file.ts';

/** Where a run is read from: bytes, a Blob or File, an address, or in Node the name of a file. */
export type RunSource = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource;

/** A column of a run file, in memory. */
export interface ReadColumn
  extends Pick<TableField, 'name' | 'type' | 'symbol' | 'unit' | 'meaning'> {
  /** Numbers, NaN where there is none; of texts codes into `words`, −1 where there is none. */
  readonly values: Float64Array | Int32Array;
  /** Different texts of the column, in the order in which they come. */
  readonly words?: readonly string[];
}

/** A run or a log, read back from its file. */
export interface ReadRun {
  readonly table: {
    readonly length: number;
    readonly columns: Readonly<Record<string, ReadColumn>>;
  };
  /** Every parameter as used; null where the file says nothing. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly summary: Readonly<Record<string, unknown>> | null;
  /** Key-value metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ReadRunOptions {
  /** Names of the columns to read; all numbers and texts unless given. */
  readonly columns?: readonly string[];
}

/**
 * Reads a run or a log back: a Parquet file, or an Arrow file or stream, of eos or of another
 * program.
 *
 * @throws DamagedFileError where it is neither, is cut off, or cannot be read
 * @throws TypeError for a name where there are no files, and for a column that is not there or
 * holds no numbers or texts
 * @example const { table, summary } = await readRun('run.parquet');
 */
export async function readRun(source: RunSource, options: ReadRunOptions = {}): Promise<ReadRun> {
  checkOptions('readRun', options, ['columns']);
  const { columns: names } = options;
  if (names !== undefined && !Array.isArray(names))
    throw new TypeError(`readRun: columns ${show(names)} is not a list of names`);
  const file = await openTable(await bytesOf(source));
  const wanted = names?.map((name) => columnNamed(file, name)) ?? allColumns(file);
  const columns: [string, ReadColumn][] = [];
  for (const place of wanted) {
    const column = await readColumn(file, place);
    columns.push([column.name, column]);
  }
  return {
    table: { length: file.rows, columns: Object.fromEntries(columns) },
    config: jsonObject(file.metadata['eos.config']),
    summary: jsonObject(file.metadata['eos.summary']),
    metadata: file.metadata,
  };
}

async function bytesOf(source: RunSource): Promise<ByteSource> {
  if (typeof source === 'string' && source !== '' && !source.includes('\0'))
    return namedSource(source);
  if (source instanceof URL) {
    if (source.protocol === 'file:') return namedSource(source);
    const response = await fetch(source);
    if (!response.ok) throw new TypeError(`${source.href}: the server says ${response.status}`);
    return memorySource(new Uint8Array(await response.arrayBuffer()));
  }
  if (source instanceof ArrayBuffer) return memorySource(new Uint8Array(source));
  if (source instanceof Uint8Array) return memorySource(source);
  if (!(source instanceof Blob)) {
    const { slice, byteLength }: Partial<ByteSource> = Object(source);
    if (typeof slice === 'function' && typeof byteLength === 'number') return source as ByteSource;
    throw new TypeError(
      `readRun: ${show(source)} is not a file; give its name, its bytes, a Blob or a URL`,
    );
  }
  return {
    byteLength: source.size,
    slice: (start, end) => source.slice(start, end).arrayBuffer(),
  };
}

const READ: ReadonlySet<string> = new Set(['number', 'time', 'text', 'boolean']);

/** Of columns of one name it is the first that is read. */
function allColumns(file: TableFile): number[] {
  return [...file.fields.keys()].filter((place) => {
    const { name, kind } = file.fields[place]!;
    return READ.has(kind) && fieldNamed(file, name) === place;
  });
}

function columnNamed(file: TableFile, name: string): number {
  const place = fieldNamed(file, name);
  const known = file.fields.map((field) => field.name).join(', ');
  if (place === undefined) throw new TypeError(`there is no column '${name}'; there are ${known}`);
  if (!READ.has(file.fields[place]!.kind))
    throw new TypeError(`column '${name}' holds neither numbers nor texts`);
  return place;
}

async function readColumn(file: TableFile, place: number): Promise<ReadColumn> {
  const { name, kind, type, symbol, unit, meaning } = file.fields[place]!;
  const coded = kind === 'text' || kind === 'boolean';
  const codes = new Map<string, number>();
  const values = coded ? new Int32Array(file.rows) : new Float64Array(file.rows);
  let at = 0;
  for (let group = 0; group < file.groups.length; group++) {
    const read = await file.read(place, group);
    if (at + read.length > values.length) damaged(`its column ${name} has too many values`);
    if (coded) fillCodes(values, at, read, codes);
    else for (let i = 0; i < read.length; i++) values[at + i] = (read[i] as number) ?? Number.NaN;
    at += read.length;
  }
  return {
    name,
    type,
    symbol,
    unit,
    meaning,
    values,
    ...(coded ? { words: [...codes.keys()] } : {}),
  };
}

function fillCodes(
  into: Float64Array | Int32Array,
  at: number,
  values: Values,
  codes: Map<string, number>,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      into[at + i] = -1;
      continue;
    }
    const word = String(value);
    const code = codes.get(word) ?? codes.size;
    codes.set(word, code);
    into[at + i] = code;
  }
}
