import { Flags } from '@oclif/core';
import { parseNumber, type RunOptions } from '../pipeline/models/minimal/config.ts';
import { PRESET_NAMES, type PresetName, presets } from '../pipeline/models/minimal/presets.ts';
import { UsageError } from './errors.ts';
import { originOf } from './origin.ts';

/** A number flag: 0.05, 1e-6, 1/20. */
const number = Flags.custom<number>({
  async parse(text, _context, { name }) {
    const value = parseNumber(text);
    if (Number.isFinite(value)) return value;
    throw new UsageError(
      `${originOf(name)}: '${text}' is not a number; write it as 0.05, 1e-6 or 1/20`,
    );
  },
});

const numbers = Flags.custom<number[]>({
  async parse(text, _context, { name }) {
    const values = text.split(',').map(parseNumber);
    if (values.every(Number.isFinite)) return values;
    throw new UsageError(
      `${originOf(name)}: '${text}' is not a list of numbers; write it as 0.3,0.1,0.3`,
    );
  },
});

const names = Flags.custom<string[]>({
  parse: async (text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
});

/** The flags that make up a run; the names are those of `eos.config`. */
export const runFlags = {
  preset: Flags.string({
    description: `parameters to start from: ${PRESET_NAMES.join(', ')} [paper]`,
    helpValue: 'NAME',
    helpGroup: 'MODEL',
    env: 'EOS_PRESET',
  }),
  lambda1: number({
    description: 'second moment λ₁ of the irrelevant feature',
    helpValue: 'λ₁',
    helpGroup: 'MODEL',
    env: 'EOS_LAMBDA1',
  }),
  lambda2: number({
    description: 'second moment λ₂ of the relevant feature',
    helpValue: 'λ₂',
    helpGroup: 'MODEL',
    env: 'EOS_LAMBDA2',
  }),
  covariance: number({
    description: 'E[x₁x₂], 0 in the population setting',
    helpValue: 'σ',
    helpGroup: 'MODEL',
    env: 'EOS_COVARIANCE',
  }),
  samples: number({
    description: 'take Σ from that many Gaussian points instead',
    helpValue: 'N',
    helpGroup: 'MODEL',
    env: 'EOS_SAMPLES',
  }),
  seed: number({
    description: 'seed of the points',
    helpValue: 'S',
    helpGroup: 'MODEL',
    env: 'EOS_SEED',
  }),
  eta: number({
    description: 'learning rate η, such as 0.05 or 1/20',
    helpValue: 'η',
    helpGroup: 'MODEL',
    env: 'EOS_ETA',
  }),
  init: numbers({
    description: 'start θ₀, such as 0.3,0.1,0.3',
    helpValue: 'α,β₁,β₂',
    helpGroup: 'MODEL',
    env: 'EOS_INIT',
  }),
  floor: number({
    description: 'projection |β₁| ≥ ε after each step; 0 for plain gradient descent',
    helpValue: 'ε',
    helpGroup: 'MODEL',
    env: 'EOS_FLOOR',
  }),
  steps: number({
    description: 'steps to take (one row more than that)',
    helpValue: 'N',
    helpGroup: 'MODEL',
    env: 'EOS_STEPS',
  }),
  delta: number({
    description: 'convergence tolerates S ≤ (2 + δ)/η [0.01]',
    helpValue: 'δ',
    helpGroup: 'PHASES',
    env: 'EOS_DELTA',
  }),
  epsilon: number({
    description: 'loss that counts as converged in T(δ, ε) [1e-8]',
    helpValue: 'ε',
    helpGroup: 'PHASES',
    env: 'EOS_EPSILON',
  }),
  band: number({
    description: 'half-width of the regime edge around ηS/2 = 1 [0.05]',
    helpValue: 'B',
    helpGroup: 'PHASES',
    env: 'EOS_BAND',
  }),
  every: number({
    description: 'keep each K-th row, and all rows within K of a phase change or a peak of L₁',
    helpValue: 'K',
    helpGroup: 'OUTPUT',
    env: 'EOS_EVERY',
  }),
  columns: names({
    description: 'columns to write, comma-separated [all]',
    helpValue: 'A,B,C',
    helpGroup: 'OUTPUT',
    env: 'EOS_COLUMNS',
  }),
} as const;

export type RunFlagValues = { readonly [K in keyof typeof runFlags]?: RunOptions[K] | undefined };

const DEFAULT_PRESET: PresetName = 'paper';

/** Names that are the run's own: what a config file may say of it, and a preset does. */
const RUN_KEYS = Object.keys(runFlags) as (keyof typeof runFlags)[];

/**
 * What the user said of the run: flags (and environment) first, then the config file, then the preset. A preset that
 * is named on the command line also wins over what the file says of the values that a preset sets.
 */
export function runOptions(flags: RunFlagValues, file: RunOptions = {}): RunOptions {
  const hidden = flags.preset ? new Set<string>(Object.keys(presets.paper)) : new Set<string>();
  const said = Object.fromEntries(
    RUN_KEYS.map((key) => [key, flags[key] ?? (hidden.has(key) ? undefined : file[key])]),
  );
  return { ...said, preset: said.preset ?? DEFAULT_PRESET } as RunOptions;
}
