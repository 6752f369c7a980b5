import { isPlain } from '../../core/is-plain.ts';
import {
  ConfigError,
  type OptionsOf,
  type ParameterTable,
  resolveValues,
  type ValuesOf,
} from '../../core/parameters.ts';
import { descentParameters } from '../../core/run-parameters.ts';
import { show } from '../../core/show.ts';
import { ownNames, resolveOptimizer } from '../../optimizers/parameters.ts';
import { plainOptimizers } from '../../optimizers/plain.ts';
import { RUN_COLUMNS, type RunColumn } from './columns.ts';
import { DIVERGENCE_LOSS } from './loss.ts';
import type { Moments } from './moments.ts';
import { minimalParameters } from './parameters.ts';
import { PRESET_NAMES, presets } from './presets/index.ts';
import type { plainRanges } from './ranges.ts';
import { sampleMoments } from './sample-moments.ts';
import { isDefinite, isSized, isSoundStart, SIZES, startLoss } from './soundness.ts';

export { ConfigError, parseNumber } from '../../core/parameters.ts';

const { init, floor, ...ofModel } = minimalParameters;
const { eta, steps, delta, epsilon, band, every } = descentParameters;

/**
 * What can be said of a run under any optimizer, in the order in which help and files have it: that
 * of the groups. Their names are read one by one, so that a page has no code that sorts them.
 */
export const plainParameters = {
  preset: {
    type: 'word',
    noun: 'preset',
    words: PRESET_NAMES,
    symbol: 'NAME',
    meaning: 'parameters to start from, paper unless given',
    group: 'MODEL',
    default: null,
  },
  ...ofModel,
  eta,
  init,
  floor,
  precision: {
    type: 'word',
    noun: 'precision',
    words: ['float64', 'auto'],
    integer: { minimum: 64, maximum: 65_536 },
    symbol: 'BITS',
    meaning:
      'arithmetic of the steps, or a number of bits; auto takes as many as make two runs agree',
    group: 'RUN',
    default: 'float64',
  },
  steps,
  delta,
  epsilon,
  band,
  columns: {
    type: 'words',
    noun: 'column',
    words: RUN_COLUMNS.map(({ name }) => name as RunColumn),
    symbol: 'A,B,C',
    meaning: 'columns to write',
    example: 'step,loss,sharpness',
    group: 'OUTPUT',
    default: null,
  },
  every,
} as const satisfies ParameterTable & Readonly<Record<keyof typeof plainRanges, unknown>>;

type Table = typeof plainParameters;

/** Whether a parameter says the same under every optimizer. */
export const isOfRun = (name: string): boolean => Object.hasOwn(plainParameters, name);

/**
 * Every parameter of a run, as used. `moments` is Σ itself: sampled where `samples` is given, else
 * the three numbers.
 */
export interface RunConfig extends ValuesOf<Table> {
  readonly model: 'minimal';
  readonly optimizer: string;
  readonly moments: Moments;
}

/** What a caller may say of a run; the rest comes from the preset (`paper` unless named). */
export interface RunOptions extends OptionsOf<Table> {
  readonly model?: 'minimal' | undefined;
  /** `gd` unless given; `momentum` where only that is. */
  readonly optimizer?: string | undefined;
  /** β of heavy ball and Nesterov. */
  readonly momentum?: number | string | null | undefined;
  /** Share of each gradient that heavy ball leaves out. */
  readonly dampening?: number | string | null | undefined;
  /**
   * Taken from `samples` and `seed`; accepted so that the config of an old run can be used again.
   */
  readonly moments?: Moments | undefined;
}

/** @throws ConfigError where parameters are given as anything but an object of their names */
export function checkObject(given: unknown): void {
  if (isPlain(given)) return;
  const such = typeof given === 'string' ? `; write { preset: '${given}' }` : '';
  throw new ConfigError('options', `${show(given)} is not an object of parameters${such}`);
}

/**
 * The whole configuration of a run from what the caller said, each value checked.
 * @throws ConfigError naming the first parameter that cannot be used.
 */
export function resolveConfig(given: RunOptions = {}): RunConfig {
  checkObject(given);
  const { moments: _moments, model: _model, ...options } = given;
  const { preset } = resolveValues({ preset: plainParameters.preset }, { preset: options.preset });
  const ofOptimizers = ['optimizer', ...ownNames(plainOptimizers)];
  const values = resolveValues(plainParameters, options, presets[preset ?? 'paper'], ofOptimizers);
  const chosen = resolveOptimizer(plainOptimizers, options);
  // Put to the values that are there: an object spread is copied key by key, for each run anew.
  return together(Object.assign(values, chosen, { model: 'minimal' as const }));
}

/**
 * A config that differs from another in these values, which have been read before.
 * @throws ConfigError where they cannot go together
 */
export function varied(base: RunConfig, values: Partial<RunConfig>): RunConfig {
  return together({ ...base, ...values });
}

/** Checks what several values decide together, and takes the moments from them. */
function together(values: Omit<RunConfig, 'moments'>): RunConfig {
  const { lambda1, lambda2, covariance } = values;
  checkSize('lambda1', lambda1);
  checkSize('lambda2', lambda2);
  if (!isDefinite(values)) {
    const limit = Math.sqrt(lambda1) * Math.sqrt(lambda2);
    throw new ConfigError(
      'covariance',
      `${covariance} is out of range; |σ| must be below √(λ₁λ₂) = ${limit}, else Σ is not ` +
        'positive definite',
    );
  }
  const config = Object.assign(values, { moments: momentsOf(values) });
  checkStart(config);
  checkOptimizer(config);
  return config;
}

/** What is made for the arithmetic of plain gradient descent alone. */
function checkOptimizer({ optimizer, floor, precision }: RunConfig): void {
  if (optimizer === 'gd') return;
  if (floor === 0) {
    throw new ConfigError(
      'floor',
      `0 goes with the optimizer gd only: under ${optimizer} β₁ is a plain float64 and would ` +
        'be lost; give a floor such as 1e-6',
    );
  }
  if (precision === 'float64') return;
  throw new ConfigError(
    'precision',
    `${precision} goes with the optimizer gd only; leave it out, or use gd`,
  );
}

function checkSize(name: 'lambda1' | 'lambda2', value: number): void {
  if (isSized(value)) return;
  throw new ConfigError(
    name,
    `${value} is out of range: its squares leave float64; scale the inputs so that it lies ` +
      `between ${SIZES[0]} and ${SIZES[1]}`,
  );
}

function momentsOf({ lambda1, lambda2, covariance, samples, seed }: ValuesOf<Table>): Moments {
  const population = { lambda1, lambda2, covariance };
  if (samples === null) return population;
  const moments = sampleMoments(population, samples, seed);
  if (isDefinite(moments)) return moments;
  throw new ConfigError(
    'samples',
    `the ${samples} points of seed ${seed} lie on one line; take more points`,
  );
}

/** The start itself must not count as diverged already. */
function checkStart(config: RunConfig): void {
  if (isSoundStart(config)) return;
  const [alpha, beta1, beta2] = config.init;
  throw new ConfigError(
    'init',
    `the loss at (${alpha}, ${beta1}, ${beta2}) is ${startLoss(config)}, which counts as ` +
      `diverged (over ${DIVERGENCE_LOSS}); start closer to 0`,
  );
}
