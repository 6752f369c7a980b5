import { allGroups, type ColumnStore } from './columns.ts';
import type { Cycle, Interval } from './protocol.ts';
import { MAX_STRING } from './table.ts';

/** Intervals and cycles beyond this are not listed. */
const MAX_LISTED = 20_000;

/** Consecutive steps with the same word in a text column. */
export async function intervals(store: ColumnStore, column: string): Promise<readonly Interval[]> {
  const found: Interval[] = [];
  const read = (group: number) =>
    store.once(`intervals:${column}`, group, () => groupIntervals(store, column, group));
  await store.visit(allGroups(store), read, (part) => {
    for (const interval of part) {
      const last = found.at(-1);
      if (last?.word === interval.word) found[found.length - 1] = { ...last, last: interval.last };
      else if (found.length < MAX_LISTED) found.push(interval);
    }
  });
  return found;
}

/**
 * The cycles at the edge, from the column `cycle` and what each reaches: all, or the first `most`
 * and one more, for which no more is read than it takes.
 */
export async function cycles(store: ColumnStore, most = MAX_LISTED): Promise<readonly Cycle[]> {
  const found: Cycle[] = [];
  for (const group of allGroups(store)) {
    if (found.length > most) break;
    for (const cycle of await store.once('cycles', group, () => groupCycles(store, group))) {
      const last = found.at(-1);
      if (last?.cycle === cycle.cycle) found[found.length - 1] = joinCycles(last, cycle);
      else if (found.length < MAX_LISTED) found.push(cycle);
    }
  }
  return found;
}

async function groupIntervals(
  store: ColumnStore,
  column: string,
  group: number,
): Promise<Interval[]> {
  const told = store.wordRuns(column, group);
  if (told)
    return Array.from(told.codes, (code, i) => ({
      word: told.words[code]!.slice(0, MAX_STRING),
      first: told.first[i]!,
      last: told.last[i]!,
    }));
  const [step, codes] = await Promise.all([
    store.values('step', group),
    store.values(column, group),
  ]);
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
  const optional = (column: string) =>
    store.has(column) ? store.values(column, group) : undefined;
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
