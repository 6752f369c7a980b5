import { open } from 'node:fs/promises';

export type TableKind = 'parquet' | 'arrow';

const PARQUET_MAGIC = 'PAR1';
const ARROW_MAGIC = 'ARROW1';

/** What kind of table a file holds, by its first bytes; undefined for anything else. */
export async function tableKind(path: string): Promise<TableKind | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith(PARQUET_MAGIC)) return 'parquet';
    return head === ARROW_MAGIC ? 'arrow' : undefined;
  } finally {
    await file.close();
  }
}

/** Key-value metadata of a Parquet or Arrow file; undefined where the file is neither, or not whole. */
export async function runFileMetadata(path: string): Promise<Record<string, string> | undefined> {
  const kind = await tableKind(path).catch(() => undefined);
  if (kind === undefined) return undefined;
  try {
    return kind === 'parquet' ? await parquetMetadata(path) : await arrowMetadata(path);
  } catch {
    return undefined;
  }
}

async function parquetMetadata(path: string): Promise<Record<string, string>> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
  const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value ?? '']));
}

async function arrowMetadata(path: string): Promise<Record<string, string>> {
  const { RecordBatchReader } = await import('apache-arrow');
  const file = await open(path, 'r');
  try {
    const reader = await RecordBatchReader.from(file);
    await reader.open();
    return Object.fromEntries(reader.schema.metadata);
  } finally {
    await file.close();
  }
}
