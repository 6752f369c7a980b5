import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { decoderOf } from '../formats/all-codecs.ts';
import { type ByteSource, withEnd } from '../formats/byte-source.ts';
import { DamagedFileError } from '../formats/file-errors.ts';
import { readParquetFooter } from '../formats/parquet/parquet-footer.ts';
import { decodeParquetFooter, storedParquet } from '../formats/parquet/stored-parquet.ts';
import type { StoredTable } from '../formats/stored-table.ts';
import { fileSource } from './file-source.ts';
import { PARTIAL } from './file-target.ts';
import { JOURNAL, type JournalContent, type JournalGroup, readJournal } from './journal.ts';

export interface StoredFile extends StoredTable {
  readonly path: string;
  /** Bytes of the groups: those of the file, and behind `offset` those of the journal. */
  readonly bytes: ByteSource;
  close(): Promise<void>;
}

/**
 * Opens what a file holds: a whole file by its footer, a partial one by its journal. What the
 * journal has acknowledged is there in full; row groups written since count as far as they are as
 * they were written.
 *
 * @throws DamagedFileError where there is nothing to be had
 */
export async function openStored(path: string): Promise<StoredFile> {
  const journal = path.endsWith(PARTIAL) ? await readJournal(path + JOURNAL) : undefined;
  const file = await open(path, 'r');
  try {
    const source = await fileSource(file);
    const found = journal ? await fromJournal(source, journal) : await fromFooter(source);
    return { ...found.table, path, bytes: found.bytes, close: () => file.close() };
  } catch (error) {
    await file.close();
    // Without a journal, and not whole: the program died before its first flush.
    if (error instanceof DamagedFileError && path.endsWith(PARTIAL) && !journal) {
      throw new DamagedFileError(
        `no rows had been flushed, or its journal is lost (${error.message})`,
      );
    }
    if (error instanceof DamagedFileError || (error as NodeJS.ErrnoException).code) throw error;
    throw new DamagedFileError((error as Error).message.split('\n')[0] ?? 'it cannot be read');
  }
}

/** A file that is written, as far as it has been flushed: a source that is whole at any moment. */
export async function growingFile(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const journal = await readJournal(path + JOURNAL);
  const file = await open(path, 'r');
  const source = await fileSource(file);
  const bytes = journal?.flush
    ? withEnd(source, journal.flush.offset, journal.flush.closing)
    : source;
  return { ...bytes, close: () => file.close() };
}

/** What a program has left of a file, or has written of it so far, as if it ended there. */
export async function partialSource(path: string): Promise<ByteSource> {
  const { bytes, groups, metadata, state, closing } = await openStored(path);
  return withEnd(bytes, state(groups.length).end, closing(groups.length, metadata));
}

const importArrow = async () => ({
  ...(await import('../formats/arrow/arrow-table.ts')),
  ...(await import('../formats/arrow/stored-arrow.ts')),
});

interface Found {
  readonly table: StoredTable;
  readonly bytes: ByteSource;
}

async function fromJournal(source: ByteSource, { flush, groups }: JournalContent): Promise<Found> {
  const kind = await kindOf(source);
  if (flush && source.byteLength < flush.offset) {
    throw new DamagedFileError(
      `it ends at byte ${source.byteLength}, but ${flush.offset} were safe when its journal ` +
        'was written',
    );
  }
  const good = await goodGroups(source, flush?.offset, groups);
  const last = good.at(-1)?.footer ?? flush?.closing;
  if (!last) throw new DamagedFileError('nothing had been flushed');
  // The rows behind the last flush are those with which the first group after it begins: it takes
  // their place.
  const kept = (offset: number) => good.length === 0 || offset < flush!.offset;
  const bytes = flush && good.length === 0 ? withEnd(source, flush.offset, flush.closing) : source;

  if (kind === 'arrow') {
    const footers = good.map(({ footer }) => footer);
    const { joinArrow, storedArrow } = await importArrow();
    return { bytes, table: storedArrow(await joinArrow(bytes, flush?.closing, footers, kept)) };
  }
  const base = flush ? decodeParquetFooter(flush.closing).row_groups : [];
  const row_groups = [
    ...base.filter(({ columns }) => kept(Number(columns[0]?.meta_data?.data_page_offset))),
    ...good.flatMap((group) => decodeParquetFooter(group.footer).row_groups),
  ];
  const num_rows = row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  const end = bytes === source ? endOf(good, flush) : footerStart(bytes, flush!.closing);
  return {
    bytes,
    table: storedParquet(bytes, { ...decodeParquetFooter(last), row_groups, num_rows }, end),
  };
}

function endOf(good: readonly JournalGroup[], flush: JournalContent['flush']): number {
  const last = good.at(-1);
  return last ? last.offset + last.length : flush!.offset;
}

function footerStart({ byteLength }: ByteSource, closing: Uint8Array): number {
  const view = new DataView(closing.buffer, closing.byteOffset, closing.byteLength);
  return byteLength - 8 - view.getUint32(closing.length - 8, true);
}

/** The groups noted since the flush, up to the first one that did not reach the disk as it was. */
async function goodGroups(
  source: ByteSource,
  from: number | undefined,
  groups: readonly JournalGroup[],
): Promise<JournalGroup[]> {
  const good: JournalGroup[] = [];
  let at = from ?? groups[0]?.offset ?? 0;
  for (const group of groups) {
    // Older versions noted a group twice where a flush was under way.
    if (group.offset < at) continue;
    if (group.offset !== at) break;
    if (group.offset + group.length > source.byteLength) break;
    const bytes = await source.slice(group.offset, group.offset + group.length);
    if (crc32(new Uint8Array(bytes)) !== group.checksum) break;
    good.push(group);
    at = group.offset + group.length;
  }
  return good;
}

async function fromFooter(source: ByteSource): Promise<Found> {
  if ((await kindOf(source)) === 'arrow') {
    const { openArrow, storedArrow } = await importArrow();
    return { bytes: source, table: storedArrow(await openArrow(source, decoderOf)) };
  }
  const { start } = await readParquetFooter(source);
  const footer = decodeParquetFooter(new Uint8Array(await source.slice(start)));
  return { bytes: source, table: storedParquet(source, footer, start) };
}

/** By the first bytes alone: right after the first flush a partial file may hold nothing else. */
async function kindOf(source: ByteSource): Promise<'parquet' | 'arrow'> {
  const head = new TextDecoder('latin1').decode(
    await source.slice(0, Math.min(6, source.byteLength)),
  );
  if (head.startsWith('PAR1')) return 'parquet';
  if (head === 'ARROW1') return 'arrow';
  throw new DamagedFileError(
    head.length < 4 ? 'no rows had been written' : 'neither a Parquet nor an Arrow file',
  );
}
