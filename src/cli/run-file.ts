import { open } from 'node:fs/promises';
import { pathSource } from '../pipeline/node/path-source.ts';

export type TableKind = 'parquet' | 'arrow';

const PARQUET_MAGIC = 'PAR1';
const ARROW_MAGIC = 'ARROW1';
/** What the messages of an Arrow stream begin with. */
const ARROW_MARK = '\xff\xff\xff\xff';

/** What kind of table a file holds, by its first bytes; undefined for anything else. */
export async function tableKind(path: string): Promise<TableKind | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith(PARQUET_MAGIC)) return 'parquet';
    return head === ARROW_MAGIC || head.startsWith(ARROW_MARK) ? 'arrow' : undefined;
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
  const { readParquetFooter } = await import('../pipeline/formats/parquet/parquet-footer.ts');
  const { footer } = await readParquetFooter(await pathSource(path));
  return Object.fromEntries(
    (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
  );
}

async function arrowMetadata(path: string): Promise<Record<string, string>> {
  const { openArrow } = await import('../pipeline/formats/arrow/arrow-table.ts');
  return Object.fromEntries((await openArrow(await pathSource(path))).schema.metadata);
}
