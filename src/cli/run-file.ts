import { open } from 'node:fs/promises';
import { HEAD_BYTES, tableKind as kindOf, type TableKind } from '../pipeline/formats/table-file.ts';
import { reading } from './reader/reading.ts';

export type { TableKind };

/** Key of the dynamics that are written beside a run, in its metadata. */
export const ALSO_KEY = 'eos.also';

/** What kind of table a file holds, by its first bytes; undefined for anything else. */
export async function tableKind(path: string): Promise<TableKind | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return kindOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * Key-value metadata of a Parquet or Arrow file; undefined where the file is neither, or not whole.
 */
export async function runFileMetadata(
  path: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return (await reading().openTable(path)).metadata;
  } catch {
    return undefined;
  }
}
