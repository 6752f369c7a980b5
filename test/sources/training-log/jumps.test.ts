import { expect, test } from 'vitest';
import { createJumps, type Jumps } from '../../../src/pipeline/phases/measured/jumps.ts';
import { createSpikeRows } from '../../../src/pipeline/phases/measured/spike-rows.ts';
import type { Spike } from '../../../src/pipeline/phases/measured/spikes.ts';

const spikeAt = (begin: number): Spike => ({
  ...{ begin, step: begin + 10, end: begin + 20 },
  ...{ loss: 2, rise: 2, sharpness_ratio: 1.1 },
});

/** Jumps behind 1000 rows of these learning rates, sharpnesses over the threshold and losses. */
function jumpsOf(
  rate: (t: number) => number,
  ratio: (t: number) => number = () => 0.9,
  lossAt: (t: number) => number = () => 1,
) {
  const steps = Array.from({ length: 1000 }, (_, t) => t);
  const [step, eta, sharpness_ratio, loss] = [
    steps,
    ...[rate, ratio, lossAt].map((of) => steps.map(of)),
  ].map((values) => Float64Array.from(values)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const columns = { step, eta, sharpness_ratio, loss, sharpness: sharpness_ratio };
  const rows = createSpikeRows();
  rows.push(columns, 0, 1000);
  const [whole, parts] = [createJumps(), createJumps()];
  whole.push(columns, 0, 1000);
  parts.push(columns, 0, 307);
  const again = (jumps: Jumps) => createJumps(JSON.parse(JSON.stringify(jumps.state())));
  const resumed = again(parts);
  resumed.push(columns, 307, 1000);
  expect(resumed.state()).toEqual(whole.state());
  let jumps = whole;
  return {
    led(spike: Spike) {
      const led = jumps.led(spike, rows);
      jumps = again(jumps);
      return led;
    },
  };
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
  // It may leave it within the spike.
  const within = (t: number) => (t > 270 ? 0.5 : 0.9);
  expect(jumpsOf(jump, within).led(spikeAt(330))).toBe(true);
  expect(jumpsOf(jump, within).led(spikeAt(336))).toBe(false);
  // What is not measured is not below the edge.
  const missing = (t: number) => (t > 250 && t < 330 ? Number.NaN : 0.9);
  expect(jumpsOf(jump, missing).led(spikeAt(400))).toBe(true);
});

const JUMP = (t: number) => (t < 200 ? 0.1 : 0.15);
/** A loss that is 1 before step 205, and behind it what is said, but for a dip. */
const lossWith = (dip: number, from: number, to: number) => (t: number) =>
  t < 205 ? 1 : t >= from && t < to ? dip : 2;
const edge = () => 0.9;

test('a jump leads to further spikes until the loss is back where it was', () => {
  const stays = jumpsOf(JUMP, edge, lossWith(1.01, 0, 1000));
  expect([220, 300, 430].map((begin) => stays.led(spikeAt(begin)))).toEqual([true, true, true]);
  const back = jumpsOf(JUMP, edge, lossWith(1, 250, 251));
  expect([220, 300, 350].map((begin) => back.led(spikeAt(begin)))).toEqual([true, false, false]);
  // Within a spike, and in rows without a loss, it is not back.
  const within = jumpsOf(JUMP, edge, (t) => (t < 205 || t === 228 || t === 301 ? 1 : 2));
  expect([220, 300].map((begin) => within.led(spikeAt(begin)))).toEqual([true, true]);
  const missing = jumpsOf(JUMP, edge, lossWith(Number.NaN, 250, 260));
  expect([220, 300].map((begin) => missing.led(spikeAt(begin)))).toEqual([true, true]);
});

test('it leads to none more than 325 rows behind its first, and another one does anew', () => {
  const led = (rate: (t: number) => number, begins: readonly number[]) => {
    const jumps = jumpsOf(rate, edge, lossWith(2, 0, 0));
    return begins.map((begin) => jumps.led(spikeAt(begin)));
  };
  expect(led(JUMP, [220, 400, 555, 580])).toEqual([true, true, true, false]);
  expect(led(JUMP, [220, 400, 556])).toEqual([true, true, false]);
  const two = (t: number) => (t < 200 ? 0.1 : t < 480 ? 0.15 : 0.2);
  expect(led(two, [220, 400, 490, 825, 850])).toEqual([true, true, true, true, false]);
});

test('the loss was where its spikes reached in the 65 rows before the jump', () => {
  const spiked = (at: number) => jumpsOf(JUMP, edge, (t) => (t === at ? 3 : t < 205 ? 1 : 2));
  const led = (at: number) => {
    const jumps = spiked(at);
    return [220, 300].map((begin) => jumps.led(spikeAt(begin)));
  };
  expect(led(135)).toEqual([true, false]);
  expect(led(134)).toEqual([true, true]);
  // That at the jump and behind it is its own.
  expect(led(200)).toEqual([true, true]);
});

test('and where a rise goes on for long, before the first of it', () => {
  const rates = (t: number) => 0.1 * 1.01 ** Math.min(Math.max(0, t - 200), 200);
  const climbing = (t: number) => 1 + Math.max(0, t - 230) / 50;
  const jumps = jumpsOf(rates, edge, climbing);
  expect([420, 480].map((begin) => jumps.led(spikeAt(begin)))).toEqual([true, true]);
  // Behind a pause it is another rise.
  const paused = (t: number) => (t < 200 ? 0.1 : t < 300 ? 0.15 : 0.2);
  const levels = jumpsOf(paused, edge, (t) => (t < 205 ? 1 : t < 305 ? 2 : 1.5));
  expect([320, 350].map((begin) => levels.led(spikeAt(begin)))).toEqual([true, true]);
  expect(levels.led(spikeAt(700))).toBe(false);
  const calm = jumpsOf(paused, edge, (t) => (t < 305 ? 2 : 1.5));
  expect([320, 350].map((begin) => calm.led(spikeAt(begin)))).toEqual([true, false]);
});

test('a jump without a loss before it leads to its first spike alone', () => {
  const jumps = jumpsOf(JUMP, edge, (t) => (t < 205 ? Number.NaN : 2));
  expect([220, 300].map((begin) => jumps.led(spikeAt(begin)))).toEqual([true, false]);
});

test('one behind a fall of the learning rate leads to a spike of its own', () => {
  const bursts = (t: number) => ((t >= 200 && t < 215) || (t >= 250 && t < 265) ? 0.15 : 0.1);
  const jumps = jumpsOf(bursts, edge, () => 1);
  expect([205, 255, 300].map((begin) => jumps.led(spikeAt(begin)))).toEqual([true, true, false]);
});
