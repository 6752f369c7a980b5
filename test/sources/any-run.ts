import fc from 'fast-check';
import { blocks } from '../../src/pipeline/core/operator.ts';
import { PHASES, REGIMES, type RunArrays } from '../../src/pipeline/models/minimal/columns.ts';
import {
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../../src/pipeline/models/minimal/config.ts';
import { spectrum } from '../../src/pipeline/models/minimal/moments.ts';
import { sharpness } from '../../src/pipeline/models/minimal/sharpness.ts';
import { solutionSharpness } from '../../src/pipeline/models/minimal/solution.ts';
import type { RunSummary } from '../../src/pipeline/models/minimal/summary.ts';
import { edgeAlpha } from '../../src/pipeline/models/minimal/surrogate.ts';
import { standardOperators } from '../../src/pipeline/operators/standard.ts';
import { stabilityOf } from '../../src/pipeline/optimizers/index.ts';
import { descentRows } from '../../src/pipeline/sources/descent/descent-rows.ts';
import { type Motion, type TrueRow, trueRun } from './true-run.ts';

/** A positive number of any size between the two. */
const size = (least: number, most: number) =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);
const signed = (of: fc.Arbitrary<number>) =>
  fc.tuple(of, fc.boolean()).map(([x, negative]) => (negative ? -x : x));
const usual = fc.constant([0.3, 0.1, 0.3] as const);

/**
 * Runs of every kind: calm and chaotic, with covariance, sampled data, without a floor, with
 * momentum.
 */
export const anyOptions: fc.Arbitrary<RunOptions> = fc
  .record({
    lambda1: fc.oneof(fc.constant(100), size(0.1, 1000)),
    ratio: fc.oneof(fc.constantFrom(1e-4, 2e-4, 1e-3), size(1e-5, 1)),
    // |α| at the edge: the smaller, the wider the swings.
    edge: fc.oneof(size(0.15, 0.45), size(0.2, 1.5)),
    correlation: fc.oneof(fc.constant(0), fc.double({ min: -0.98, max: 0.98, noNaN: true })),
    init: fc.oneof(
      usual,
      usual,
      fc.tuple(
        signed(size(0.01, 0.8)),
        fc.oneof(signed(size(1e-6, 0.5)), fc.constantFrom(0, 1e-30, 1e-200)),
        signed(size(0.01, 1)),
      ),
    ),
    floor: fc.oneof(fc.constant(1e-6), size(1e-14, 1e-2), fc.constant(0)),
    kind: fc.constantFrom('plain', 'plain', 'covariance', 'sampled', 'momentum'),
    momentum: fc.constantFrom(0.1, 0.5, 0.9),
    samples: fc.integer({ min: 2, max: 300 }),
    seed: fc.nat(1_000_000),
    steps: fc.constantFrom(400, 1200, 2500),
  })
  .map(
    ({ lambda1, ratio, edge, correlation, init, floor, kind, momentum, samples, seed, steps }) => {
      const lambda2 = lambda1 * ratio;
      const eta = 2 / (lambda1 * edge ** 2);
      const options = { lambda1, lambda2, eta, init, floor, steps };
      if (kind === 'covariance')
        return { ...options, covariance: correlation * Math.sqrt(lambda1 * lambda2) };
      if (kind === 'sampled') return { ...options, samples, seed };
      if (kind === 'plain') return options;
      return {
        ...options,
        optimizer: 'momentum',
        momentum,
        eta: eta * (1 + momentum),
        floor: floor || 1e-9,
      };
    },
  );

/** A run as this project computes it: all its columns, and its summary. */
export function ownRun(config: RunConfig): { columns: RunArrays; summary: RunSummary } {
  const rows = descentRows(config);
  const parts: Record<string, number[]> = {};
  for (const { columns, length } of blocks(rows, standardOperators(), 1024)) {
    for (const [name, values] of Object.entries(columns)) {
      parts[name] ??= [];
      for (let i = 0; i < length; i++) parts[name].push(values[i]!);
    }
  }
  return { columns: parts as unknown as RunArrays, summary: rows.run.summary! };
}

/** Far more bits than a trusted row can have lost; without a floor β₁ may fall to 10^−2200. */
const BITS = 1100;
const BITS_WITHOUT_FLOOR = 8000;

/**
 * The cells of the trusted rows that are further from the true ones than their `digits` say, in
 * words, each column once.
 *
 * @param allowed relative error of a row's numbers
 */
export function brokenWords(
  options: RunOptions,
  allowed: (digits: number) => number = (digits) => Math.max(1e-9, 30 * 10 ** -digits),
): string[] {
  const config = resolveConfig(options);
  const { columns, summary } = ownRun(config);
  const { trusted_until: until, diverged_at: divergedAt } = summary;
  const last = until ?? config.steps;
  const stability = stabilityOf(config);
  const edge = edgeAlpha(config.moments.lambda1, config.eta, stability);
  const broken = new Map<string, string>();
  const bits = config.floor === 0 ? BITS_WITHOUT_FLOOR : BITS;
  const axes = spectrum(config.moments);
  const label = trueLabels(config);
  const trueEnd = trueRun({ ...config, steps: last }, bits, edge, (point, motion) => {
    const t = point.step;
    if (t >= columns.step.length) {
      broken.set('rows', `row ${t} is not there`);
      return;
    }
    const s = sharpness(point, axes);
    const end = solutionSharpness(point.balance, config.moments, axes);
    const row = {
      ...point,
      sharpness: s,
      sharpness_ratio: stability.ratio(s, config.eta),
      gfs_sharpness: end,
    };
    const digits = columns.digits[t]!;
    const tolerance = allowed(digits);
    const tell = (name: string, own: unknown, real: unknown) => {
      if (broken.has(name)) return;
      broken.set(name, `${name} at ${t}: ${own} of ${digits} digits, is ${real}`);
    };
    for (const [name, real] of Object.entries(row) as [keyof typeof row, number][]) {
      if (Math.abs(real) === Number.POSITIVE_INFINITY) continue;
      const limit = Math.max(
        tolerance * Math.abs(real),
        slack(name, row),
        grain(name, config),
        1e-300,
      );
      const own = columns[name][t]!;
      if (Math.abs(own - real) > limit) tell(name, own, real);
    }
    const truth = label(s, end, motion);
    const own = {
      phase: PHASES[columns.phase[t]!],
      cycle: columns.cycle[t],
      regime: REGIMES[columns.regime[t]!],
    };
    for (const name of ['phase', 'cycle', 'regime'] as const)
      if (truth[name] !== undefined && own[name] !== truth[name])
        tell(name, own[name], truth[name]);
  });
  if (until === null && trueEnd !== divergedAt)
    broken.set('diverged_at', `diverges at ${divergedAt}, is ${trueEnd}`);
  return [...broken.values()];
}

/**
 * The labels of one row after the other, by their rules; undefined where rounding alone decides.
 */
function trueLabels(config: RunConfig) {
  const stability = stabilityOf(config);
  const threshold = stability.threshold(config.eta);
  const tolerated = stability.threshold(config.eta, config.delta);
  let coarse: 'sharpening' | 'edge' | 'convergence' = 'sharpening';
  let [cycle, before] = [0, 0];
  return (s: number, end: number, { growth, residual }: Motion) => {
    if (before < threshold && s >= threshold) cycle++;
    before = s;
    if (coarse === 'sharpening' && s >= threshold) coarse = 'edge';
    if (coarse === 'convergence') {
      if (s > tolerated) coarse = 'edge';
    } else if (s <= tolerated && end <= tolerated && s >= 0.95 * end) coarse = 'convergence';
    const ratio = stability.ratio(s, config.eta);
    const [low, high] = [1 - config.band, 1 + config.band];
    const atEdge = growth < 0 ? 'eos-sharpening' : 'eos-self-stabilization';
    return {
      cycle,
      regime: ratio < low ? 'stable' : ratio > high ? 'unstable' : 'edge',
      phase:
        coarse === 'sharpening'
          ? 'progressive-sharpening'
          : coarse === 'convergence'
            ? 'convergence'
            : Math.abs(residual) < 1e-14
              ? undefined
              : atEdge,
    };
  };
}

/** What a number may be wrong by as a part of what it is the difference of. */
function slack(name: string, { loss, alpha, beta1, beta2 }: TrueRow): number {
  if (name === 'l2' || name === 'l_hat') return 1e-12 * loss;
  if (name === 'balance') return 1e-12 * (alpha ** 2 + beta1 ** 2 + beta2 ** 2);
  return name === 'log10_abs_beta1' ? 1e-9 : 0;
}

/**
 * With so many bits behind the point αβ₂ − 1 is a multiple of 2^−bits, and rounding in it some
 * thousands of those.
 */
function grain(name: string, { precision, moments: { lambda1, lambda2 } }: RunConfig): number {
  if (precision === 'float64' || precision === 'auto') return 0;
  const unit = 2 ** (12 - Number(precision));
  if (name === 'l2' || name === 'loss') return (lambda1 + lambda2) * unit ** 2;
  return name === 'grad_norm' ? (lambda1 + lambda2) * unit : 0;
}
