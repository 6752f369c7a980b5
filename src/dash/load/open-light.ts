import type { DecoderOf } from '../../pipeline/formats/codecs.ts';
import { guarded, lightCodecs, unknownCodec } from '../../pipeline/formats/codecs.ts';
import { damaged } from '../../pipeline/formats/limits.ts';
import { openParquet } from '../../pipeline/formats/parquet/parquet-table.ts';
import { HEAD_BYTES, refuseEncrypted, tableKind } from '../../pipeline/formats/table-file.ts';
import type { ByteSource } from './bytes.ts';
import { segmented } from './segments.ts';
import { MAX_STRING, OtherReaderError, type TableSource } from './table.ts';
import { tableSource } from './table-source.ts';

/** Bytes of a character, at most. */
const CHARACTER = 4;

const light: DecoderOf = async (codec) => guarded(lightCodecs[codec] ?? unknownCodec(codec));

/**
 * Opens a Parquet file as eos writes it: reads its footer, and later only the columns that are
 * asked for.
 *
 * @throws OtherReaderError where it takes a larger reader: an Arrow file, or codecs that eos does
 * not use by itself
 */
export function openLight(file: ByteSource): Promise<TableSource> {
  return openPages(file, light, (codec) => lightCodecs[codec] !== undefined);
}

/** Opens a Parquet file with these decoders. @throws RunFileError */
export function openPages(
  file: ByteSource,
  decoderOf: DecoderOf,
  reads: (codec: Parameters<DecoderOf>[0]) => boolean,
): Promise<TableSource> {
  const parts = segmented(file);
  return tableSource(parts, async () => {
    const head = file.slice(0, Math.min(HEAD_BYTES, file.byteLength));
    const opened = openParquet(parts, decoderOf, { longestText: CHARACTER * MAX_STRING });
    opened.catch(() => {});
    const first = new Uint8Array(await head);
    refuseEncrypted(first);
    const kind = tableKind(first);
    if (kind === 'arrow') throw new OtherReaderError();
    if (kind === undefined && file.byteLength > HEAD_BYTES)
      return damaged('it is neither a Parquet nor an Arrow file');
    const table = await opened;
    const codecs = table.footer.row_groups.flatMap(({ columns }) =>
      columns.flatMap(({ meta_data }) => meta_data?.codec ?? []),
    );
    if (!codecs.every(reads)) throw new OtherReaderError();
    parts.divide(table.groups);
    return table;
  });
}
