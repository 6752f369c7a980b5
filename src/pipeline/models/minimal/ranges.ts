import type { Range } from '../../core/ranges.ts';
import { BAND, DELTA, EPSILON, ETA, EVERY, STEPS } from '../../core/run-ranges.ts';
import { PRESET_NAMES } from './presets/index.ts';

/**
 * What the parameters of a run of plain gradient descent may be, in the order of their table. What
 * has to be read from text, or is worked out elsewhere, is left to that table.
 */
export const plainRanges = {
  preset: { type: 'word', words: PRESET_NAMES, default: null },
  lambda1: { type: 'number', exclusiveMinimum: 0 },
  lambda2: { type: 'number', exclusiveMinimum: 0 },
  covariance: { type: 'number', default: 0 },
  samples: { type: 'integer', minimum: 2, maximum: 1e7, default: null },
  seed: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1, default: 0 },
  eta: ETA,
  init: { type: 'numbers', count: 3 },
  floor: { type: 'number', minimum: 0 },
  precision: { type: 'word', words: ['float64'], default: 'float64' },
  steps: STEPS,
  delta: DELTA,
  epsilon: EPSILON,
  band: BAND,
  columns: { type: 'word', words: [], default: null },
  every: EVERY,
} as const satisfies Readonly<Record<string, Range>>;
