import type { Points } from '../../pipeline/formats/envelope.ts';
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
  if (isLong(store, groups)) return outlinePath(store, { x, y, text, from, to }, groups);
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

/** A path of more rows is drawn from what the file keeps of them, where it keeps that. */
const LONG = 1_000_000;

function isLong(store: ColumnStore, groups: readonly number[]): boolean {
  const rows = groups.reduce((sum, group) => sum + store.source.groups[group]!.rows, 0);
  return rows > LONG && groups.slice(1).some((group) => store.outline('step', group));
}

interface Asked {
  readonly x: string;
  readonly y: string;
  readonly text: string | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * The path of a long run: its first rows as they are, where it goes far in few steps, and behind
 * them the extremes of y at their steps, with x, which moves slowly, between its own.
 */
async function outlinePath(
  store: ColumnStore,
  { x, y, text, from, to }: Asked,
  groups: readonly number[],
): Promise<Path> {
  const points: { x: number[]; y: number[]; step: number[]; code: number[] } = {
    ...{ x: [], y: [], step: [], code: [] },
  };
  const words: string[] = text === undefined ? [''] : [];
  const codeOf = (word: string) => {
    const known = words.indexOf(word);
    return known >= 0 ? known : words.push(word) - 1;
  };
  for (const [i, group] of groups.entries()) {
    const [px, py] = [store.outline(x, group), store.outline(y, group)];
    const runs = text === undefined ? undefined : store.wordRuns(text, group);
    if (i === 0 || !px || !py || (text !== undefined && !runs)) {
      const [first, last] = await store.steps(group);
      const part = await path(store, x, y, text, Math.max(from, first), Math.min(to, last));
      for (let p = 0; p < part.step.length; p++)
        add(part.step[p]!, part.x[p]!, part.y[p]!, part.words[part.code[p]!] ?? '');
      continue;
    }
    let run = 0;
    let at = 0;
    for (const [p, step] of py.x.entries()) {
      if (step < from || step > to) continue;
      while (runs && run + 1 < runs.first.length && runs.first[run + 1]! <= step) run++;
      while (at + 2 < px.x.length && px.x[at + 1]! < step) at++;
      const word = runs ? runs.words[runs.codes[run]!]! : '';
      add(step, between(px, at, step), py.y[p]!, word);
    }
  }
  return {
    x: Float64Array.from(points.x),
    y: Float64Array.from(points.y),
    step: Float64Array.from(points.step),
    code: Uint16Array.from(points.code),
    words,
  };

  function add(step: number, px: number, py: number, word: string): void {
    points.x.push(px);
    points.y.push(py);
    points.step.push(step);
    points.code.push(codeOf(word));
  }
}

/** On the line from a point to the next one. */
function between({ x, y }: Points, at: number, step: number): number {
  if (x.length < 2) return y[0] ?? Number.NaN;
  const part = (step - x[at]!) / (x[at + 1]! - x[at]!);
  return y[at]! + Math.max(0, Math.min(1, part)) * (y[at + 1]! - y[at]!);
}
