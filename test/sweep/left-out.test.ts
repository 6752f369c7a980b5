import { beforeEach, expect, test, vi } from 'vitest';
import { networkOptions, setupNetwork } from '../../src/pipeline/models/network/config.ts';
import type * as networks from '../../src/pipeline/models/network/network.ts';
import { networkRows } from '../../src/pipeline/sources/descent/network-descent.ts';
import { anySweepSpec } from '../../src/pipeline/sweep/any-sweep.ts';
import { networkToResult, SWEEP_READS } from '../../src/pipeline/sweep/network-result.ts';
import { openNetworkSweep } from '../../src/pipeline/sweep/network-sweep.ts';

/** What was asked of networks, and how often. */
const asked = vi.hoisted(() => new Map<string | symbol, number>());

vi.mock('../../src/pipeline/models/network/network.ts', async (original) => {
  const all = await original<typeof networks>();
  const createNetwork: typeof all.createNetwork = (...args) =>
    new Proxy(all.createNetwork(...args), {
      get(network, name, receiver) {
        asked.set(name, (asked.get(name) ?? 0) + 1);
        return Reflect.get(network, name, receiver);
      },
    });
  return { ...all, createNetwork };
});

beforeEach(() => asked.clear());

const GRID = { model: 'mlp', data: 'digits:20', layers: '64-8-10', loss: 'cross-entropy' };
const sweep = openNetworkSweep(
  anySweepSpec({ ...GRID, batch: '5', steps: '20' }, undefined) as never,
);
const DEAR = ['gradientNorm', 'accuracy', 'batchSharpness'];
const COLUMNS = ['grad_norm', 'accuracy', 'batch_sharpness'];
const times = () => DEAR.map((name) => asked.get(name) ?? 0);

test('a sweep asks no network for its gradient norm, accuracy or batch sharpness', () => {
  expect(networkToResult(sweep.config(0))?.summary.rows).toBe(21);
  expect(times()).toEqual([0, 0, 0]);
  // It does train it.
  expect(asked.get('track')).toBe(21);
});

test('a run asks for all of them, and for no more than somebody reads where that is said', () => {
  const setup = setupNetwork(networkOptions(sweep.config(0)));
  const columns = (reads?: ReadonlySet<string>) =>
    Object.keys(networkRows(setup, {}, false, reads).next(21).columns);
  const all = columns();
  expect(all).toEqual(expect.arrayContaining(COLUMNS));
  // Four mini-batches an epoch.
  expect(times()).toEqual([21, 21, 4 * 21]);
  expect(columns(SWEEP_READS)).toEqual(all.filter((name) => !COLUMNS.includes(name)));
  expect(times()).toEqual([21, 21, 4 * 21]);
  expect(columns(new Set(['accuracy']))).toContain('accuracy');
  expect(times()).toEqual([21, 42, 4 * 21]);
});
