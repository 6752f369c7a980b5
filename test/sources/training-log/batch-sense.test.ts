import { expect, test } from 'vitest';
import { source } from '../../../src/pipeline/core/source.ts';
import { setupNetwork } from '../../../src/pipeline/models/network/config.ts';
import { networkPipeline } from '../../../src/pipeline/operators/network-pipeline.ts';
import { createBatchSense } from '../../../src/pipeline/phases/measured/batch-sense.ts';
import { networkRows } from '../../../src/pipeline/sources/descent/network-descent.ts';
import { detectLog, ndjson } from './read-log.ts';

const ETA = 0.127;

type Table = Record<'step' | 'loss' | 'lr' | 'sharpness' | 'l1' | 'edge_directions', number[]>;

/** What a log of a training tells; some targets may be sixty times too large. */
async function logOf(batch: number | null, bad: readonly number[] = []): Promise<Table> {
  const setup = setupNetwork({
    ...{ layers: '1-10-1', activation: 'silu', data: 'chebyshev:5:20', batch },
    ...{ eta: ETA, steps: 900, seed: 2 },
  });
  const targets = setup.data.targets.slice();
  for (const sample of bad) targets[sample]! *= 60;
  const table: Table = { step: [], loss: [], lr: [], sharpness: [], l1: [], edge_directions: [] };
  await source(() => networkRows({ ...setup, data: { ...setup.data, targets } }))
    .pipe(networkPipeline())
    .forEach(({ columns, length }) => {
      for (const [name, values] of Object.entries(table)) {
        const column = (columns as Record<string, ArrayLike<number>>)[
          name === 'lr' ? 'eta' : name
        ]!;
        for (let i = 0; i < length; i++) values.push(column[i]!);
      }
    });
  return table;
}

test('a log of gradient descent tells by its losses that there are batches', async () => {
  for (const [batch, found] of [
    [null, false],
    [5, true],
  ] as const) {
    const { loss, sharpness } = await logOf(batch);
    const sense = createBatchSense();
    const ratio = sharpness.map((value) => (value * ETA) / 2);
    const half = loss.length >> 1;
    sense.push({ loss, sharpness_ratio: ratio }, 0, half);
    const on = createBatchSense(JSON.parse(JSON.stringify(sense.state())));
    on.push({ loss, sharpness_ratio: ratio }, half, loss.length);
    expect(on.found()).toBe(found);
    sense.push({ loss, sharpness_ratio: ratio }, half, loss.length);
    expect(on.state()).toEqual(sense.state());
  }
});

test('at the edge a loss rises with all samples too, which tells nothing', () => {
  const loss = Array.from({ length: 100 }, (_, i) => 1 + (i % 2));
  for (const [ratio, found] of [
    [1.05, false],
    [0.7, true],
  ] as const) {
    const sense = createBatchSense();
    sense.push({ loss, sharpness_ratio: loss.map(() => ratio) }, 0, loss.length);
    expect(sense.found()).toBe(found);
  }
});

test('its spikes of a bad batch are not the edge’s, though nobody said of batches', async () => {
  const log = ndjson(await logOf(5, [7, 12]));
  const { summary } = await detectLog(log);
  expect(summary.spikes.length).toBeGreaterThan(9);
  expect(summary.edge_spikes).toBe(0);
  // Of another optimizer the loss may rise below the edge with all samples too.
  const momentum = await detectLog(log, { optimizer: 'momentum', beta: 0 });
  expect(momentum.summary.edge_spikes).toBeGreaterThan(3);
});
