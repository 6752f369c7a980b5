import { RUN_COLUMNS, type RunColumn } from './columns.ts';
import { type Moments, sampleMoments } from './moments.ts';
import { isPresetName, PRESET_NAMES, type PresetName, presets } from './presets.ts';

/** Every parameter of a run, as used. `moments` is Σ itself: sampled where `samples` is given, else the three numbers. */
export interface RunConfig {
  readonly preset: PresetName | null;
  readonly lambda1: number;
  readonly lambda2: number;
  readonly covariance: number;
  readonly samples: number | null;
  readonly seed: number;
  readonly moments: Moments;
  readonly eta: number;
  /** θ₀ = (α, β₁, β₂). */
  readonly init: readonly [number, number, number];
  /** ε of the projection |β₁| ≥ ε; 0 for plain gradient descent. */
  readonly floor: number;
  readonly steps: number;
  /** Tolerance over 2/η that still counts as convergence: S ≤ (2 + δ)/η. */
  readonly delta: number;
  /** Loss below which the run counts as converged in T(δ, ε). */
  readonly epsilon: number;
  /** Half-width of the regime `edge` around ηS/2 = 1. */
  readonly band: number;
  /** K of `thin`: every K-th row is kept, and all within K of an event. */
  readonly every: number;
  /** Columns that are written; null for all. */
  readonly columns: readonly RunColumn[] | null;
}

/** What a caller may say of a run; the rest comes from the preset (`paper` unless named). */
export interface RunOptions {
  readonly preset?: string | null | undefined;
  readonly lambda1?: number | undefined;
  readonly lambda2?: number | undefined;
  readonly covariance?: number | undefined;
  readonly samples?: number | null | undefined;
  readonly seed?: number | undefined;
  /** Learning rate, as a number or as text such as `1/20`. */
  readonly eta?: number | string | undefined;
  readonly init?: readonly number[] | undefined;
  readonly floor?: number | undefined;
  readonly steps?: number | undefined;
  readonly delta?: number | undefined;
  readonly epsilon?: number | undefined;
  readonly band?: number | undefined;
  readonly every?: number | undefined;
  readonly columns?: readonly string[] | null | undefined;
  /** Taken from `samples` and `seed`; accepted so that the config of an old run can be used again. */
  readonly moments?: Moments | undefined;
}

/** A parameter that cannot be used: names the parameter, what is wrong with it, and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly parameter: string;
  readonly problem: string;

  constructor(parameter: string, problem: string) {
    super(`${parameter}: ${problem}`);
    this.parameter = parameter;
    this.problem = problem;
  }
}

/** A loss above this, or not finite, counts as divergence. */
export const DIVERGENCE_LOSS = 1e12;

const DEFAULTS = {
  covariance: 0,
  seed: 0,
  delta: 0.01,
  epsilon: 1e-8,
  band: 0.05,
  every: 1,
} as const;

/** A number as text: decimal, or a fraction such as 1/20. NaN for anything else. */
export function parseNumber(text: string): number {
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length > 2 || parts.some((part) => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part)))
    return Number.NaN;
  const [numerator, denominator] = parts.map(Number);
  return denominator === undefined ? numerator! : numerator! / denominator;
}

/**
 * The whole configuration of a run from what the caller said, each value checked.
 * @throws ConfigError naming the first parameter that cannot be used.
 */
export function resolveConfig(options: RunOptions = {}): RunConfig {
  const preset = options.preset ?? null;
  if (preset !== null && !isPresetName(preset)) {
    throw new ConfigError(
      'preset',
      `no preset is called ${show(preset)}; there are ${PRESET_NAMES.join(', ')}`,
    );
  }
  const base = { ...DEFAULTS, ...presets[preset ?? 'paper'] };
  const given = <K extends keyof typeof base>(key: K) => options[key] ?? base[key];

  const lambda1 = positive(
    'lambda1',
    given('lambda1'),
    'the second moment of the irrelevant feature, such as 100',
  );
  const lambda2 = positive(
    'lambda2',
    given('lambda2'),
    'the second moment of the relevant feature, such as 0.01',
  );
  const covariance = finite('covariance', given('covariance'));
  if (!isDefinite({ lambda1, lambda2, covariance })) {
    const limit = Math.sqrt(lambda1) * Math.sqrt(lambda2);
    throw new ConfigError(
      'covariance',
      `${covariance} is out of range; |σ| must be below √(λ₁λ₂) = ${limit}, else Σ is not positive definite`,
    );
  }
  const samples = options.samples ?? null;
  const seed = integer('seed', given('seed'), -(2 ** 31), 2 ** 31 - 1);
  const eta = etaOf(given('eta'));
  const config: RunConfig = {
    preset,
    lambda1,
    lambda2,
    covariance,
    samples: samples === null ? null : integer('samples', samples, 2, 1e9),
    seed,
    moments: momentsOf({ lambda1, lambda2, covariance }, samples, seed),
    eta,
    init: initOf(given('init')),
    floor: nonNegative(
      'floor',
      given('floor'),
      'give the least |β₁| of the projection, or 0 for plain gradient descent',
    ),
    steps: integer('steps', given('steps'), 0, Number.MAX_SAFE_INTEGER),
    delta: positive('delta', given('delta'), 'the tolerance of convergence, such as 0.01'),
    epsilon: positive(
      'epsilon',
      given('epsilon'),
      'the loss that counts as converged, such as 1e-8',
    ),
    band: nonNegative(
      'band',
      given('band'),
      'give the half-width of the edge regime, such as 0.05',
    ),
    every: integer('every', given('every'), 1, 1e9),
    columns: columnsOf(options.columns ?? null),
  };
  checkStart(config);
  return config;
}

/** Whether Σ is positive definite, |σ| < √(λ₁λ₂); products of very small or large moments have lost their digits. */
function isDefinite({ lambda1, lambda2, covariance }: Moments): boolean {
  const product = lambda1 * lambda2;
  if (product > 1e-290 && product < 1e290) return covariance * covariance < product;
  return Math.abs(covariance) / Math.sqrt(lambda1) < Math.sqrt(lambda2);
}

function momentsOf(population: Moments, samples: number | null, seed: number): Moments {
  if (samples === null) return population;
  const moments = sampleMoments(population, integer('samples', samples, 2, 1e9), seed);
  if (!isDefinite(moments)) {
    throw new ConfigError(
      'samples',
      `the ${samples} points of seed ${seed} lie on one line; take more points`,
    );
  }
  return moments;
}

/** The start itself must not count as diverged already. */
function checkStart({ init: [alpha, beta1, beta2], moments }: RunConfig): void {
  const p = alpha * beta1;
  const r = alpha * beta2 - 1;
  const loss =
    0.5 * moments.lambda1 * (p * p) + 0.5 * moments.lambda2 * (r * r) + moments.covariance * p * r;
  const scale = alpha * alpha + beta1 * beta1 + beta2 * beta2;
  if (loss <= DIVERGENCE_LOSS && Number.isFinite(scale * scale)) return;
  throw new ConfigError(
    'init',
    `the loss at (${alpha}, ${beta1}, ${beta2}) is ${loss}, which counts as diverged (over ${DIVERGENCE_LOSS}); start closer to 0`,
  );
}

function etaOf(value: number | string): number {
  const eta = typeof value === 'string' ? parseNumber(value) : value;
  if (Number.isFinite(eta) && eta > 0) return eta;
  throw new ConfigError(
    'eta',
    `${show(value)} is not a positive number; give a learning rate such as 0.05 or 1/20`,
  );
}

function initOf(value: readonly number[]): readonly [number, number, number] {
  if (!Array.isArray(value) || value.length !== 3 || !value.every((x) => Number.isFinite(x))) {
    throw new ConfigError(
      'init',
      `${show(value)} is not three finite numbers; give α,β₁,β₂ such as 0.3,0.1,0.3`,
    );
  }
  const [alpha, beta1, beta2] = value;
  return [alpha!, beta1!, beta2!];
}

function columnsOf(names: readonly string[] | null): readonly RunColumn[] | null {
  if (names === null) return null;
  if (!Array.isArray(names))
    throw new ConfigError('columns', `${show(names)} is not a list of column names`);
  const wanted = new Set(names.map((name) => String(name)));
  for (const name of wanted) {
    if (RUN_COLUMNS.some((column) => column.name === name)) continue;
    throw new ConfigError(
      'columns',
      `no column is called '${name}'; there are ${RUN_COLUMNS.map((column) => column.name).join(', ')}`,
    );
  }
  if (wanted.size === 0)
    throw new ConfigError('columns', 'the list is empty; name at least one column');
  return RUN_COLUMNS.map((column) => column.name).filter((name) => wanted.has(name));
}

function finite(parameter: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new ConfigError(parameter, `${show(value)} is not a finite number`);
}

function positive(parameter: string, value: number, advice: string): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new ConfigError(parameter, `${show(value)} is not a positive number; give ${advice}`);
}

function nonNegative(parameter: string, value: number, advice: string): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new ConfigError(parameter, `${show(value)} is not a number from 0 up; ${advice}`);
}

function integer(parameter: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(parameter, `${show(value)} is not a whole number from ${least} to ${most}`);
}

/** A value as the message names it; text that should have been a number shows its quotes. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'string' && typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return 'what is given, nested beyond reason,';
  }
}
