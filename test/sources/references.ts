import { readdirSync, readFileSync } from 'node:fs';
import { lastValueFrom, tap, toArray } from 'rxjs';
import {
  gradientDescent,
  type RunOptions,
  type RunSummary,
  type Step,
  toSteps,
} from '../../src/pipeline/index.ts';
import { standardPipeline } from '../../src/pipeline/operators/standard.ts';

export interface Reference {
  readonly case: {
    readonly name: string;
    readonly lambda1: number;
    readonly lambda2: number;
    readonly s12?: number;
    readonly eta: string | number;
    readonly init: readonly number[];
    readonly floor: number;
    readonly steps: number;
  };
  readonly threshold: number;
  readonly summary: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
}

type Row = Readonly<Record<string, number | string>>;

const FOLDER = new URL('../reference/', import.meta.url);

/** Runs in arithmetic of as many bits as make two of them agree, made by MPFR. */
export const references = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Reference,
);

export function optionsOf({ case: c }: Reference): RunOptions {
  const { lambda1, lambda2, s12 = 0, eta, init, floor, steps } = c;
  return { lambda1, lambda2, covariance: s12, eta, init, floor, steps };
}

export async function computed(
  options: RunOptions,
): Promise<{ steps: Step[]; summary: RunSummary }> {
  let summary: (() => RunSummary | undefined) | undefined;
  const run = gradientDescent(options).pipe(
    standardPipeline(),
    tap((batch) => {
      summary ??= () => batch.run.summary;
    }),
  );
  const steps = await lastValueFrom(run.pipe(toSteps(), toArray()));
  return { steps, summary: summary!()! };
}

/** Columns whose residual cancels near zero: an error of 1e-12 of the loss is as good. */
const CANCELLING = new Set(['l2', 'l_hat']);

/** The cells that are further from the true ones than allowed, in words. */
export function wrongCells(
  steps: readonly Step[],
  rows: readonly Row[],
  allowed: (step: number) => number,
): string[] {
  return rows.flatMap((row) => {
    const t = row.step as number;
    const own = steps[t] as Readonly<Record<string, number | string>> | undefined;
    return Object.entries(row).flatMap(([column, expected]) => {
      const actual = own?.[column];
      const exact = typeof expected === 'string' || column === 'step' || column === 'cycle';
      const limit = exact
        ? 0
        : Math.max(
            allowed(t) * Math.abs(expected),
            CANCELLING.has(column) ? 1e-12 * (row.loss as number) : 0,
            1e-300,
          );
      const fits = exact
        ? actual === expected
        : Math.abs((actual as number) - (expected as number)) <= limit;
      return fits ? [] : [`${column} at ${t}: ${actual}, expected ${expected}`];
    });
  });
}

/**
 * What a summary says otherwise than the true one: words and steps exactly, numbers to a tolerance.
 */
export function summaryDifferences(
  summary: RunSummary,
  { summary: truth }: Reference,
  tolerance: number,
): string[] {
  const own = { ...summary, convergence_time: summary.convergence_time.step };
  const missing = {
    l_hat_slope: null,
    l_hat_slope_predicted: null,
    mean_l1_in_eos: null,
    mean_l1_predicted: null,
  };
  return Object.entries({ ...missing, ...truth }).flatMap(([key, expected]) => {
    const actual: unknown = own[key as keyof typeof own];
    const fits =
      typeof expected === 'number' && !Number.isInteger(expected)
        ? Math.abs((actual as number) / expected - 1) <= tolerance
        : JSON.stringify(actual) === JSON.stringify(expected);
    return fits ? [] : [`${key}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`];
  });
}
