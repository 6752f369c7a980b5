import { decoderOf } from '../../pipeline/formats/all-codecs.ts';
import { openArrow } from '../../pipeline/formats/arrow/arrow-table.ts';
import type { ByteSource } from './bytes.ts';
import { openPages } from './open-light.ts';
import { OtherReaderError, type TableSource } from './table.ts';
import { tableSource } from './table-source.ts';

/**
 * Bytes of record batches that are kept, unpacked: one is read again for every column otherwise.
 */
const KEPT_BYTES = 256 * 1024 * 1024;

/** Opens a Parquet file of any codec, or an Arrow IPC file or stream. @throws RunFileError */
export async function openAny(file: ByteSource): Promise<TableSource> {
  try {
    return await openPages(file, decoderOf, () => true);
  } catch (error) {
    if (!(error instanceof OtherReaderError)) throw error;
    return tableSource(file, () => openArrow(file, decoderOf, { keep: KEPT_BYTES }));
  }
}
