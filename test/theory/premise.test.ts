import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cycleMeans } from '../../src/pipeline/theory/checks/cycle-l1.ts';
import { predictedColumn } from '../../src/pipeline/theory/checks/mean-l1.ts';
import { averagedCycles } from '../../src/pipeline/theory/premise.ts';
import { CHECKS, verifyRun } from '../../src/pipeline/theory/verify.ts';
import { run } from './run.ts';

const CHECKED = CHECKS.filter(({ name }) =>
  ['decay-rate', 'constrained-trajectory'].includes(name),
);

const between = (least: number, most: number) =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map((x) => Math.exp(x));

test('slopes and paths are off by no more than what follows from α and β₂ alone', async () => {
  const margins: number[] = [];
  await fc.assert(
    fc.asyncProperty(
      between(0.01, 0.3),
      between(0.02, 0.06),
      fc.constantFrom(1, -1),
      between(1e-9, 1e-3),
      async (lambda2, eta, sign, floor) => {
        const init = [0.3 * sign, 0.1, 0.3 * sign] as const;
        const table = await run({ lambda2, eta, init, floor, steps: 4000 });
        for (const check of CHECKED) {
          const { verdict, margin, measured, predicted } = check.run(table);
          expect(verdict).not.toBe('fails');
          if (verdict !== 'holds') continue;
          const off = Math.abs(measured! / predicted! - 1);
          margins.push(off / (off + margin!));
        }
      },
    ),
    { seed: 6, numRuns: 20 },
  );
  // Neither by nothing nor by far too much.
  expect(margins.length).toBeGreaterThan(15);
  expect(margins.filter((share) => share > 0.5).length / margins.length).toBeGreaterThan(0.3);
});

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

test('findings that depend on rows which are rounding are marked', async () => {
  const table = await run({ preset: 'three-phases', eta: 1 / 7, steps: 3000 });
  const marked = verifyRun(table).filter(({ note }) => note?.includes('digits not true'));
  const names = marked.map(({ name }) => name);
  expect(names).toContain('global-convergence');
  expect(names).not.toContain('progressive-sharpening');
  expect(marked[0]!.note).toContain('it depends on steps beyond 491');
});
