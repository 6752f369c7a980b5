import type { DecoderOf } from '../../pipeline/formats/codecs.ts';
import { guarded, lightCodecs, unknownCodec } from '../../pipeline/formats/codecs.ts';
import { damaged } from '../../pipeline/formats/limits.ts';
import { openParquet } from '../../pipeline/formats/parquet/parquet-table.ts';
import { HEAD_BYTES, refuseEncrypted, tableKind } from '../../pipeline/formats/table-file.ts';
import type { ByteSource } from './bytes.ts';
import { segmented } from './segments.ts';
import { type FileMark, MAX_STRING, OtherReaderError, type TableSource } from './table.ts';
import { tableSource } from './table-source.ts';

/** Bytes of a character, at most. */
const CHARACTER = 4;

const light: DecoderOf = async (codec) => guarded(lightCodecs[codec] ?? unknownCodec(codec));

/**
 * Opens a Parquet file as eos writes it: reads its footer, and later only the columns that are
 * asked for.
 *
 * @param before an earlier state of the file
 * @throws OtherReaderError where it takes a larger reader: an Arrow file, or codecs that eos does
 * not use by itself
 */
export function openLight(file: ByteSource, before?: FileMark): Promise<TableSource> {
  return openPages(file, light, (codec) => lightCodecs[codec] !== undefined, before);
}

/** Opens a Parquet file with these decoders. @throws RunFileError */
export function openPages(
  file: ByteSource,
  decoderOf: DecoderOf,
  reads: (codec: Parameters<DecoderOf>[0]) => boolean,
  before?: FileMark,
): Promise<TableSource> {
  const parts = segmented(file, before);
  return tableSource(
    parts,
    async () => {
      const opened = openParquet(parts, decoderOf, { longestText: CHARACTER * MAX_STRING });
      opened.catch(() => {});
      if (!before) await checkHead(file);
      const table = await opened;
      const codecs = table.footer.row_groups.flatMap(({ columns }) =>
        columns.flatMap(({ meta_data }) => meta_data?.codec ?? []),
      );
      if (!codecs.every(reads)) throw new OtherReaderError();
      parts.divide(table.groups);
      return table;
    },
    before,
  );
}

/** @throws OtherReaderError where it is an Arrow file */
async function checkHead(file: ByteSource): Promise<void> {
  const head = new Uint8Array(await file.slice(0, Math.min(HEAD_BYTES, file.byteLength)));
  refuseEncrypted(head);
  const kind = tableKind(head);
  if (kind === 'arrow') throw new OtherReaderError();
  if (kind === undefined && file.byteLength > HEAD_BYTES)
    damaged('it is neither a Parquet nor an Arrow file');
}
