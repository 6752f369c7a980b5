import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { startRun } from '../../src/pipeline/core/run.ts';
import {
  classifySharpness,
  detectPhases,
  gradientDescent,
  splitLoss,
  thin,
} from '../../src/pipeline/index.ts';
import { gd } from '../../src/pipeline/optimizers/gd.ts';

interface Row {
  readonly phase: number;
  readonly l1: number;
}

/** Batches of these sizes (repeated) over the rows. */
function batches(rows: readonly Row[], sizes: readonly number[]) {
  const run = startRun({}, gd.stability({}), []);
  const result = [];
  for (let first = 0, k = 0; first < rows.length; k++) {
    const part = rows.slice(first, first + sizes[k % sizes.length]!);
    result.push({
      run,
      schema: [],
      length: part.length,
      columns: {
        step: Float64Array.from(part, (_, i) => first + i),
        phase: Uint8Array.from(part, ({ phase }) => phase),
        l1: Float64Array.from(part, ({ l1 }) => l1),
      },
    });
    first += part.length;
  }
  return result;
}

async function kept(
  rows: readonly Row[],
  sizes: readonly number[],
  every: number,
): Promise<number[]> {
  const parts = await lastValueFrom(from(batches(rows, sizes)).pipe(thin(every), toArray()));
  for (const part of parts) {
    expect(part.length).toBe(part.columns.step.length);
    part.columns.step.forEach((step, i) => {
      expect(part.columns.l1[i]).toBe(rows[step]!.l1);
      expect(part.columns.phase[i]).toBe(rows[step]!.phase);
    });
  }
  return parts.flatMap(({ columns }) => [...columns.step]);
}

/** What `--every` promises, by its words. */
function promised(rows: readonly Row[], every: number): number[] {
  const events = rows.flatMap(({ phase, l1 }, t) => {
    const change = t > 0 && phase !== rows[t - 1]!.phase;
    const peak = t > 0 && t + 1 < rows.length && rows[t - 1]!.l1 < l1 && rows[t + 1]!.l1 < l1;
    return change || peak ? [t] : [];
  });
  return rows.flatMap((_, t) => {
    const near = events.some((event) => Math.abs(event - t) <= every);
    return t === 0 || t === rows.length - 1 || t % every === 0 || near ? [t] : [];
  });
}

const row = fc.record({
  phase: fc.integer({ min: 0, max: 3 }),
  l1: fc.integer({ min: 0, max: 5 }),
});
const still = fc.record({ phase: fc.constant(1), l1: fc.constant(2) });

describe('thin', () => {
  test('keeps the rows that it promises, and no other, however they are batched', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 12, arbitrary: still }, row), { minLength: 1, maxLength: 300 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 2, max: 50 }),
        async (rows, sizes, every) => {
          expect(await kept(rows, sizes, every)).toEqual(promised(rows, every));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('keeps what it promises of a real run', async () => {
    const whole = gradientDescent({ preset: 'paper' }).pipe(
      splitLoss(),
      classifySharpness(),
      detectPhases(),
    );
    const parts = await lastValueFrom(whole.pipe(toArray()));
    const rows = parts.flatMap(({ columns }) =>
      Array.from(columns.l1!, (l1, i) => ({ l1, phase: columns.phase![i]! })),
    );
    for (const every of [2, 7, 100, 3000]) {
      const thinned = await lastValueFrom(whole.pipe(thin(every), toArray()));
      expect(thinned.flatMap(({ columns }) => [...columns.step])).toEqual(promised(rows, every));
    }
  });

  test('does not take the rounding of a constant for peaks', async () => {
    const parts = await lastValueFrom(
      gradientDescent({ preset: 'three-phases', steps: 300_000 }).pipe(
        splitLoss(),
        classifySharpness(),
        detectPhases(),
        thin(100),
        toArray(),
      ),
    );
    const steps = parts.flatMap(({ columns }) => [...columns.step]);
    expect(steps.filter((step) => step > 20_000).length).toBe(2800);
  });

  test('1 keeps everything; 0 and fractions are refused', async () => {
    const rows = Array.from({ length: 10 }, (_, t) => ({ phase: 0, l1: t }));
    expect(await kept(rows, [3], 1)).toEqual(rows.map((_, t) => t));
    expect(() => thin(0)).toThrow(RangeError);
    expect(() => thin(1.5)).toThrow(RangeError);
  });
});
