import type { ByteSource, FileOrigin, OnBytes } from './bytes.ts';
import { openBytes } from './bytes.ts';
import {
  allGroups,
  type ColumnStore,
  checkOrder,
  columnStore,
  lowerBound,
  span,
} from './columns.ts';
import { csv } from './csv.ts';
import { cycles, intervals } from './intervals.ts';
import { lines } from './lines.ts';
import { path } from './path.ts';
import type { TableApi, TableInfo } from './protocol.ts';
import { RunFileError, type TableSource } from './table.ts';

/** Answers the page's questions about one run file. */
export function tableApi(
  openTable: (file: ByteSource) => Promise<TableSource>,
  onBytes: OnBytes,
): TableApi {
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
    lines: (columns, from, to, width) => lines(store, columns, from, to, width),
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
            try {
              const value = (await store.values(column, group))[index]!;
              const words = store.source.words(column);
              values[column] = words.length > 0 ? (words[value] ?? '') : value;
            } catch {
              // A damaged column is told by the panel that draws it; the others still have their values.
            }
          }),
      );
      return { step: steps[index]!, values };
    },
    intervals: (column) => intervals(store, column),
    cycles: () => cycles(store),
    path: (x, y, text, from, to) => path(store, x, y, text, from, to),
    async extremes(column) {
      let max = Number.NaN;
      await store.visit(
        allGroups(store),
        (group) => store.buckets(column, group),
        (buckets) => {
          for (const value of buckets.high)
            if (!(value <= max) && !Number.isNaN(value)) max = value;
        },
      );
      const last = store.source.groups.length - 1;
      return {
        max,
        last: last < 0 ? Number.NaN : ((await store.values(column, last)).at(-1) ?? Number.NaN),
      };
    },
    csv: (columns, from, to) => csv(store, columns.filter(store.has), from, to),
  };
}

async function tableInfo(store: ColumnStore): Promise<TableInfo> {
  const { rows, bytes, columns, groups, metadata } = store.source;
  await checkOrder(store);
  const filled = groups.flatMap((group, index) => (group.rows > 0 ? [index] : []));
  const [firstStep, lastStep] = await span(store, filled);
  return { rows, bytes, groups: groups.length, columns, metadata, firstStep, lastStep };
}

async function groupAt(store: ColumnStore, step: number): Promise<number | undefined> {
  let best: number | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (const [group, { rows }] of store.source.groups.entries()) {
    if (rows === 0) continue;
    const [first, last] = await store.steps(group);
    const away = step < first ? first - step : step > last ? step - last : 0;
    if (away < distance) {
      best = group;
      distance = away;
    }
  }
  return best;
}
