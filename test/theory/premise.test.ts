import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cycleMeans } from '../../src/pipeline/theory/checks/cycle-l1.ts';
import { predictedColumn } from '../../src/pipeline/theory/checks/mean-l1.ts';
import { averagedCycles } from '../../src/pipeline/theory/premise.ts';
import { run } from './run.ts';

const between = (least: number, most: number) =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map((x) => Math.exp(x));

test('the mean of L₁ is off by no more than what follows from α and β₂ alone', async () => {
  let seen = 0;
  let sharp = 0;
  await fc.assert(
    fc.asyncProperty(
      between(0.02, 0.5),
      between(0.02, 0.06),
      fc.constantFrom(1, -1),
      between(1e-9, 1e-3),
      async (lambda2, eta, sign, floor) => {
        const init = [0.3 * sign, 0.1, 0.3 * sign] as const;
        const table = await run({ lambda2, eta, init, floor, steps: 3000 });
        const averaged = averagedCycles(table);
        const means = cycleMeans(
          table,
          predictedColumn(table),
          averaged.map(({ rows }) => rows),
        );
        for (const [k, { deviation }] of means.entries()) {
          seen++;
          if (Math.abs(deviation) > 0.5 * averaged[k]!.error) sharp++;
          expect(Math.abs(deviation)).toBeLessThanOrEqual(averaged[k]!.error + 1e-9);
        }
      },
    ),
    { seed: 5, numRuns: 25 },
  );
  // Neither by nothing nor by far too much.
  expect(seen).toBeGreaterThan(100);
  expect(sharp / seen).toBeGreaterThan(0.1);
});
