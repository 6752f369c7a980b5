import { decoderOf } from './all-codecs.ts';
import type { ByteSource } from './byte-source.ts';
import { damaged, decodedLater } from './limits.ts';
import { readParquetFooter } from './parquet/parquet-footer.ts';
import { parquetTable } from './parquet/parquet-table.ts';
import { crc32 } from './platform.ts';
import { hasSeal, isSealed, SEAL_KEY, sealOf } from './seal.ts';
import { HEAD_BYTES, refuseEncrypted, type TableKind, tableKind } from './table-file.ts';

/** What the checksums of a file say of it. */
export interface Integrity {
  readonly kind: TableKind;
  /** Row groups or record batches, and how many checksums they have. */
  readonly groups: number;
  readonly checksums: number;
  /** Where the file is not as it was written. */
  readonly problems: readonly string[];
  /** Whether it has a checksum of every byte; files of other programs have not. */
  readonly covered: boolean;
}

/** Bytes that are looked at at once. */
const SLICE = 1 << 22;
const MAGIC_LENGTH = 4;

/**
 * Compares every byte of a Parquet or Arrow file with the checksums that eos wrote into it: of each
 * column of each row group with its page headers, or of each record batch, and of all that stands
 * behind them.
 *
 * @throws DamagedFileError where the file is neither, or cannot be read at all
 */
export async function checkIntegrity(source: ByteSource): Promise<Integrity> {
  const head = new Uint8Array(await source.slice(0, Math.min(HEAD_BYTES, source.byteLength)));
  refuseEncrypted(head);
  const kind = tableKind(head);
  if (kind === undefined) return damaged('it does not begin as a Parquet or Arrow file does');
  const found = await decodedLater(() =>
    kind === 'parquet' ? checkParquet(source) : checkArrow(source),
  );
  const problems = [...found.problems];
  if (found.sealed && !found.footer) problems.push('its footer has lost its checksum');
  const covered = found.sealed === found.groups && found.footer;
  return { kind, groups: found.groups, checksums: found.checksums, problems, covered };
}

interface Found extends Pick<Integrity, 'groups' | 'checksums' | 'problems'> {
  /** Groups every byte of which has a checksum, and whether the rest of the file has one. */
  readonly sealed: number;
  readonly footer: boolean;
}

async function checkParquet(source: ByteSource): Promise<Found> {
  const end = await readParquetFooter(source);
  const { metadata } = parquetTable(source, end, decoderOf);
  const groups = end.footer.row_groups;
  const problems: string[] = [];
  let checksums = 0;
  let sealed = 0;
  let at = MAGIC_LENGTH;
  for (const [g, { columns }] of groups.entries()) {
    let whole = true;
    for (const { meta_data: chunk } of columns) {
      const start = Number(chunk!.dictionary_page_offset || chunk!.data_page_offset);
      const length = Number(chunk!.total_compressed_size);
      const told = chunk!.key_value_metadata?.find(({ key }) => key === SEAL_KEY)?.value;
      whole &&= told !== undefined && start === at;
      at = start + length;
      if (told === undefined) continue;
      checksums++;
      if (sealOf(await checksumOf(source, start, at)) !== told)
        problems.push(`column ${chunk!.path_in_schema.join('.')} of its row group ${g}`);
    }
    if (whole) sealed++;
  }
  const footer = metadata[SEAL_KEY] !== undefined && at === end.start;
  if (footer && !isSealed(new Uint8Array(await source.slice(end.start))))
    problems.push('its footer');
  return { groups: groups.length, checksums, problems, sealed, footer };
}

async function checkArrow(source: ByteSource): Promise<Found> {
  const { openArrow } = await import('./arrow/arrow-table.ts');
  const { metadata, batches } = await openArrow(source, decoderOf);
  const problems: string[] = [];
  let sealed = 0;
  let at = 0;
  for (const [b, { offset, metaDataLength, bodyLength }] of batches.entries()) {
    const start = at;
    const body = Number(offset) + metaDataLength;
    at = body + Number(bodyLength);
    const bytes = new Uint8Array(await source.slice(start, at));
    if (!hasSeal(bytes, body - start)) continue;
    sealed++;
    if (!isSealed(bytes, body - start)) problems.push(`its record batch ${b}`);
  }
  const footer = metadata[SEAL_KEY] !== undefined;
  if (footer && !isSealed(new Uint8Array(await source.slice(at)))) problems.push('its footer');
  return { groups: batches.length, checksums: sealed, problems, sealed, footer };
}

async function checksumOf(source: ByteSource, start: number, end: number): Promise<number> {
  let crc = 0;
  for (let at = start; at < end; at += SLICE)
    crc = crc32(new Uint8Array(await source.slice(at, Math.min(end, at + SLICE))), crc);
  return crc;
}
