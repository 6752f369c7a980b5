import { type ColumnStore, lowerBound } from './columns.ts';
import type { ColumnStatistics, Statistics } from './protocol.ts';
import { ChangedFileError, type ColumnValues } from './table.ts';

/** A selection of more rows is not read for its statistics. */
const MOST_ROWS = 200_000;

/**
 * Means of columns over the steps of [from, to], and the slopes of their logarithms by least
 * squares. A row counts for all steps since the one before, since thinned runs keep more rows where
 * the loss peaks; rows where a column has no number do not count for it.
 *
 * @returns undefined where there are too many rows to read
 */
export async function statistics(
  store: ColumnStore,
  columns: readonly string[],
  from: number,
  to: number,
): Promise<Statistics | undefined> {
  const inside: number[] = [];
  let rows = 0;
  for (const [group, { rows: size }] of store.source.groups.entries()) {
    if (size === 0) continue;
    const [first, last] = await store.steps(group);
    if (last < from || first > to) continue;
    inside.push(group);
    rows += size;
  }
  if (rows > MOST_ROWS) return undefined;

  const names = columns.filter(store.has);
  const sums = names.map(() => ({ count: 0, sum: 0, squares: 0, n: 0, t: 0, y: 0, tt: 0, ty: 0 }));
  let counted = 0;
  let before = Number.NaN;
  await store.visit(
    inside,
    async (group) => ({
      steps: await store.values('step', group),
      values: await Promise.all(names.map((name) => orNone(store.values(name, group)))),
    }),
    ({ steps, values }) => {
      const start = lowerBound(steps, from);
      if (start > 0) before = steps[start - 1]!;
      for (let i = start; i < steps.length && steps[i]! <= to; i++) {
        counted++;
        const step = steps[i]!;
        const weight = Number.isNaN(before) ? (steps[i + 1] ?? step + 1) - step : step - before;
        before = step;
        // About the left end, so that long runs lose no digits.
        const t = step - from;
        for (const [c, of] of sums.entries()) {
          const value = values[c]?.[i] ?? Number.NaN;
          if (!Number.isFinite(value)) continue;
          of.count += weight;
          of.sum += weight * value;
          of.squares += weight * value * value;
          if (value <= 0) continue;
          const y = Math.log(value);
          of.n += weight;
          of.t += weight * t;
          of.y += weight * y;
          of.tt += weight * t * t;
          of.ty += weight * t * y;
        }
      }
    },
  );
  const result = sums.map(({ count, sum, squares, n, t, y, tt, ty }): ColumnStatistics => {
    const spread = n * tt - t * t;
    return {
      mean: sum / count,
      meanSquare: squares / count,
      logSlope: spread > 0 ? (n * ty - t * y) / spread : Number.NaN,
    };
  });
  return { rows: counted, columns: Object.fromEntries(names.map((name, c) => [name, result[c]!])) };
}

/** A damaged column is told by the panel that draws it; the others still have their numbers. */
const orNone = (values: Promise<ColumnValues>): Promise<ColumnValues | undefined> =>
  values.catch((error: unknown) => {
    if (error instanceof ChangedFileError) throw error;
    return undefined;
  });
