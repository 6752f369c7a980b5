import { type ColumnStore, rowsIn } from './columns.ts';
import type { Path } from './protocol.ts';

/** Cells of the grid on which a path is thinned, along either axis; about two to a pixel. */
const PATH_CELLS = 1600;

/**
 * The path through the plane of two columns: a point wherever it leaves its cell, or its word
 * changes.
 */
export async function path(
  store: ColumnStore,
  x: string,
  y: string,
  text: string | undefined,
  from: number,
  to: number,
): Promise<Path> {
  const groups = await store.groupsIn(from, to);
  let [left, right, bottom, top] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  await store.visit(
    groups,
    (group) => Promise.all([store.buckets(x, group), store.buckets(y, group)]),
    ([bx, by]) => {
      for (let i = 0; i < bx.low.length; i++) {
        if (bx.low[i]! < left) left = bx.low[i]!;
        if (bx.high[i]! > right) right = bx.high[i]!;
        if (by.low[i]! < bottom) bottom = by.low[i]!;
        if (by.high[i]! > top) top = by.high[i]!;
      }
    },
  );
  const cellX = PATH_CELLS / (right - left || 1);
  const cellY = PATH_CELLS / (top - bottom || 1);
  const points: { x: number[]; y: number[]; step: number[]; code: number[] } = {
    x: [],
    y: [],
    step: [],
    code: [],
  };
  let [lastX, lastY, lastCode] = [Number.NaN, Number.NaN, -1];
  const coded = text !== undefined && store.has(text) ? text : undefined;
  const read = (group: number) =>
    Promise.all([
      store.values('step', group),
      store.values(x, group),
      store.values(y, group),
      coded ? store.values(coded, group) : undefined,
    ]);
  await store.visit(groups, read, ([step, px, py, codes], group) => {
    const { start, end } = rowsIn(step, from, to);
    const final = group === groups.at(-1) ? end - 1 : -1;
    for (let i = start; i < end; i++) {
      if (step[i]! < from || step[i]! > to) continue;
      const [cx, cy, code] = [
        Math.floor((px[i]! - left) * cellX),
        Math.floor((py[i]! - bottom) * cellY),
        codes?.[i] ?? 0,
      ];
      if (cx === lastX && cy === lastY && code === lastCode && i !== final) continue;
      if (!Number.isFinite(px[i]!) || !Number.isFinite(py[i]!)) continue;
      points.x.push(px[i]!);
      points.y.push(py[i]!);
      points.step.push(step[i]!);
      points.code.push(code);
      [lastX, lastY, lastCode] = [cx, cy, code];
    }
  });
  return {
    x: Float64Array.from(points.x),
    y: Float64Array.from(points.y),
    step: Float64Array.from(points.step),
    code: Uint16Array.from(points.code),
    words: coded ? [...store.source.words(coded)] : [''],
  };
}
