import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createRowsDetector,
  type RowsDetector,
} from '../../../src/pipeline/phases/measured/detector.ts';
import { createSpikeFinder } from '../../../src/pipeline/phases/measured/spikes.ts';

const none = Number.NaN;

/** Losses that fall, swing, spike, and are at times no loss at all. */
const losses = fc
  .record({
    length: fc.integer({ min: 1, max: 400 }),
    decay: fc.constantFrom(0, 0.002, 0.05),
    swing: fc.constantFrom(0, 1e-4, 0.04, 0.2),
    digits: fc.constantFrom(3, 17),
    odd: fc.array(
      fc.tuple(
        fc.nat(60),
        fc.constantFrom(none, Number.POSITIVE_INFINITY, 0, -0, -1, 1e-300, 3, 1e7, 1e13),
        fc.integer({ min: 1, max: 12 }),
      ),
      { maxLength: 4 },
    ),
  })
  .map(({ length, decay, swing, digits, odd }) => {
    const values = Float64Array.from({ length }, (_, t) =>
      Number((Math.exp(-decay * t) * (1 + swing * Math.sin(t * t))).toPrecision(digits)),
    );
    for (const [at, value, rows] of odd) values.fill(value, at, at + rows);
    return values;
  });

test('a finder of spikes that passes over quiet losses finds what one finds row by row', () => {
  fc.assert(
    fc.property(losses, (loss) => {
      const found = [true, false].map((passes) => {
        const finder = createSpikeFinder();
        const spikes: unknown[] = [];
        for (let i = 0; i < loss.length; i++) {
          if (passes) i = finder.nextQuiet(loss, i, loss.length);
          const spike = i < loss.length && finder.next(i, loss[i]!, 1 + i);
          if (spike) spikes.push([i, spike]);
        }
        return [spikes, finder.state(), finder.finish()];
      });
      expect(found[0]).toEqual(found[1]);
    }),
    { numRuns: 300 },
  );
});

const calm = { measure: 50, rise: 0.001, missing: 400, drift: 0, jump: 1e9 };
const lossBut = (at: number, value: number) =>
  Float64Array.from({ length: 80 }, (_, t) => (t === at ? value : Math.exp(-0.002 * t)));
/** It ends before a row that is looked at says that the loss is there again. */
const GAP = { ...calm, loss: lossBut(60, Number.POSITIVE_INFINITY) };
/** A loss that was below zero once does not diverge. */
const SIGNED = { ...calm, loss: lossBut(20, -1) };

test('a detector that passes over quiet rows says of each what one says row by row', () => {
  const series = fc.record({
    loss: losses,
    measure: fc.constantFrom(1, 3, 10, 50),
    rise: fc.constantFrom(0.001, 0.01, 0.1),
    missing: fc.nat(60),
    drift: fc.constantFrom(0, 0.5),
    jump: fc.option(fc.nat(400), { nil: 1e9 }),
  });
  let passed = 0;
  fc.assert(
    fc.property(series, ({ loss, measure, rise, missing, drift, jump }) => {
      const rows = {
        step: Float64Array.from(loss, (_, t) => 5 * t),
        loss,
        threshold: Float64Array.from(loss, (_, t) => {
          if (t === missing) return none;
          return t < jump ? 20 + drift * Math.min(t, missing) : 10;
        }),
        sharpness_ratio: Float64Array.from(loss, (_, t) =>
          t % measure === 0 ? Math.min(1.02, 0.3 + rise * t) : none,
        ),
      };
      const told = [true, false].map((passes) => {
        const detector = createRowsDetector({}, undefined, { handsOn: true });
        const labels: string[] = [];
        const events: unknown[] = [];
        for (let i = 0; i < loss.length; i++) {
          const quiet = passes ? detector.nextQuiet(rows, i, loss.length) : i;
          passed += quiet - i;
          for (; i < quiet; i++) labels.push(labels.at(-1)!);
          if (i === loss.length) break;
          labels.push(take(detector, rows, i));
          const { changes, spike, jump: jumped, cycle } = detector;
          if (changes.length > 0 || spike || jumped)
            events.push([i, changes, spike, jumped, cycle]);
        }
        return [labels, events, detector.state(), detector.finish()];
      });
      expect(told[0]).toEqual(told[1]);
    }),
    { numRuns: 200, examples: [[GAP], [SIGNED]] },
  );
  // It does pass over some.
  expect(passed).toBeGreaterThan(1000);
});

type Rows = Parameters<RowsDetector['nextQuiet']>[0];

const take = (detector: RowsDetector, rows: Rows, i: number) =>
  detector.next(rows.step[i]!, rows.loss[i]!, rows.sharpness_ratio[i]!, rows.threshold[i]!);
