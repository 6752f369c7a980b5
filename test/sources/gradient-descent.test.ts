import fc from 'fast-check';
import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  balance,
  classifySharpness,
  type DescentOptions,
  detectPhases,
  flowSolution,
  gradient,
  gradientDescent,
  type ModelBatch,
  type Moments,
  type RunOptions,
  splitLoss,
  summarize,
  type Theta,
} from '../../src/pipeline/index.ts';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import type { DescentState } from '../../src/pipeline/models/minimal/descend.ts';
import { gradientDescent as inNode } from '../../src/pipeline/node/library.ts';
import { decoupled, moments, theta } from '../models/minimal/arbitrary.ts';

const full = (options: RunOptions, source?: DescentOptions) =>
  gradientDescent(options, source).pipe(
    splitLoss(),
    classifySharpness(),
    flowSolution(),
    detectPhases(),
    summarize(),
  );

/** All batches of a run as one table, a plain array a column. */
async function table(
  options: RunOptions,
  source?: DescentOptions,
): Promise<Record<string, number[]>> {
  const batches = await lastValueFrom(full(options, source).pipe(toArray()));
  return joined(batches);
}

function joined(batches: readonly ModelBatch[]): Record<string, number[]> {
  const names = Object.keys(batches[0]!.columns);
  return Object.fromEntries(
    names.map((name) => [
      name,
      batches.flatMap((batch) =>
        Array.from((batch.columns as Record<string, ArrayLike<number>>)[name]!).slice(
          0,
          batch.length,
        ),
      ),
    ]),
  );
}

const options = (
  at: { alpha: number; beta1: number; beta2: number },
  rest: RunOptions,
): RunOptions => ({
  init: [at.alpha, at.beta1, at.beta2],
  ...rest,
});

/**
 * β₁ no nearer than the floor to where it comes to rest, lag included (model of the projection).
 */
function projectedBeta1(
  before: Theta,
  { alpha, beta1, beta2 }: Theta,
  { lambda1, covariance }: Moments,
  eta: number,
  floor: number,
): number {
  const rest = (a: number, b2: number) => (-covariance * (a * b2 - 1)) / (lambda1 * a);
  const [now, then] = [rest(alpha, beta2), rest(before.alpha, before.beta2)];
  const centre = covariance === 0 ? 0 : now - (now - then) / (eta * lambda1 * alpha * alpha);
  if (!(Math.abs(beta1 - centre) < floor)) return beta1;
  return beta1 >= centre ? centre + floor : centre - floor;
}

test('the first batch of plain gradient descent comes before subscribe has returned', () => {
  let rows = 0;
  const running = gradientDescent({ steps: 20 }, { batchSize: 7 }).subscribe(({ length }) => {
    rows += length;
  });
  expect(rows).toBeGreaterThanOrEqual(7);
  running.unsubscribe();
});

describe('gradientDescent', () => {
  test.each([1e-140, 1e-150, 1e-170, 1e-300])(
    'the gradient at a distance of %d from a minimum keeps its norm',
    async (d) => {
      const { grad_norm } = await table({ init: [1, d, 1], floor: 0, steps: 0 });
      expect(grad_norm![0]! / (100 * d)).toBeCloseTo(1, 12);
    },
  );

  test.each([
    ['lambda1', { lambda1: 1e-160 }],
    ['lambda2', { lambda2: 1e-160 }],
    ['lambda1', { lambda1: 1e120 }],
  ] as const)('a %s whose squares leave float64 is refused in one line', (name, options) => {
    expect(() => resolveConfig(options)).toThrow(
      new RegExp(`^${name}: .* is out of range: its squares leave float64; scale the inputs`),
    );
    expect(() => resolveConfig({ lambda1: 1e-99, lambda2: 1e-100 })).not.toThrow();
  });

  test('takes the step θ − η∇L, then the projection', async () => {
    await fc.assert(
      fc.asyncProperty(theta, moments, fc.constantFrom(0, 1e-6, 0.5), async (at, m, floor) => {
        // The square of α must not underflow.
        fc.pre(Math.abs(at.alpha) > 1e-150);
        const eta = 0.01;
        const { alpha, beta1, beta2 } = await table(options(at, { ...m, eta, floor, steps: 1 }));
        const g = gradient(at, m);
        expect(alpha![1]).toBe(at.alpha - eta * g.alpha);
        expect(beta2![1]).toBe(at.beta2 - eta * g.beta2);
        const after = { alpha: alpha![1]!, beta1: at.beta1 - eta * g.beta1, beta2: beta2![1]! };
        const projected = projectedBeta1(at, after, m, eta, floor);
        const size = Math.max(Math.abs(projected), floor);
        // Halfway between both sides rounding decides on which one it ends.
        const off = Math.abs(after.beta1 - projected);
        fc.pre(m.covariance === 0 || Math.abs(off - floor) > 1e-9 * size);
        expect(Math.abs(beta1![1]! - projected)).toBeLessThanOrEqual(
          1e-13 * Math.max(1e-300, Math.abs(at.beta1)) + 1e-9 * (m.covariance === 0 ? 0 : size),
        );
      }),
    );
  });

  test('changes the balance by η²((∂α)² − ‖∂β‖²), projections by −(ε² − β̃₁²)₊', async () => {
    await fc.assert(
      fc.asyncProperty(theta, moments, fc.constantFrom(0, 0.3), async (at, m, floor) => {
        const eta = 0.01;
        const columns = await table(options(at, { ...m, eta, floor, steps: 1 }));
        const g = gradient(at, m);
        const drift = eta * eta * (g.alpha ** 2 - g.beta1 ** 2 - g.beta2 ** 2);
        const unprojected = at.beta1 - eta * g.beta1;
        const after = {
          alpha: columns.alpha![1]!,
          beta1: unprojected,
          beta2: columns.beta2![1]!,
        };
        const projected = projectedBeta1(at, after, m, eta, floor);
        const projection = projected * projected - unprojected * unprojected;
        const scale = Math.max(
          1,
          columns.alpha![1]! ** 2,
          columns.beta1![1]! ** 2,
          columns.beta2![1]! ** 2,
        );
        // The resting place of β₁ is as uncertain here as above.
        const size = m.covariance === 0 ? 0 : Math.max(Math.abs(projected), floor);
        const off = Math.abs(unprojected - projected);
        fc.pre(m.covariance === 0 || Math.abs(off - floor) > 1e-9 * size);
        expect(Math.abs(columns.balance![1]! - (balance(at) + drift - projection))).toBeLessThan(
          1e-13 * scale + 4e-9 * size * size,
        );
      }),
    );
  });

  test('is symmetric under (α, β₂) → −(α, β₂) and β₁ → −β₁, digit for digit', async () => {
    await fc.assert(
      fc.asyncProperty(theta, decoupled, async (at, m) => {
        // Of α = 0 the surrogate loss takes one side, as it must.
        fc.pre(at.alpha !== 0);
        const rest = { ...m, eta: 0.02, floor: 0, steps: 300 };
        const straight = await table(options(at, rest));
        const mirrored = await table(options({ ...at, alpha: -at.alpha, beta2: -at.beta2 }, rest));
        const flipped = await table(options({ ...at, beta1: -at.beta1 }, rest));
        for (const name of Object.keys(straight)) {
          const sign = name === 'alpha' || name === 'beta2' ? -1 : 1;
          expect(
            mirrored[name]!.map((x) => x * sign + 0),
            name,
          ).toEqual(straight[name]!.map((x) => x + 0));
          const flip = name === 'beta1' ? -1 : 1;
          expect(
            flipped[name]!.map((x) => x * flip + 0),
            name,
          ).toEqual(straight[name]!.map((x) => x + 0));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('gives the same digits whatever the batch size', async () => {
    const reference = await table({ preset: 'plain' });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7000 }), async (batchSize) => {
        expect(await table({ preset: 'plain' }, { batchSize })).toEqual(reference);
      }),
      { numRuns: 8, examples: [[1], [5501], [5500]] },
    );
  });

  test('continues from any state to the last digit', async () => {
    const whole = await table({ preset: 'plain', steps: 3600 });
    for (const at of [0, 1, 2000, 2974, 2975, 3200]) {
      const { after } = await lastValueFrom(gradientDescent({ preset: 'plain', steps: at }));
      const from = after!.gradientDescent!.state() as unknown as DescentState;
      const rest = await table({ preset: 'plain', steps: 3600 }, { from });
      for (const name of [
        'step',
        'alpha',
        'beta1',
        'beta2',
        'log10_abs_beta1',
        'loss',
        'grad_norm',
      ]) {
        expect(rest[name], `${name} from ${at}`).toEqual(whole[name]!.slice(at + 1));
      }
    }
  });

  test('is cold: each subscription is a run of its own', async () => {
    const source = full({ preset: 'three-phases' });
    const [first, second] = await Promise.all([
      lastValueFrom(source.pipe(toArray())),
      lastValueFrom(source.pipe(toArray())),
    ]);
    expect(first[0]!.run).not.toBe(second[0]!.run);
    expect(joined(first)).toEqual(joined(second));
  });

  test('stops computing when nobody listens', async () => {
    const batches = await lastValueFrom(
      gradientDescent({ steps: 1e9 }, { batchSize: 100 }).pipe(take(3), toArray()),
    );
    expect(batches.map((batch) => batch.columns.step[0])).toEqual([0, 100, 200]);
    expect(batches[2]!.after!.gradientDescent!.state()).toMatchObject({ step: 300 });
  });

  test('waits for whoever holds it', async () => {
    let open = 0;
    let most = 0;
    await new Promise<void>((resolve, reject) => {
      gradientDescent({ steps: 200 }, { batchSize: 10 }).subscribe({
        next({ run }) {
          open++;
          most = Math.max(most, open);
          run.hold(
            new Promise<void>((done) =>
              setTimeout(() => {
                open--;
                done();
              }, 1),
            ),
          );
        },
        complete: resolve,
        error: reject,
      });
    });
    expect(most).toBe(1);
  });

  test('fails when what it waits for fails', async () => {
    const failing = gradientDescent({ steps: 1e6 });
    const promise = new Promise((_, reject) => {
      failing.subscribe({
        next: ({ run }) => run.hold(Promise.reject(new Error('disk full'))),
        error: reject,
      });
    });
    await expect(promise).rejects.toThrow('disk full');
  });

  test('ends early on an abort, marked as interrupted', async () => {
    const controller = new AbortController();
    const batches: ModelBatch[] = [];
    await full({ steps: 1e8 }, { signal: controller.signal }).forEach((batch) => {
      batches.push(batch);
      if (batches.length === 3) controller.abort();
    });
    const { run } = batches[0]!;
    expect(run.summary).toMatchObject({ interrupted: true, outcome: expect.any(String) });
    expect(run.summary!.last_step).toBe(batches.reduce((sum, batch) => sum + batch.length, 0) - 1);
    expect(run.summary!.warnings.map((warning) => warning.kind)).toContain('interrupted');
  });

  test('a run of no steps has one row', async () => {
    const columns = await table({ steps: 0 });
    expect(columns.step).toEqual([0]);
    expect(columns.alpha).toEqual([0.3]);
  });

  test('ends before the first step whose loss is over 10¹² or not finite', async () => {
    await fc.assert(
      fc.asyncProperty(theta, decoupled, async (at, m) => {
        const batches = await lastValueFrom(
          full(options(at, { ...m, eta: 3, floor: 0, steps: 400 })).pipe(toArray()),
        );
        const { summary } = batches[0]!.run;
        const columns = joined(batches);
        expect(Math.max(...columns.loss!)).toBeLessThanOrEqual(1e12);
        if (summary!.diverged_at === null) expect(columns.step!.at(-1)).toBe(400);
        else {
          expect(summary).toMatchObject({
            outcome: 'diverged',
            diverged_at: columns.step!.at(-1)! + 1,
          });
          expect(columns.step!.at(-1)).toBeLessThan(400);
        }
      }),
    );
  });

  test('a run whose next step alone would diverge has not diverged', async () => {
    const { summary } = (await lastValueFrom(full({ eta: 1 / 2, floor: 0, steps: 4 }))).run;
    expect(summary).toMatchObject({
      outcome: 'edge-of-stability',
      diverged_at: null,
      last_step: 4,
    });
  });

  test.each([
    [{ eta: 0 }, 'eta: 0 is not a positive number'],
    [{ eta: '1/0' }, "eta: '1/0' is not a number"],
    [{ eta: Number.NaN }, 'eta: NaN'],
    [{ lambda1: -1 }, 'lambda1: -1 is not a positive number'],
    [{ covariance: 1 }, 'covariance: 1 is out of range'],
    [{ init: [1, 2] }, 'init: [1, 2] is not 3 finite numbers'],
    [{ init: [1e9, 1e9, 0] }, 'counts as diverged'],
    [{ steps: -1 }, 'steps: -1 is not a whole number'],
    [{ steps: 0.5 }, 'steps: 0.5 is not a whole number'],
    [{ every: 0 }, 'every: 0 is not a whole number'],
    [{ columns: ['step', 'gamma'] }, "columns: no column is called 'gamma'"],
    [{ preset: 'papr' }, "preset: no preset is called 'papr'; did you mean paper?"],
    [{ lamda1: 100 }, 'lamda1: there is no such parameter; did you mean lambda1?'],
  ] as const)('refuses %j at once', (bad, message) => {
    expect(() => inNode(bad as RunOptions)).toThrow(message);
  });
});
