import type { TableGroup } from '../../pipeline/formats/table-file.ts';
import type { ByteSource } from './bytes.ts';
import type { FileMark } from './table.ts';

/**
 * Row groups are fetched whole, with their neighbours, up to this size; of larger ones only what is
 * asked for is.
 */
const SEGMENT_BYTES = 1 << 20;
const SEGMENTS_KEPT = 8;
/**
 * What a file ends with is fetched at one go: a footer, and before it where it begins. The footer
 * of a long run of eos, with its outlines, is about one part in 217 of it.
 */
const TAIL_BYTES = 1 << 16;
const TAIL_SHARE = 1 / 210;
const MOST_TAIL = 1 << 21;

/**
 * A source that reads small neighbouring row groups by one request, and keeps them for the next
 * column.
 *
 * @param before an earlier state of it: all that may have come since is fetched by
 * one request where it is not too much, or else the footer, which may have grown
 */
export function segmented(
  file: ByteSource,
  before?: FileMark,
): ByteSource & {
  /** Tells where the row groups are, once that is known. */
  divide(groups: readonly TableGroup[]): void;
} {
  const bounds: { start: number; end: number }[] = [];
  const kept = new Map<number, Promise<ArrayBuffer>>();
  const slice = together(file);
  const tailStart = tailOf(file.byteLength, before);
  let tail: Promise<ArrayBuffer> | undefined;
  return {
    ...file,
    divide(groups) {
      for (const { start, end } of groups) {
        const last = bounds.at(-1);
        const isNear = last && start >= last.end && end - last.start <= SEGMENT_BYTES;
        if (isNear && start !== before?.last) last.end = end;
        else bounds.push({ start, end });
      }
    },
    async slice(start, end = file.byteLength) {
      if (start >= tailStart && (tail || bounds.length === 0)) {
        tail ??= slice(tailStart, file.byteLength);
        return (await tail).slice(start - tailStart, end - tailStart);
      }
      const index = segmentAt(bounds, start);
      const segment = bounds[index];
      if (!segment || end > segment.end || segment.end - segment.start > SEGMENT_BYTES)
        return slice(start, end);
      let whole = kept.get(index);
      if (!whole) {
        whole = slice(segment.start, segment.end);
        whole.catch(() => kept.delete(index));
        kept.set(index, whole);
        const oldest = kept.keys().next().value;
        if (kept.size > SEGMENTS_KEPT && oldest !== undefined) kept.delete(oldest);
      }
      return (await whole).slice(start - segment.start, end - segment.start);
    },
  };
}

function tailOf(size: number, before?: FileMark): number {
  const share = before ? 0 : Math.min(MOST_TAIL, Math.ceil(TAIL_SHARE * size));
  const end = Math.max(0, size - Math.max(TAIL_BYTES, share) - (before?.footer ?? 0));
  return before && size - before.last <= TOGETHER_BYTES ? Math.min(before.last, end) : end;
}

/**
 * Parts no further from each other than this are fetched with what stands between them, up to so
 * many bytes.
 */
const GAP_BYTES = 1 << 16;
const TOGETHER_BYTES = 1 << 23;
/** Milliseconds in which the panels of a page have all asked. */
const GATHERING = 5;

interface Asked {
  readonly start: number;
  readonly end: number;
  resolve(bytes: ArrayBuffer): void;
  reject(error: unknown): void;
}

/**
 * Reads what is asked for in one go by as few requests as can be: a browser sends six at a time.
 */
function together(file: ByteSource): (start: number, end: number) => Promise<ArrayBuffer> {
  let waiting: Asked[] = [];

  function send(): void {
    const sorted = waiting.sort((a, b) => a.start - b.start);
    waiting = [];
    let group: Asked[] = [];
    let end = 0;
    for (const part of sorted) {
      const reached = Math.max(end, part.end);
      if (
        group.length > 0 &&
        (part.start - end > GAP_BYTES || reached - group[0]!.start > TOGETHER_BYTES)
      ) {
        fetchGroup(group, end);
        group = [];
      }
      end = group.length > 0 ? reached : part.end;
      group.push(part);
    }
    if (group.length > 0) fetchGroup(group, end);
  }

  function fetchGroup(group: readonly Asked[], end: number): void {
    const { start } = group[0]!;
    file.slice(start, end).then(
      (bytes) => {
        for (const part of group) part.resolve(bytes.slice(part.start - start, part.end - start));
      },
      (error: unknown) => {
        for (const part of group) part.reject(error);
      },
    );
  }

  return (start, end) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ start, end, resolve, reject }) === 1) setTimeout(send, GATHERING);
    });
}

/** The last segment that begins at `offset` or before; they stand in the order of the file. */
function segmentAt(bounds: readonly { readonly start: number }[], offset: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]!.start <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
