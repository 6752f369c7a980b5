import { damaged, LIMITS, unsupported } from '../limits.ts';
import type { RecordBatch } from './apache-arrow-parts.ts';
import type { ArrowLayout } from './arrow-schema.ts';

/** What a message is checked against. */
export interface Claims {
  /** Length of the message. */
  readonly bytes: number;
  /**
   * What the message describes, where it is at hand; the insides of buffers are then looked at as
   * well.
   */
  readonly body: Uint8Array | undefined;
  readonly bodyLength: number;
  /** Bytes that the body takes in the file. */
  readonly stored: number;
}

interface Region {
  readonly offset: number;
  readonly length: number;
}

/** Bytes of a view, and the longest text that stands in it. */
const VIEW = 16;
const INLINE = 12;

/**
 * Checks that the columns of a record batch are as long as they should be, and that all they point
 * at is there.
 * @returns rows of the batch
 */
export function checkBuffers(
  batch: RecordBatch,
  columns: readonly ArrowLayout[],
  claims: Claims,
): number {
  const { bytes, bodyLength, stored } = claims;
  const rows = Number(batch.length());
  if (!(Number.isSafeInteger(rows) && rows >= 0))
    damaged(`it has a record batch that claims ${batch.length()} rows`);
  if (rows > LIMITS.groupRows) unsupported(`it has a record batch that claims ${rows} rows`);
  const packed = batch.compression() !== null;
  const body = packed ? undefined : claims.body;
  const view = body && new DataView(body.buffer, body.byteOffset, body.byteLength);
  const nodes = batch.nodesLength();
  const buffers = batch.buffersLength();
  const counts = batch.variadicBufferCountsLength();
  if (!(nodes >= 0 && nodes * 16 <= bytes)) damaged(`it has a record batch of ${nodes} columns`);
  if (!(buffers >= 0 && buffers * 16 <= bytes))
    damaged(`it has a record batch of ${buffers} buffers`);
  if (!(counts >= 0 && counts * 8 <= bytes))
    damaged(`it has a record batch of ${counts} kinds of text`);
  const next = { node: 0, buffer: 0, count: 0 };
  // Lists may hold values that take no bytes, and views may all point at the same text.
  let values = LIMITS.leastRows + stored * LIMITS.rowsPerByte;
  let text = LIMITS.batch + stored * LIMITS.bytesPerByte;

  columns.forEach((column) => {
    check(column, rows);
  });
  if (next.node !== nodes) damaged(`it has a record batch of ${nodes} columns`);
  return rows;

  function region(least: number): Region {
    const buffer = next.buffer < buffers ? batch.buffers(next.buffer++) : null;
    const offset = Number(buffer?.offset() ?? -1);
    const length = Number(buffer?.length() ?? -1);
    // How long a packed one is will be seen when it is unpacked.
    if (!(offset >= 0 && length >= (packed ? 0 : least) && offset + length <= bodyLength)) {
      damaged('it has a record batch whose buffers are cut off');
    }
    return { offset, length };
  }

  /**
   * Checks a column and those inside it. @param expected how many values it must have; undefined
   * for those of lists
   */
  function check(column: ArrowLayout, expected: number | undefined, least = expected ?? 0): void {
    const node = next.node < nodes ? batch.nodes(next.node++) : null;
    const length = Number(node?.length() ?? -1);
    const nulls = Number(node?.nullCount() ?? -1);
    if (
      !(expected === undefined || length === expected) ||
      !(nulls >= 0 && nulls <= length) ||
      !(length >= least)
    ) {
      damaged('it has columns of different lengths');
    }
    if (expected === undefined) values -= length;
    if (!(values >= 0)) unsupported(`it claims lists of ${length} values in ${stored} bytes`);
    if (column.kind === 'nothing') return;
    const valid = region(nulls > 0 ? Math.ceil(length / 8) : 0);
    switch (column.kind) {
      case 'fixed':
      case 'codes':
        region(Math.ceil((length * column.bits) / 8));
        return;
      case 'text': {
        const starts = region(length === 0 ? 0 : (length + 1) * column.offsets);
        const { length: end } = region(0);
        if (view && length > 0 && checkOffsets(view, starts.offset, column.offsets, length) > end) {
          damaged('it has texts outside its buffers');
        }
        return;
      }
      case 'view':
        checkViews(region(length * VIEW), length, nulls > 0 ? valid : undefined);
        return;
      case 'list': {
        const starts = region(length === 0 ? 0 : (length + 1) * column.offsets);
        const end =
          view && length > 0 ? checkOffsets(view, starts.offset, column.offsets, length) : 0;
        check(column.item, undefined, end);
        return;
      }
      case 'lists of one size':
        check(column.item, undefined, length * column.size);
        return;
      case 'struct':
        for (const field of column.fields) check(field, length);
    }
  }

  function checkViews({ offset }: Region, length: number, valid: Region | undefined): void {
    const count = next.count < counts ? Number(batch.variadicBufferCounts(next.count++)) : 0;
    if (!(count >= 0 && count <= buffers))
      damaged(`it has a record batch of ${count} buffers of text`);
    const lengths = Array.from({ length: count }, () => region(0).length);
    if (!view) return;
    for (let i = 0; i < length; i++) {
      if (valid && !((view.getUint8(valid.offset + (i >> 3)) >> (i & 7)) & 1)) continue;
      const at = offset + i * VIEW;
      const size = view.getInt32(at, true);
      if (size >= 0 && size <= INLINE) continue;
      const from = view.getInt32(at + 12, true);
      const whole = lengths[view.getInt32(at + 8, true)] ?? -1;
      if (!(size >= 0 && from >= 0 && from + size <= whole))
        damaged('it has texts outside its buffers');
      text -= size;
      if (text < 0) damaged('it has the same text again and again');
    }
  }
}

/**
 * Texts and lists must follow one another: else a small file holds each of its rows the whole of
 * it.
 * @returns where the last one ends
 */
function checkOffsets(view: DataView, at: number, width: 4 | 8, rows: number): number {
  let before = 0;
  for (let i = 0; i <= rows; i++) {
    const place = at + i * width;
    const offset = width === 4 ? view.getInt32(place, true) : Number(view.getBigInt64(place, true));
    if (!(offset >= before)) damaged('it has texts or lists that overlap');
    before = offset;
  }
  return before;
}
