import { decoderOf } from '../../pipeline/formats/all-codecs.ts';
import { openArrow } from '../../pipeline/formats/arrow/arrow-table.ts';
import type { ByteSource } from './bytes.ts';
import { openPages } from './open-light.ts';
import { segmented } from './segments.ts';
import { type FileMark, OtherReaderError, type TableSource } from './table.ts';
import { tableSource } from './table-source.ts';

/**
 * Bytes of record batches that are kept, unpacked: one is read again for every column otherwise.
 */
const KEPT_BYTES = 256 * 1024 * 1024;

/** Opens a Parquet file of any codec, or an Arrow IPC file or stream. @throws RunFileError */
export async function openAny(file: ByteSource, before?: FileMark): Promise<TableSource> {
  try {
    if (before?.kind !== 'arrow') return await openPages(file, decoderOf, () => true, before);
  } catch (error) {
    if (!(error instanceof OtherReaderError)) throw error;
  }
  const parts = before ? segmented(file, before) : file;
  return tableSource(parts, () => openArrow(parts, decoderOf, { keep: KEPT_BYTES }), before);
}
