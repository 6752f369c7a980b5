import { stat } from 'node:fs/promises';
import { pathSource } from '../../pipeline/node/path-source.ts';
import { UsageError } from '../errors.ts';
import { type TableKind, tableKind } from '../run-file.ts';

/** A numeric column comes as numbers, a string column as strings; missing values as null. */
export type Values = ArrayLike<number | bigint | string | null>;

export interface TableField {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** Whether it holds lists or structs, which are named but not read. */
  readonly nested: boolean;
}

/** A table file of either kind, opened for reading a few of its columns block by block. */
export interface TableReader {
  readonly kind: TableKind;
  readonly bytes: number;
  readonly rows: number;
  readonly blocks: number;
  readonly fields: readonly TableField[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Values of these columns, one row group (record batch) after another. */
  read(columns: readonly string[]): AsyncIterable<Readonly<Record<string, Values>>>;
}

/**
 * Opens a Parquet or Arrow file.
 * @throws UsageError where it is missing, neither of the two, or not whole.
 */
export async function openTable(path: string): Promise<TableReader> {
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
  if (!file.isFile())
    throw new UsageError(`${path}: this is no file; name a Parquet or Arrow file`);
  const kind = await tableKind(path);
  if (kind === undefined)
    throw new UsageError(
      `${path}: neither a Parquet nor an Arrow file (its first bytes are of no such file)`,
    );
  try {
    const table =
      kind === 'parquet' ? await openParquet(path, file.size) : await openArrow(path, file.size);
    return { ...table, read: (columns) => readable(path, kind, table.read(columns)) };
  } catch (error) {
    throw unreadable(path, kind, error);
  }
}

/** Blocks of a table whose damage may show only where its pages are decoded. */
async function* readable<T>(
  path: string,
  kind: TableKind,
  blocks: AsyncIterable<T>,
): AsyncIterable<T> {
  try {
    yield* blocks;
  } catch (error) {
    throw unreadable(path, kind, error);
  }
}

function unreadable(path: string, kind: TableKind, error: unknown): UsageError {
  const { message } = error as Error;
  const format = kind === 'parquet' ? 'Parquet' : 'Arrow';
  // Nothing is wrong with such a file.
  if (message.includes('not read'))
    return new UsageError(`${path}: ${format} of a kind that is not read here: ${message}`);
  // Where a decoder stumbles over its own state, its message tells the user nothing.
  const why = error instanceof TypeError || error instanceof RangeError ? '' : `: ${message}`;
  return new UsageError(`${path}: a damaged or unfinished ${format} file${why}`);
}

async function openParquet(path: string, bytes: number): Promise<TableReader> {
  const { parquetSchema } = await import('hyparquet');
  const { compressors } = await import('../../pipeline/formats/parquet/parquet-compressors.ts');
  const { openParquet: open } = await import('../../pipeline/formats/parquet/parquet-table.ts');
  const { footer, read } = await open(await pathSource(path), compressors);
  const fields = parquetSchema(footer).children.map(({ element, children }) => ({
    name: element.name,
    type:
      element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING'
        ? 'STRING'
        : (element.type ?? 'GROUP'),
    required: element.repetition_type === 'REQUIRED',
    nested: children.length > 0 || element.repetition_type === 'REPEATED',
  }));
  return {
    kind: 'parquet',
    bytes,
    rows: Number(footer.num_rows),
    blocks: footer.row_groups.length,
    fields,
    metadata: Object.fromEntries(
      (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    async *read(columns) {
      for (let group = 0; group < footer.row_groups.length; group++) {
        const values: [string, Values][] = [];
        for (const name of columns) values.push([name, (await read(name, group)) as Values]);
        yield Object.fromEntries(values);
      }
    },
  };
}

async function openArrow(path: string, bytes: number): Promise<TableReader> {
  const { DataType } = await import('apache-arrow');
  const { openAnyArrow: open } = await import('../../pipeline/formats/arrow/arrow-any.ts');
  const { schema, rows, batches, read } = await open(await pathSource(path));
  return {
    kind: 'arrow',
    bytes,
    rows,
    blocks: batches.length,
    fields: schema.fields.map(({ name, type, nullable }) => ({
      name,
      type: arrowTypeName((DataType.isDictionary(type) ? type.dictionary : type).toString()),
      required: !nullable,
      nested: Boolean(type.children?.length),
    })),
    metadata: Object.fromEntries(schema.metadata),
    async *read(columns) {
      for (let batch = 0; batch < batches.length; batch++) {
        const table = await read(batch);
        yield Object.fromEntries(
          columns.map((name) => [
            name,
            [...((table.getChild(name) ?? []) as Iterable<number | string | null>)],
          ]),
        );
      }
    },
  };
}

function arrowTypeName(name: string): string {
  if (/^(large)?utf8(view)?$/i.test(name)) return 'STRING';
  return { Int64: 'INT64', Int32: 'INT32', Float64: 'DOUBLE' }[name] ?? name;
}
