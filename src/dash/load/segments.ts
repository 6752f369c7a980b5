import type { TableGroup } from '../../pipeline/formats/table-file.ts';
import type { ByteSource } from './bytes.ts';

/** Row groups are fetched whole, with their neighbours, up to this size; of larger ones only what is asked for is. */
const SEGMENT_BYTES = 1 << 20;
const SEGMENTS_KEPT = 8;
/** What a file ends with is fetched at one go: a footer, and before it where it begins. */
const TAIL_BYTES = 1 << 16;

/** A source that reads small neighbouring row groups by one request, and keeps them for the next column. */
export function segmented(file: ByteSource): ByteSource & {
  /** Tells where the row groups are, once that is known. */
  divide(groups: readonly TableGroup[]): void;
} {
  const bounds: { start: number; end: number }[] = [];
  const kept = new Map<number, Promise<ArrayBuffer>>();
  const tailStart = Math.max(0, file.byteLength - TAIL_BYTES);
  let tail: Promise<ArrayBuffer> | undefined;
  return {
    ...file,
    divide(groups) {
      for (const { start, end } of groups) {
        const last = bounds.at(-1);
        if (last && start >= last.end && end - last.start <= SEGMENT_BYTES) last.end = end;
        else bounds.push({ start, end });
      }
    },
    async slice(start, end = file.byteLength) {
      if (bounds.length === 0 && start >= tailStart) {
        tail ??= file.slice(tailStart, file.byteLength);
        return (await tail).slice(start - tailStart, end - tailStart);
      }
      const index = segmentAt(bounds, start);
      const segment = bounds[index];
      if (!segment || end > segment.end || segment.end - segment.start > SEGMENT_BYTES)
        return file.slice(start, end);
      let whole = kept.get(index);
      if (!whole) {
        whole = file.slice(segment.start, segment.end);
        whole.catch(() => kept.delete(index));
        kept.set(index, whole);
        const oldest = kept.keys().next().value;
        if (kept.size > SEGMENTS_KEPT && oldest !== undefined) kept.delete(oldest);
      }
      return (await whole).slice(start - segment.start, end - segment.start);
    },
  };
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
