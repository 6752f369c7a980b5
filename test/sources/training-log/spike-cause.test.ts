import { describe, expect, test } from 'vitest';
import { stabilityThreshold } from '../../../src/pipeline/optimizers/thresholds.ts';
import { explainSpike, type SpikeRow } from '../../../src/pipeline/phases/measured/spike-cause.ts';

const { stability } = stabilityThreshold({});

/** Rows of losses and of the work along directions at the edge, null where none is known. */
function rowsOf(table: readonly (readonly [loss: number, work: number | null, l1?: number])[]) {
  return table.map(
    ([loss, work, l1 = loss], step): SpikeRow => ({
      ...{ step, eta: 0.1, loss, sharpness: 30, ratio: 1.5, l1, work },
      ...{ directions: 1, measured: true },
    }),
  );
}

function explain(rows: readonly SpikeRow[], begin: number, step: number, batches?: boolean) {
  const loss = rows[step]!.loss;
  const spike = { begin, step, end: step + 1, loss, rise: 1.4, sharpness_ratio: 1.5 };
  return explainSpike(spike, rows, stability, 3, { batches });
}

describe('a climb', () => {
  test('begins where the level was low, if the level followed it', () => {
    const quiet = Array.from({ length: 12 }, () => [8.6, 0] as const);
    const rows = rowsOf([
      ...quiet,
      ...([
        [9, 0.4],
        [9.5, 0.5],
        [10.1, 0.6],
        [10.9, 0.8],
        [11.3, 0.4],
        [11.392, 0.1],
      ] as const),
      [11.39, null],
      [9.8, -1.6],
    ]);
    expect(explain(rows, 18, 18)).toMatchObject({ cause: 'edge' });
    expect(explain(rows, 18, 18).share).toBeCloseTo(1, 2);
  });

  test('owes little to a step that changes next to nothing, however the energy turns', () => {
    const quiet = Array.from({ length: 12 }, () => [2, 0] as const);
    const rows = rowsOf([...quiet, [2.3, 0.3], [2.8, 0.5], [2.801, null, 0], [2.4, -0.4]]);
    expect(explain(rows, 12, 14).share).toBeGreaterThan(0.95);
    const up = rowsOf([...quiet, [2.3, 0.1], [2.8, 0.1], [2.801, null, 9], [2.4, -0.4]]);
    expect(explain(up, 12, 14).share).toBeLessThan(0.3);
  });

  test('of mini-batches takes some steps', () => {
    const quiet = Array.from({ length: 12 }, () => [2, 0] as const);
    const climb = [
      [2.3, 0.3],
      [2.7, 0.4],
      [3.2, 0.5],
      [3.8, 0.6],
      [2.4, -1.4],
    ] as const;
    const rows = rowsOf([...quiet, ...climb]);
    expect(explain(rows, 12, 15, true).cause).toBe('edge');
    expect(explain(rows, 13, 15, true).cause).toBe('kick');
    expect(explain(rows, 13, 15).cause).toBe('edge');
  });

  test('of all samples may take one step: nothing can kick it', () => {
    const quiet = Array.from({ length: 12 }, () => [2, 0] as const);
    const rows = rowsOf([...quiet, [2.05, 0.05], [3.8, 1.7], [2.4, -1.4]]);
    expect(explain(rows, 12, 13, true).cause).toBe('kick');
    expect(explain(rows, 12, 13).cause).toBe('kick');
    expect(explain(rows, 12, 13, false).cause).toBe('edge');
  });
});
