import {
  addPoints,
  BUCKET,
  type Envelope,
  emptyEnvelope,
  envelopePoints,
  foldBuckets,
  type PixelRows,
  type Points,
  pixelRows,
} from '../../pipeline/formats/envelope.ts';
import { OUTLINE_ROWS } from '../../pipeline/formats/parquet/chunk-outline.ts';
import { bucketRange, type ColumnStore, rowsIn, span } from './columns.ts';
import type { ColumnValues } from './table.ts';

/**
 * One line a column over [from, to] with every extreme: from the rows themselves, or where there
 * are far more rows than pixels from their buckets.
 */
export async function lines(
  store: ColumnStore,
  columns: readonly string[],
  from: number,
  to: number,
  width: number,
): Promise<readonly Points[]> {
  const groups = await store.groupsIn(from, to);
  const rows = groups.reduce((sum, group) => sum + store.source.groups[group]!.rows, 0);
  const [first, last] = await span(store, groups);
  const share =
    last > first ? Math.min(1, (Math.min(to, last) - Math.max(from, first)) / (last - first)) : 1;
  const perPixel = (rows * share) / width;
  const overview = perPixel > 2 * BUCKET;
  // A block of an outline is then two pixels wide at most.
  const pixels = new Map<ColumnValues, PixelRows>();
  const outlined = (column: string) =>
    perPixel >= OUTLINE_ROWS / 2 && groups.some((group) => store.outline(column, group));
  return Promise.all(
    columns.map((column) =>
      overview && !outlined(column)
        ? overviewLine(store, column, groups, from, to, width)
        : rowsLine(store, column, groups, emptyEnvelope(from, to, width), outlined(column), pixels),
    ),
  );
}

/**
 * From rows; with `outlined` from what the file keeps of its groups, where it keeps something.
 *
 * @param pixels which pixel columns the rows of a column of steps fall into, once that is known:
 * it is the same for all columns
 */
async function rowsLine(
  store: ColumnStore,
  column: string,
  groups: readonly number[],
  envelope: Envelope,
  outlined: boolean,
  pixels: Map<ColumnValues, PixelRows>,
): Promise<Points> {
  await store.visit(
    groups,
    async (group): Promise<{ x: ColumnValues; y: ColumnValues }> => {
      const outline = outlined ? store.outline(column, group) : undefined;
      if (outline) return outline;
      const [x, y] = await Promise.all([store.values('step', group), store.values(column, group)]);
      return { x, y };
    },
    ({ x, y }) => {
      let rows = pixels.get(x);
      if (!rows) {
        const { start, end } = rowsIn(x, envelope.from, envelope.to);
        rows = pixelRows(envelope, x, start, end);
        pixels.set(x, rows);
      }
      addPoints(envelope, x, y, rows);
    },
  );
  return envelopePoints(envelope);
}

async function overviewLine(
  store: ColumnStore,
  column: string,
  groups: readonly number[],
  from: number,
  to: number,
  width: number,
): Promise<Points> {
  const ranges = await Promise.all(
    groups.map(async (group) => {
      const { rows } = store.source.groups[group]!;
      const [first, last] = await store.steps(group);
      if (first >= from && last <= to) return bucketRange({ start: 0, end: rows });
      return bucketRange(rowsIn(await store.values('step', group), from, to));
    }),
  );
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  const merge = Math.max(1, Math.ceil(total / width));
  const envelope: Envelope = emptyEnvelope(from, to, Math.ceil(total / merge) + groups.length);
  let at = 0;
  await store.visit(
    groups,
    (group) => store.buckets(column, group),
    (buckets, group) => {
      const { start, end } = ranges[groups.indexOf(group)]!;
      at = foldBuckets(envelope, buckets, start, end, merge, at);
    },
  );
  return envelopePoints(envelope);
}
