import type { ByteSource, FileOrigin, OnBytes } from './bytes.ts';
import { openBytes } from './bytes.ts';
import { bucketRange, type ColumnStore, columnStore, lowerBound, rowsIn } from './columns.ts';
import {
  addPoints,
  BUCKET,
  type Envelope,
  emptyEnvelope,
  envelopePoints,
  foldBuckets,
  type Points,
} from './envelope.ts';
import type { Cycle, Interval, Path, TableApi, TableInfo } from './protocol.ts';
import { RunFileError, type TableSource } from './table.ts';

/** Cells of the grid on which a path is thinned, along either axis; about two to a pixel. */
const PATH_CELLS = 1600;
/** Intervals and cycles beyond this are not listed. */
const MAX_LISTED = 20_000;
const CSV_ROWS = 4096;

/** Answers the page's questions about one run file. */
export function tableApi(openTable: (file: ByteSource) => Promise<TableSource>, onBytes: OnBytes): TableApi {
  let origin: FileOrigin;
  let version = '';
  let store: ColumnStore;

  async function load(): Promise<TableSource> {
    const file = await openBytes(origin, onBytes);
    const source = await openTable(file);
    if (!source.columns.some(({ name, kind }) => name === 'step' && kind === 'number')) {
      throw new RunFileError('the file has no column step, so it is not a run of eos');
    }
    version = file.version;
    return source;
  }

  const all = (): number[] => store.source.groups.map((_, group) => group);

  return {
    async open(from) {
      origin = from;
      store = columnStore(await load());
      return tableInfo(store);
    },
    async refresh() {
      const file = await openBytes(origin, onBytes);
      if (file.version === version) return undefined;
      store = store.replace(await load());
      return tableInfo(store);
    },
    async lines(columns, from, to, width) {
      const groups = await store.groupsIn(from, to);
      const rows = groups.reduce((sum, group) => sum + store.source.groups[group]!.rows, 0);
      const [first, last] = await span(store, groups);
      const share = last > first ? Math.min(1, (Math.min(to, last) - Math.max(from, first)) / (last - first)) : 1;
      const overview = (rows * share) / width > 2 * BUCKET;
      return Promise.all(
        columns.map((column) =>
          overview
            ? overviewLine(store, column, groups, from, to, width)
            : exactLine(store, column, groups, from, to, width),
        ),
      );
    },
    async row(step, columns) {
      const group = await groupAt(store, step);
      if (group === undefined) return undefined;
      const steps = await store.values('step', group);
      const after = Math.min(lowerBound(steps, step), steps.length - 1);
      const before = Math.max(after - 1, 0);
      const index = step - steps[before]! < steps[after]! - step ? before : after;
      const values: Record<string, number | string> = {};
      await Promise.all(
        columns
          .filter((column) => store.has(column))
          .map(async (column) => {
            const value = (await store.values(column, group))[index]!;
            const words = store.source.words(column);
            values[column] = words.length > 0 ? (words[value] ?? '') : value;
          }),
      );
      return { step: steps[index]!, values };
    },
    async intervals(column) {
      const found: Interval[] = [];
      const read = (group: number) =>
        store.once(`intervals:${column}`, group, () => groupIntervals(store, column, group));
      await store.visit(all(), read, (part) => {
        for (const interval of part) {
          const last = found.at(-1);
          if (last?.word === interval.word) found[found.length - 1] = { ...last, last: interval.last };
          else if (found.length < MAX_LISTED) found.push(interval);
        }
      });
      return found;
    },
    async cycles() {
      const found: Cycle[] = [];
      const read = (group: number) => store.once('cycles', group, () => groupCycles(store, group));
      await store.visit(all(), read, (part) => {
        for (const cycle of part) {
          const last = found.at(-1);
          if (last?.cycle === cycle.cycle) found[found.length - 1] = joinCycles(last, cycle);
          else if (found.length < MAX_LISTED) found.push(cycle);
        }
      });
      return found;
    },
    path: (x, y, text, from, to) => path(store, x, y, text, from, to),
    async extremes(column) {
      let max = Number.NaN;
      await store.visit(
        all(),
        (group) => store.buckets(column, group),
        (buckets) => {
          for (const value of buckets.high) if (!(value <= max) && !Number.isNaN(value)) max = value;
        },
      );
      const last = store.source.groups.length - 1;
      return { max, last: last < 0 ? Number.NaN : ((await store.values(column, last)).at(-1) ?? Number.NaN) };
    },
    csv: (columns, from, to) => csv(store, columns.filter(store.has), from, to),
  };
}

async function tableInfo(store: ColumnStore): Promise<TableInfo> {
  const { rows, bytes, columns, groups, metadata } = store.source;
  const filled = groups.flatMap((group, index) => (group.rows > 0 ? [index] : []));
  const [firstStep, lastStep] = await span(store, filled);
  return { rows, bytes, groups: groups.length, columns, metadata, firstStep, lastStep };
}

async function span(store: ColumnStore, groups: readonly number[]): Promise<readonly [number, number]> {
  if (groups.length === 0) return [0, 0];
  const [first] = await store.steps(groups[0]!);
  const [, last] = await store.steps(groups.at(-1)!);
  return [first, last];
}

async function groupAt(store: ColumnStore, step: number): Promise<number | undefined> {
  let best: number | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (let group = 0; group < store.source.groups.length; group++) {
    const [first, last] = await store.steps(group);
    const away = step < first ? first - step : step > last ? step - last : 0;
    if (away < distance) {
      best = group;
      distance = away;
    }
  }
  return best;
}

async function exactLine(
  store: ColumnStore,
  column: string,
  groups: readonly number[],
  from: number,
  to: number,
  width: number,
): Promise<Points> {
  const envelope = emptyEnvelope(from, to, width);
  await store.visit(
    groups,
    (group) => Promise.all([store.values('step', group), store.values(column, group)]),
    ([step, values]) => {
      const { start, end } = rowsIn(step, from, to);
      addPoints(envelope, step, values, start, end);
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

async function groupIntervals(store: ColumnStore, column: string, group: number): Promise<Interval[]> {
  const [step, codes] = await Promise.all([store.values('step', group), store.values(column, group)]);
  const words = store.source.words(column);
  const found: Interval[] = [];
  let start = 0;
  for (let i = 1; i <= codes.length; i++) {
    if (i < codes.length && codes[i] === codes[start]) continue;
    if (found.length < MAX_LISTED)
      found.push({ word: words[codes[start]!] ?? '', first: step[start]!, last: step[i - 1]! });
    start = i;
  }
  return found;
}

async function groupCycles(store: ColumnStore, group: number): Promise<Cycle[]> {
  const optional = (column: string) => (store.has(column) ? store.values(column, group) : undefined);
  const [step, cycle, l1, ratio] = await Promise.all([
    store.values('step', group),
    store.values('cycle', group),
    optional('l1'),
    optional('sharpness_ratio'),
  ]);
  const found: Cycle[] = [];
  for (let i = 0; i < cycle.length; i++) {
    if (!(cycle[i]! > 0)) continue;
    const here = {
      cycle: cycle[i]!,
      first: step[i]!,
      last: step[i]!,
      peakL1: l1?.[i] ?? Number.NaN,
      peakRatio: ratio?.[i] ?? Number.NaN,
    };
    const last = found.at(-1);
    if (last?.cycle === here.cycle) found[found.length - 1] = joinCycles(last, here);
    else if (found.length < MAX_LISTED) found.push(here);
  }
  return found;
}

const larger = (a: number, b: number): number => (b > a || Number.isNaN(a) ? b : a);

const joinCycles = (a: Cycle, b: Cycle): Cycle => ({
  cycle: a.cycle,
  first: a.first,
  last: b.last,
  peakL1: larger(a.peakL1, b.peakL1),
  peakRatio: larger(a.peakRatio, b.peakRatio),
});

async function path(
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
  const points: { x: number[]; y: number[]; step: number[]; code: number[] } = { x: [], y: [], step: [], code: [] };
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

async function csv(store: ColumnStore, columns: readonly string[], from: number, to: number): Promise<Blob> {
  const groups = (await store.groupsIn(from, to)) as number[];
  const parts: string[] = [`${['step', ...columns].join(',')}\n`];
  await store.visit(
    groups,
    (group) => Promise.all(['step', ...columns].map((column) => store.values(column, group))),
    (values) => {
      const step = values[0]!;
      const words = columns.map((column) => store.source.words(column));
      let lines: string[] = [];
      for (let i = lowerBound(step, from); i < lowerBound(step, to, true); i++) {
        const cells = columns.map((_, c) =>
          words[c]!.length > 0 ? quoted(words[c]![values[c + 1]![i]!] ?? '') : String(values[c + 1]![i]),
        );
        lines.push(`${step[i]},${cells.join(',')}\n`);
        if (lines.length < CSV_ROWS) continue;
        parts.push(lines.join(''));
        lines = [];
      }
      parts.push(lines.join(''));
    },
  );
  return new Blob(parts, { type: 'text/csv' });
}

/** A cell that no spreadsheet takes for a formula and no reader splits. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
