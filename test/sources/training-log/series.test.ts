import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeriesDetector } from '../../../src/pipeline/phases/measured/detector.ts';
import { createEvidence, normalBelow } from '../../../src/pipeline/phases/measured/evidence.ts';
import { createHistory } from '../../../src/pipeline/phases/measured/history.ts';
import { fitLine } from '../../../src/pipeline/phases/measured/line-fit.ts';
import { generator, normal } from './small-network.ts';

describe('evidence', () => {
  test('one outlier is not enough, two that agree are, and the first is the date', () => {
    const evidence = createEvidence(6);
    expect(evidence.next(-1, 0)).toBe(false);
    expect(evidence.next(1000, 1)).toBe(false);
    expect(evidence.next(-1000, 2)).toBe(false);
    expect(evidence.next(1000, 3)).toBe(false);
    expect(evidence.next(1000, 4)).toBe(true);
    expect(evidence.onset).toBe(3);
    expect(evidence.confidence).toBeGreaterThan(0.999);
  });

  test('one sample is enough where the ones before it lead there', () => {
    expect(createEvidence(6).next(1000, 0, true)).toBe(true);
  });

  test('the normal distribution is right to 1e-7', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.841344746],
      [-1.96, 0.024997895],
      [3, 0.998650102],
    ] as const) {
      expect(normalBelow(z)).toBeCloseTo(p, 6);
    }
  });
});

test('history keeps at most 512 blocks, all samples, and their mean', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (n) => {
      const history = createHistory();
      for (let i = 0; i < n; i++) history.push(i, i % 7, i);
      const { blocks } = history;
      expect(blocks.length).toBeLessThanOrEqual(512);
      let next = 0;
      for (const block of blocks) {
        expect(block.firstStep).toBe(next);
        expect(block.count).toBe(blocks[0]!.count);
        expect(block.work).toBeCloseTo((block.firstStep + block.lastStep) / 2, 8);
        next = block.lastStep + 1;
      }
      expect(n - next).toBeLessThan(2 * (blocks[0]?.count ?? 1));
    }),
    { numRuns: 50 },
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
    if (level > 0.99) expect(Math.abs(spans[1]!.first_step - 900)).toBeLessThanOrEqual(150);
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
      ['edge-of-stability', 0],
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

  test('a loss at rest is flat', () => {
    expect(label(() => 0.69, unknown, 1000).phases).toEqual(['flat']);
  });

  test('spikes after a steady fall are the edge, with little confidence', () => {
    const { spans } = label(
      (t) => Math.exp(-t / 2000) * (t > 900 && t % 100 > 90 ? 2 : 1),
      unknown,
      3000,
    );
    expect(spans.map(({ phase }) => phase)).toEqual(['descent', 'edge-of-stability']);
    expect(Math.abs(spans[1]!.first_step - 991)).toBeLessThanOrEqual(10);
    expect(spans[1]!.confidence).toBeLessThanOrEqual(0.6);
  });
});
