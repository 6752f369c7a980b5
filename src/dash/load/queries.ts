import type { ByteSource, FileOrigin, FileState, OnBytes } from './bytes.ts';
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
import type { Anchor, GrownTable, Row, TableApi, TableInfo, WholeColumn } from './protocol.ts';
import { sampledRows } from './rows.ts';
import { statistics } from './statistics.ts';
import {
  ChangedFileError,
  type FileMark,
  OtherReaderError,
  RunFileError,
  type TableSource,
} from './table.ts';

/** A file that changes while it is read is read anew so many times. */
const ATTEMPTS = 4;
const TOO_FAST = 'the file is written faster than it can be read from here';

/** Opens a file, of which an earlier state may have been opened before. */
export type OpenTable = (file: ByteSource, before?: FileMark) => Promise<TableSource>;

/** Answers the page's questions about one run file. */
export function tableApi(openTable: OpenTable, onBytes: OnBytes): TableApi {
  let origin: FileOrigin;
  /** The state that the store holds, and the one that the page has been told of. */
  let version = '';
  let told = '';
  let store: ColumnStore;
  let file: ByteSource | undefined;

  async function load(known?: FileState, before?: FileMark): Promise<TableSource> {
    let state = known;
    let earlier = before;
    for (let attempt = 1; ; attempt++) {
      const next = await openBytes(origin, onBytes, state, file?.ending?.());
      const since = earlier;
      state = undefined;
      earlier = undefined;
      try {
        const source = await openTable(next, since);
        if (!source.columns.some(({ name, kind }) => name === 'step' && kind === 'number')) {
          throw new RunFileError('the file has no column step, so it is not a run of eos');
        }
        version = next.version;
        file = next;
        return source;
      } catch (error) {
        if (error instanceof OtherReaderError) throw error;
        // A still later state is as much like the one before; what else is wrong may be that it is
        // not.
        if (error instanceof ChangedFileError) earlier = since;
        // A server that knows no conditions may have sent parts of two states.
        const changed =
          since !== undefined ||
          error instanceof ChangedFileError ||
          (await openBytes(origin, onBytes)).version !== next.version;
        if (!changed) throw error;
        if (attempt === ATTEMPTS) throw new RunFileError(TOO_FAST);
      }
    }
  }

  /** Asks the store, which is that of the newest state where the file has gone on meanwhile. */
  async function current<T>(ask: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof ChangedFileError)) throw error;
        if (attempt === ATTEMPTS) throw new RunFileError(TOO_FAST);
        store = store.replace(await load(undefined, store.source.mark));
      }
    }
  }

  async function info(): Promise<TableInfo> {
    const now = await current(() => tableInfo(store));
    told = version;
    return now;
  }

  return {
    async open(from) {
      origin = from;
      store = columnStore(await load());
      return info();
    },
    async refresh(known) {
      const now = (await openBytes(origin, onBytes, known)).version;
      if (now === told) return undefined;
      if (now !== version) store = store.replace(await load(known, store.source.mark));
      const grown = await info();
      return { ...grown, phases: await current(() => phasesOf(store)) };
    },
    ...questions((ask) => current(() => ask(store))),
  };
}

/**
 * The same about a table in memory, which is asked for where its version is another than the last
 * one.
 */
export function memoryApi(version: () => string, table: () => TableSource): TableApi {
  let told = '';
  let store: ColumnStore | undefined;
  const info = (): Promise<TableInfo> => {
    told = version();
    store = store ? store.replace(table()) : columnStore(table());
    return tableInfo(store);
  };
  return {
    open: info,
    refresh: async () =>
      version() === told ? undefined : { ...(await info()), phases: await phasesOf(store!) },
    ...questions((ask) => ask(store!)),
  };
}

const phasesOf = async (store: ColumnStore): Promise<GrownTable['phases']> =>
  store.has('phase') ? intervals(store, 'phase') : [];

type Asked = <T>(ask: (store: ColumnStore) => Promise<T>) => Promise<T>;

/** What is asked of rows, whatever they are rows of. */
const questions = (asked: Asked): Omit<TableApi, 'open' | 'refresh'> => ({
  lines: (columns, from, to, width) => asked((store) => lines(store, columns, from, to, width)),
  row: (step, columns) => asked((store) => rowAt(store, step, columns)),
  intervals: (column) => asked((store) => intervals(store, column)),
  near: (at, columns) => asked((store) => near(store, at, columns)),
  cycles: (most) => asked((store) => cycles(store, most)),
  path: (x, y, text, from, to) => asked((store) => path(store, x, y, text, from, to)),
  column: (name) => asked((store) => wholeColumn(store, name)),
  extremes: (column) => asked((store) => extremes(store, column)),
  statistics: (columns, from, to) => asked((store) => statistics(store, columns, from, to)),
  rows: (columns, from, to, most) => asked((store) => sampledRows(store, columns, from, to, most)),
  csv: (columns, from, to) => asked((store) => csv(store, columns.filter(store.has), from, to)),
});

async function rowAt(
  store: ColumnStore,
  step: number,
  columns: readonly string[],
): Promise<Row | undefined> {
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
        } catch (error) {
          if (error instanceof ChangedFileError) throw error;
          // A damaged column is told by the panel that draws it; the others still have their
          // values.
        }
      }),
  );
  return { step: steps[index]!, values };
}

async function wholeColumn(store: ColumnStore, name: string): Promise<WholeColumn> {
  const text = store.source.columns.find((column) => column.name === name)?.kind === 'string';
  const values = new (text ? Uint16Array : Float64Array)(store.source.rows);
  await store.visit(
    allGroups(store),
    (group) => store.values(name, group),
    (part, group) => values.set(part, store.source.groups[group]!.start),
  );
  return { values, words: [...store.source.words(name)] };
}

/** The first step of the edge of stability, or of all. */
async function edgeStart(store: ColumnStore): Promise<number> {
  const edge = (await phasesOf(store)).find(
    ({ word }) => word === 'edge-of-stability' || word.startsWith('eos-'),
  );
  const filled = allGroups(store).filter((group) => store.source.groups[group]!.rows > 0);
  return edge?.first ?? (await span(store, filled))[0];
}

async function near(
  store: ColumnStore,
  at: number | 'edge',
  columns: readonly string[],
): Promise<Readonly<Record<string, Anchor>>> {
  const step = at === 'edge' ? await edgeStart(store) : at;
  const group = await groupAt(store, step);
  const kept = columns.map((column) => {
    const line = group === undefined ? undefined : store.outline(column, group);
    const row = line ? line.x.findIndex((x) => x >= step) : -1;
    return row < 0 ? [] : [[column, { step: line!.x[row]!, value: line!.y[row]! }] as const];
  });
  if (kept.every(({ length }) => length > 0)) return Object.fromEntries(kept.flat());
  const row = await rowAt(store, step, columns);
  return Object.fromEntries(
    Object.entries(row?.values ?? {}).flatMap(([column, value]) =>
      typeof value === 'number' ? [[column, { step: row!.step, value }]] : [],
    ),
  );
}

async function extremes(
  store: ColumnStore,
  column: string,
): Promise<{ readonly last: number; readonly max: number }> {
  let max = Number.NaN;
  await store.visit(
    allGroups(store),
    (group) => store.buckets(column, group),
    (buckets) => {
      for (const value of buckets.high) if (!(value <= max) && !Number.isNaN(value)) max = value;
    },
  );
  const last = store.source.groups.length - 1;
  return {
    max,
    last: last < 0 ? Number.NaN : ((await store.values(column, last)).at(-1) ?? Number.NaN),
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
