import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNoiseScale } from '../../../src/pipeline/phases/measured/noise-scale.ts';
import {
  createSpikeFinder,
  type Spike,
  type SpikeState,
} from '../../../src/pipeline/phases/measured/spikes.ts';
import { generator, normal } from './small-network.ts';

function spikesOf(losses: ArrayLike<number>, first = 0): Spike[] {
  const finder = createSpikeFinder();
  const found: Spike[] = [];
  for (let i = 0; i < losses.length; i++) {
    const spike = finder.next(first + i, losses[i]!, 1.05);
    if (spike) found.push(spike);
  }
  const last = finder.finish();
  return last ? [...found, last] : found;
}

const bumps = Array.from(
  { length: 3000 },
  (_, t) => Math.exp(-t / 1000) * (1 + 4 * Math.exp(-(((t % 500) - 250) ** 2) / 50)),
);

test('spikes are found once each, at their peak, with begin, end and rise', () => {
  const found = spikesOf(bumps);
  expect(found.map(({ step }) => step)).toEqual([250, 750, 1250, 1750, 2250, 2750]);
  for (const { begin, step, end, rise, loss, sharpness_ratio } of found) {
    expect(rise).toBeGreaterThan(4);
    expect(rise).toBeLessThan(6);
    expect(loss).toBe(bumps[step]);
    expect(step - begin).toBeGreaterThan(5);
    expect(step - begin).toBeLessThan(25);
    expect(end - step).toBeGreaterThan(2);
    expect(end - step).toBeLessThan(10);
    expect(sharpness_ratio).toBe(1.05);
  }
});

test('a burst of Adam rings four or five times, and is one spike', () => {
  const rows = readFileSync(join(import.meta.dirname, 'cases', '12-adam-rings.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').map(Number));
  const found = spikesOf(
    rows.map(([, loss]) => loss!),
    rows[0]![0],
  );
  expect(found.map(({ step }) => step)).toEqual([1930, 2202, 2426]);
});

test('a higher burst soon after a lower one is another spike, and the two do not overlap', () => {
  const found = spikesOf(
    Array.from(
      { length: 400 },
      (_, t) => 1 + Math.exp(-(((t - 200) / 10) ** 2)) + 5 * Math.exp(-(((t - 240) / 5) ** 2)),
    ),
  );
  expect(found.map(({ step }) => step)).toEqual([200, 240]);
  expect(found[0]!.end).toBeLessThan(found[1]!.begin);
});

test('noise is no spike: 200 noisy decays, with up to 10 % of noise, give two at most', () => {
  let count = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = generator(seed);
    const deviation = 0.0005 * seed;
    count += spikesOf(
      Array.from(
        { length: 2000 },
        (_, t) => (0.05 + Math.exp(-t / (100 + 10 * seed))) * Math.exp(deviation * normal(random)),
      ),
    ).length;
  }
  expect(count).toBeLessThanOrEqual(2);
});

test('a loss that rises and stays up is no spike, and the next burst is', () => {
  const found = spikesOf(
    Array.from({ length: 600 }, (_, t) => (t < 50 ? 1 : 3) + (t > 450 && t < 456 ? 5 : 0)),
  );
  expect(found.map(({ begin, end }) => [begin, end])).toEqual([[451, 455]]);
});

test('what rounding in float32 leaves of a loss does not spike', () => {
  const random = generator(2);
  expect(
    spikesOf(
      Array.from(
        { length: 2000 },
        (_, t) => 5 * Math.exp(-t / 20) + 1e-14 * Math.abs(normal(random)),
      ),
    ),
  ).toEqual([]);
});

test('goes on from a state that went through JSON as if nothing had happened', () => {
  for (const cut of [5, 100, 244, 251, 256, 700]) {
    const finder = createSpikeFinder();
    const found: (Spike | null)[] = [];
    for (let t = 0; t < cut; t++) found.push(finder.next(t, bumps[t]!, 1.05));
    const state = JSON.parse(JSON.stringify(finder.state())) as SpikeState;
    const resumed = createSpikeFinder(state);
    for (let t = cut; t < bumps.length; t++) found.push(resumed.next(t, bumps[t]!, 1.05));
    expect([...found, resumed.finish()].filter((spike) => spike !== null)).toEqual(spikesOf(bumps));
  }
});

test.each([0.001, 0.02, 0.3])(
  'the scale of noise finds %d on a slope, with outliers',
  (deviation) => {
    const random = generator(1);
    const scale = createNoiseScale(1e-6);
    let sum = 0;
    for (let i = 0; i < 4000; i++) {
      const estimate = scale.next(
        0.01 * deviation * i + deviation * normal(random) + (i % 17 === 0 ? 100 : 0),
      );
      if (i > 100) sum += estimate / 3899;
    }
    expect(sum / deviation).toBeGreaterThan(0.85);
    expect(sum / deviation).toBeLessThan(1.45);
  },
);
