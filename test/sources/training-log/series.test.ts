import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeriesDetector } from '../../../src/pipeline/phases/measured/detector.ts';
import { crossing, evidence } from '../../../src/pipeline/phases/measured/evidence.ts';
import { createHistory } from '../../../src/pipeline/phases/measured/history.ts';
import { fitLine } from '../../../src/pipeline/phases/measured/line-fit.ts';
import { generator, normal } from './small-network.ts';

describe('the test for a crossing', () => {
  const seen = (z: readonly number[], outliers: number) =>
    crossing((i) => z[i]!, 0, z.length, evidence(0.05, 100, outliers));

  test('one outlier is not enough, and the first of those that agree is the date', () => {
    expect(seen([-1, 1000, -1000, 1000, -1000], 0.1)).toBeNull();
    expect(seen([-1, 1000, -1000, 9, 9, 9, 9, 9], 0.1)).toEqual({ onset: 3, at: 6 });
  });

  test('fewer are enough where outliers are rare', () => {
    expect(seen([-1, 9, 9], 0.1)).toBeNull();
    expect(seen([-1, 9, 9], 0.001)).toEqual({ onset: 1, at: 2 });
  });

  test('false alarms are as rare as was asked for', () => {
    const random = generator(3);
    let alarms = 0;
    for (let run = 0; run < 400; run++)
      if (crossing(() => -0.5 + normal(random), 0, 200, evidence(0.05, 200, 0.01))) alarms++;
    expect(alarms).toBeLessThanOrEqual(20);
  });
});

test('history keeps at most 2187 blocks, in order, of medians that outliers do not enter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30_000 }), (n) => {
      const history = createHistory(1e-4);
      for (let i = 0; i < n; i++)
        history.push({
          step: i,
          error: Number.NaN,
          x: i % 10 === 3 && n > 7000 ? 100 : i / n,
          loss: 1,
          moves: 1,
          rises: 0,
        });
      const blocks = history.blocks();
      expect(blocks.length).toBeLessThan(2187);
      let next = 0;
      for (const { firstStep, lastStep, moves, x } of blocks) {
        expect(firstStep).toBe(next);
        expect(moves).toBe(blocks[0]!.moves);
        next = lastStep + 1;
        if (blocks[0]!.moves > 1) expect(Math.abs(x - firstStep / n)).toBeLessThan((2 * moves) / n);
      }
      expect(n - next).toBeLessThan(blocks[0]?.moves ?? 1);
    }),
    { numRuns: 30 },
  );
});

test('a history that goes on from its state is one that was never stopped', () => {
  const one = fc.record({
    x: fc.double({ min: -1, max: 1, noNaN: true }),
    error: fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { nil: Number.NaN }),
    loss: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: Number.NaN }),
  });
  const many = fc.tuple(fc.array(one, { minLength: 1, maxLength: 40 }), fc.nat(9000), fc.nat(9000));
  fc.assert(
    fc.property(many, ([samples, cut, n]) => {
      const whole = createHistory(1e-4);
      let parts = createHistory(1e-4);
      for (let i = 0; i < n; i++) {
        if (i === cut) parts = createHistory(1e-4, structuredClone(parts.state()));
        const sample = { ...samples[i % samples.length]!, step: i, moves: 1, rises: 0 };
        whole.push(sample);
        parts.push(sample);
      }
      expect(parts.state()).toEqual(whole.state());
      expect(parts.noise()).toEqual(whole.noise());
    }),
    { numRuns: 20 },
  );
});

test('a line through points of a line is that line', () => {
  const xs = [0, 1, 4, 9];
  const fit = fitLine(
    xs,
    xs.map((x) => 3 - 2 * x),
  )!;
  expect(fit.slope).toBeCloseTo(-2, 12);
  expect(fit.intercept).toBeCloseTo(3, 12);
  expect(fitLine([1, 1, 1], [1, 2, 3])).toBeNull();
});

/** Labels a whole series; gives the dated phases, and how often the label changed. */
function label(loss: (t: number) => number, ratio: (t: number) => number, steps: number) {
  const detector = createSeriesDetector();
  let flips = 0;
  let before = '';
  for (let t = 0; t < steps; t++) {
    const phase = detector.next(t, loss(t), ratio(t));
    if (phase !== before) flips++;
    before = phase;
  }
  const { phases } = detector.finish();
  return { phases: phases.map(({ phase }) => phase), spans: phases, flips, cycle: detector.cycle };
}

const noisy = (seed: number, deviation: number) => {
  const random = generator(seed);
  return (value: number) => value * (1 + deviation * normal(random));
};

describe('phases of made series', () => {
  test.each([0, 0.005, 0.02])('flat, with noise %d', (deviation) => {
    const noise = noisy(3, deviation);
    for (const steps of [100, 1000, 5000]) {
      expect(
        label(
          (t) => Math.exp(-t / 2000),
          () => noise(0.5),
          steps,
        ).phases,
      ).toEqual(['flat']);
    }
  });

  test.each([0, 0.02])('never at the edge, with noise %d', (deviation) => {
    const noise = noisy(4, deviation);
    const { phases } = label(
      (t) => 0.3 + Math.exp(-t / 500),
      (t) => noise(0.9 - 0.7 * Math.exp(-t / 800)),
      3000,
    );
    expect(phases).not.toContain('edge-of-stability');
    expect(phases[0]).toBe('progressive-sharpening');
  });

  test.each([0, 0.02])('to the edge, and there to the end, with noise %d', (deviation) => {
    const noise = noisy(5, deviation);
    const ratio = (t: number) =>
      noise(t < 1000 ? 0.3 + 0.0007 * t : 1 + 0.04 * Math.sin((t - 1000) / 30));
    const { spans, flips, phases } = label((t) => Math.exp(-t / 3000), ratio, 5000);
    expect(phases).toEqual(['progressive-sharpening', 'edge-of-stability']);
    expect(Math.abs(spans[1]!.first_step - 1000)).toBeLessThanOrEqual(50);
    expect(flips).toBeLessThan(70);
  });

  test.each([
    [0.998, ['progressive-sharpening', 'edge-of-stability']],
    [0.97, ['progressive-sharpening', 'convergence']],
  ])('sharpness that jumps from step to step about a level of %d', (level, expected) => {
    const noise = noisy(6, 0.004);
    const { phases, spans } = label(
      (t) => Math.exp(-t / 500),
      (t) => noise(level - 0.5 * Math.exp(-t / 250)),
      4000,
    );
    expect(phases).toEqual(expected);
    if (level > 0.99) expect(Math.abs(spans[1]!.first_step - 1100)).toBeLessThanOrEqual(200);
  });

  test.each([
    [550, 200, 15],
    [550, 400, 25],
    [1000, 500, 40],
  ])(
    'the loss after a spike (times %d, %d, %d) is no oscillation that has come to rest',
    (fall, period, tail) => {
      const into = (t: number) => (t - 3000) % period;
      const ratio = (t: number) =>
        t < 3000 ? 0.3 + (0.7 * t) / 3000 : 0.98 + (0.04 * into(t)) / period;
      const bump = (t: number) => (t < 3000 + period ? 0 : 8 * Math.exp(-into(t) / tail));
      const { phases } = label((t) => Math.exp(-t / fall) * (1 + bump(t)), ratio, 5000);
      expect(phases).toEqual(['progressive-sharpening', 'edge-of-stability']);
    },
  );

  test('a single sample far over the threshold is no edge', () => {
    const { phases } = label(
      (t) => Math.exp(-t / 3000),
      (t) => (t === 400 ? 3 : 0.3 + 0.0003 * t),
      1500,
    );
    expect(phases).toEqual(['progressive-sharpening']);
  });

  test('down from over the threshold, and up again', () => {
    const ratio = (t: number) =>
      t < 5 ? 1.6 - 0.2 * t : Math.min(1.02, 0.5 + 0.002 * t) + (t > 255 && t % 2 ? 0.04 : 0);
    const { phases } = label((t) => (t < 4 ? 1 + t : Math.exp(-t / 300)), ratio, 2000);
    expect(phases).toEqual(['catapult', 'progressive-sharpening', 'edge-of-stability']);
  });

  test('started over the threshold and blown up', () => {
    const detector = createSeriesDetector();
    for (let t = 0; t < 30; t++) detector.next(t, 2 ** (2 * t), 1.5);
    const { phases, divergedAt } = detector.finish();
    expect(phases.map(({ phase, first_step }) => [phase, first_step])).toEqual([
      ['catapult', 0],
      ['diverged', 10],
    ]);
    expect(divergedAt).toBe(10);
  });

  test.each([
    ['words', Number.POSITIVE_INFINITY, 1.2],
    ['values that vanish after a rise', Number.NaN, 20],
  ])('a loss that ends in %s has diverged', (_, end, factor) => {
    const { phases, spans } = label(
      (t) => (t < 195 ? 1 : t < 200 ? factor : end),
      (t) => 0.3 + t * 0.001,
      210,
    );
    expect(phases).toEqual(['progressive-sharpening', 'diverged']);
    expect(spans[1]!.first_step).toBe(200);
  });

  test('a loss that is logged now and then, or is not finite once, has not diverged', () => {
    const ratio = (t: number) => 0.3 + t * 0.001;
    expect(label((t) => (t % 10 ? Number.NaN : 1 + t), ratio, 400).phases).toEqual([
      'progressive-sharpening',
    ]);
    expect(label((t) => (t === 200 ? Number.POSITIVE_INFINITY : 1), ratio, 400).phases).toEqual([
      'progressive-sharpening',
    ]);
  });

  test('labels never look ahead', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 2, noNaN: true }),
            fc.double({ min: 0, max: 3, noNaN: true }),
          ),
          {
            maxLength: 300,
          },
        ),
        fc.nat(300),
        (rows, cut) => {
          const labels = (part: typeof rows) => {
            const detector = createSeriesDetector();
            return part.map(([ratio, loss], t) => detector.next(t, loss, ratio));
          };
          expect(labels(rows.slice(0, cut))).toEqual(labels(rows).slice(0, cut));
        },
      ),
    );
  });

  test('dated phases follow each other from the first step to the last', () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e13, -1),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 400 }), (rows) => {
        const detector = createSeriesDetector();
        rows.forEach(([ratio, loss], t) => {
          detector.next(10 + 3 * t, loss, ratio === Number.POSITIVE_INFINITY ? Number.NaN : ratio);
        });
        const { phases } = detector.finish();
        let next = 10;
        for (const { first_step, last_step, confidence } of phases) {
          expect(first_step).toBe(next);
          expect(last_step).toBeGreaterThanOrEqual(first_step);
          expect(confidence).toBeGreaterThanOrEqual(0.5);
          expect(confidence).toBeLessThanOrEqual(1);
          next = last_step + 1;
        }
        expect(next).toBe(10 + 3 * (rows.length - 1) + 1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('from the loss alone', () => {
  const unknown = () => Number.NaN;
  test('a steady fall is descent', () => {
    expect(label((t) => Math.exp(-t / 500), unknown, 3000).phases).toEqual(['descent']);
  });

  test.each([
    ['spikes', (t: number) => Math.exp(-t / 2000) * (t > 900 && t % 100 > 90 ? 2 : 1)],
    ['a period', (t: number) => 1 + 0.5 * Math.sin(t / 30)],
    ['a start that rises', (t: number) => (t < 5 ? 1 + t : Math.exp(-t / 300))],
  ])('%s are no edge', (_, loss) => {
    expect(label(loss, unknown, 3000).phases).toEqual(['descent']);
  });
});

test('a detector stopped before anything was measured goes on as one that was not', () => {
  const whole = createSeriesDetector();
  const first = createSeriesDetector();
  for (const detector of [whole, first]) detector.next(0, 1, Number.NaN, 20);
  const parts = createSeriesDetector({}, JSON.parse(JSON.stringify(first.state())));
  for (let t = 1; t < 20; t++) {
    expect(parts.next(t, 1, 0.1 + 0.001 * t, 20)).toBe(whole.next(t, 1, 0.1 + 0.001 * t, 20));
    expect(parts.state()).toEqual(whole.state());
  }
});
