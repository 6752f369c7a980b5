import type { ByteSource } from './byte-source.ts';
import { damaged } from './limits.ts';
import { HEAD_BYTES, refuseEncrypted, type TableFile, tableKind } from './table-file.ts';

/**
 * Opens a Parquet file, or an Arrow IPC file or stream, by its first bytes.
 *
 * @throws DamagedFileError where it is neither, is cut off, or cannot be as it says
 */
export async function openTable(source: ByteSource): Promise<TableFile> {
  const head = new Uint8Array(await source.slice(0, Math.min(HEAD_BYTES, source.byteLength)));
  refuseEncrypted(head);
  const { decoderOf } = await import('./all-codecs.ts');
  switch (tableKind(head)) {
    case 'parquet':
      return (await import('./parquet/parquet-table.ts')).openParquet(source, decoderOf);
    case 'arrow':
      return (await import('./arrow/arrow-table.ts')).openArrow(source, decoderOf);
    default:
      return damaged('it is neither a Parquet nor an Arrow file');
  }
}
