import { expect, test } from 'vitest';
import { createJumps } from '../../../src/pipeline/phases/measured/jumps.ts';
import type { Spike } from '../../../src/pipeline/phases/measured/spikes.ts';

const spikeAt = (begin: number): Spike => ({
  ...{ begin, step: begin + 10, end: begin + 20 },
  ...{ loss: 2, rise: 2, sharpness_ratio: 1.1 },
});

/** Jumps behind 1000 rows of these learning rates and of a sharpness over the threshold. */
function jumpsOf(rate: (t: number) => number, ratio: (t: number) => number = () => 0.9) {
  const rows = Array.from({ length: 1000 }, (_, t) => t);
  const [step, eta, sharpness_ratio] = [rows, rows.map(rate), rows.map(ratio)].map((values) =>
    Float64Array.from(values),
  ) as [Float64Array, Float64Array, Float64Array];
  const columns = { step, eta, sharpness_ratio };
  const [whole, parts] = [createJumps(), createJumps()];
  whole.push(columns, 0, 1000);
  parts.push(columns, 0, 307);
  const resumed = createJumps(JSON.parse(JSON.stringify(parts.state())));
  resumed.push(columns, 307, 1000);
  expect(resumed.state()).toEqual(whole.state());
  return whole;
}

/** A learning rate that rises by a share in each of some rows. */
const rising = (share: number, from: number, to: number) => (t: number) =>
  0.1 * (1 + share) ** Math.min(Math.max(0, t - from), to - from);

test('a warmup leads to the first spike behind it, though each of its rows is a small rise', () => {
  const jumps = jumpsOf(rising(0.01, 100, 140));
  expect(jumps.led(spikeAt(400))).toBe(true);
  expect(jumps.led(spikeAt(500))).toBe(false);
});

test('a learning rate that rises by less than 5 % within 65 rows leads to nothing', () => {
  expect(jumpsOf(rising(0.0007, 100, 900)).led(spikeAt(905))).toBe(false);
  expect(jumpsOf(() => 0.1).led(spikeAt(400))).toBe(false);
});

test('a jump leads to no spike once the run has left the edge, nor to one before it', () => {
  const jump = (t: number) => (t < 200 ? 0.1 : 0.15);
  expect(jumpsOf(jump).led(spikeAt(400))).toBe(true);
  expect(jumpsOf(jump).led(spikeAt(100))).toBe(false);
  const left = (t: number) => (t > 250 && t < 330 ? 0.5 : 0.9);
  expect(jumpsOf(jump, left).led(spikeAt(400))).toBe(false);
  const briefly = (t: number) => (t > 250 && t < 300 ? 0.5 : 0.9);
  expect(jumpsOf(jump, briefly).led(spikeAt(400))).toBe(true);
  // What is not measured is not below the edge.
  const missing = (t: number) => (t > 250 && t < 330 ? Number.NaN : 0.9);
  expect(jumpsOf(jump, missing).led(spikeAt(400))).toBe(true);
});
