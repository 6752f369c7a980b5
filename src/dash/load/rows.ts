import type { ColumnStore } from './columns.ts';
import type { SampledRows } from './protocol.ts';

/** Rows of [from, to] with those at its sides; where there are more than `most`, some of them. */
export async function sampledRows(
  store: ColumnStore,
  columns: readonly string[],
  from: number,
  to: number,
  most: number,
): Promise<SampledRows> {
  const groups = await store.groupsIn(from, to);
  const total = groups.reduce((sum, group) => sum + store.source.groups[group]!.rows, 0);
  const every = Math.max(1, Math.ceil(total / most));
  const step: number[] = [];
  const values = columns.map((): number[] => []);
  let at = 0;
  await store.visit(
    groups,
    (group) => Promise.all(['step', ...columns].map((column) => store.values(column, group))),
    ([steps, ...read]) => {
      for (let i = 0; i < steps!.length; i++, at++) {
        if (at % every !== 0 && at !== total - 1) continue;
        step.push(steps![i]!);
        for (const [c, column] of read.entries()) values[c]!.push(column[i]!);
      }
    },
  );
  return {
    step: Float64Array.from(step),
    values: values.map((each) => Float64Array.from(each)),
    every,
  };
}
