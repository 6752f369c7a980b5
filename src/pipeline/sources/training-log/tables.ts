import { type ByteSource, memorySource } from '../../formats/byte-source.ts';
import { concatBytes } from '../../formats/concat-bytes.ts';
import { UnsupportedFileError } from '../../formats/file-errors.ts';
import { HEAD_BYTES, type TableField, tableKind, type Values } from '../../formats/table-file.ts';
import { parseValue } from './cell.ts';
import { chooseColumns, type GivenColumns } from './column-names.ts';
import { LogError, type Tally } from './log-error.ts';
import { fieldValue, giveRow, ROW_FIELDS, type RowField, type RowTaker } from './row-block.ts';
import { type RunHeader, runHeader } from './run-header.ts';

/** Bytes of a file that comes through a pipe and has to be read from its end. */
const LARGEST = 1 << 28;
/** Rows read at once. */
const SLICE = 1 << 15;

type Columns = { readonly [F in RowField]?: Values };

/** A row group or record batch. */
interface Piece {
  readonly fields: readonly TableField[];
  readonly rows: number;
  read(field: number): Values | Promise<Values>;
}

/**
 * Reads the rows of a Parquet or Arrow file, or of an Arrow stream; yields after each slice of
 * them.
 *
 * @param file the same bytes at random, where that can be had
 */
export async function* readTable(
  format: 'parquet' | 'arrow',
  chunks: AsyncIterable<Uint8Array>,
  file: ByteSource | undefined,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
  said: (header: RunHeader) => void,
): AsyncGenerator<void> {
  let row = 1;
  try {
    for await (const piece of pieces(format, chunks, file, said)) {
      const names = piece.fields.map(({ name }) => name);
      const chosen = chooseColumns(names, given, null);
      tellColumns(tally, names, chosen);
      const columns: { [F in RowField]?: Values } = {};
      for (const field of ROW_FIELDS) {
        const at = chosen[field];
        if (at >= 0) columns[field] = await numbersOf(piece, at);
      }
      for (let from = 0; from < piece.rows; from += SLICE) {
        takeColumns(columns, from, Math.min(piece.rows, from + SLICE), row, rows, tally);
        yield;
      }
      row += piece.rows;
    }
  } catch (error) {
    if (error instanceof LogError) throw error;
    const name = format === 'parquet' ? 'a Parquet' : 'an Arrow';
    const problem = reason(error);
    throw new LogError(
      error instanceof UnsupportedFileError
        ? `${name} file of a kind that is not read here: ${problem}`
        : `a damaged or unfinished ${name.split(' ')[1]} file: ${problem}`,
    );
  }
}

const NO_NUMBER = {};

/**
 * Values of a column, lists included; in anything else there is no number, and it is not looked
 * for.
 */
function numbersOf(piece: Piece, at: number): Values | Promise<Values> {
  const { kind } = piece.fields[at]!;
  return ['number', 'text', 'list', 'nothing'].includes(kind)
    ? piece.read(at)
    : new Array<unknown>(piece.rows).fill(NO_NUMBER);
}

/** Row groups or record batches of a file, which has its footer at the end, or of a stream. */
async function* pieces(
  format: 'parquet' | 'arrow',
  chunks: AsyncIterable<Uint8Array>,
  file: ByteSource | undefined,
  said: (header: RunHeader) => void,
): AsyncGenerator<Piece> {
  const iterator = chunks[Symbol.asyncIterator]();
  const { value: head = new Uint8Array(0) } = await iterator.next();
  const rest = prefixed(head, iterator);
  if (format === 'arrow' && head[0] !== ARROW_FILE) {
    const { readArrowStream } = await import('../../formats/arrow/arrow-stream.ts');
    yield* readArrowStream(rest);
    return;
  }
  const { openTable } = await import('../../formats/open-table.ts');
  // The file itself may be a gzip file that the table is unpacked from.
  const own = file && tableKind(new Uint8Array(await file.slice(0, HEAD_BYTES))) !== undefined;
  const source = own ? file : memorySource(await collected(rest));
  const { fields, groups, metadata, read } = await openTable(source);
  said(runHeader(configOf(metadata['eos.config'])));
  for (const [group, { rows }] of groups.entries())
    yield { fields, rows, read: (field) => read(field, group) };
}

/** The config of a run in the metadata of its file, which is somebody's word. */
function configOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** First byte of an Arrow file; a stream begins with a mark or, before 2019, with a length. */
const ARROW_FILE = 'A'.charCodeAt(0);

async function* prefixed(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > LARGEST)
      throw new LogError('a file of more than 256 MiB cannot be piped in; give its name instead');
    parts.push(chunk.slice());
  }
  return concatBytes(parts);
}

function takeColumns(
  columns: Columns,
  from: number,
  to: number,
  first: number,
  rows: RowTaker,
  tally: Tally,
): void {
  const values = new Float64Array(ROW_FIELDS.length);
  for (let i = from; i < to; i++) {
    const line = first + i;
    let good = true;
    for (let f = 0; f < ROW_FIELDS.length && good; f++) {
      const value = fieldValue(parseValue(columns[ROW_FIELDS[f]!]?.[i]), f, tally, line);
      if (value === undefined) good = false;
      else values[f] = value;
    }
    if (!good) continue;
    giveRow(rows, tally, line, values);
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 160);
}

function tellColumns(
  tally: Tally,
  names: readonly string[],
  chosen: Readonly<Record<RowField, number>>,
): void {
  for (const field of ROW_FIELDS)
    if (field !== 'epoch' && chosen[field] >= 0) tally.column(field, names[chosen[field]]!);
}
