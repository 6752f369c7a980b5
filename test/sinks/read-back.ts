import { readFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { DataType, tableFromIPC } from 'apache-arrow';
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync } from 'hyparquet';
import { parquetReadColumn } from 'hyparquet/src/read.js';
import { expect } from 'vitest';

/** A table as a reader found it in a file. */
export interface ReadTable {
  readonly rows: number;
  /** Rows of each row group or record batch. */
  readonly groups: readonly number[];
  readonly fields: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
  values(name: string): Promise<ArrayLike<unknown>>;
}

export async function readBack(file: string): Promise<ReadTable> {
  return file.endsWith('.arrow') ? readArrow(file) : readParquet(file);
}

/** Expects two files to hold the same columns, rows and summary, to the last bit. */
export async function expectSameRun(file: string, other: string): Promise<void> {
  const [ours, theirs] = await Promise.all([readBack(file), readBack(other)]);
  expect(ours.fields).toEqual(theirs.fields);
  for (const { name } of theirs.fields)
    expect(Array.from(await ours.values(name)), name).toEqual(
      Array.from(await theirs.values(name)),
    );
  expect(ours.metadata['eos.summary']).toBe(theirs.metadata['eos.summary']);
}

export async function parquetFooter(file: string): Promise<FileMetaData> {
  return parquetMetadataAsync(await asyncBufferFromFile(file));
}

async function readParquet(file: string): Promise<ReadTable> {
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer);
  return {
    rows: Number(metadata.num_rows),
    groups: metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
    fields: metadata.schema.slice(1).map(({ name, type, converted_type, repetition_type }) => ({
      name,
      type: converted_type === 'UTF8' ? 'STRING' : String(type),
      required: repetition_type === 'REQUIRED',
    })),
    metadata: Object.fromEntries(
      (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    values: (name) => parquetReadColumn({ file: buffer, metadata, columns: [name] }),
  };
}

const ARROW_TYPES: Readonly<Record<string, string>> = {
  Int64: 'INT64',
  Int32: 'INT32',
  Float64: 'DOUBLE',
};

async function readArrow(file: string): Promise<ReadTable> {
  const table = tableFromIPC(await readFile(file));
  return {
    rows: table.numRows,
    groups: table.batches.map(({ numRows }) => numRows),
    fields: table.schema.fields.map(({ name, type, nullable }) => ({
      name,
      type:
        DataType.isDictionary(type) && DataType.isUtf8(type.dictionary)
          ? 'STRING'
          : ARROW_TYPES[String(type)]!,
      required: !nullable,
    })),
    metadata: Object.fromEntries(table.schema.metadata),
    values: async (name) => {
      const column = table.getChild(name)!;
      return DataType.isDictionary(column.type) ? [...column] : column.toArray();
    },
  };
}

/** Rows of a query, as objects. */
export async function duckdb(query: string): Promise<Record<string, unknown>[]> {
  return (await duckdbReader(query)).getRowObjects() as Record<string, unknown>[];
}

/** Columns of a query, as arrays. */
export async function duckdbColumns(query: string): Promise<Record<string, ArrayLike<unknown>>> {
  return (await duckdbReader(query)).getColumnsObject();
}

async function duckdbReader(query: string) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return await connection.runAndReadAll(query);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
