import type { Range } from './ranges.ts';

// What the parameters of every run may be, whatever its model and optimizer. Each stands alone, so
// that a page has those that its operators name.

export const ETA = { type: 'number', exclusiveMinimum: 0 } as const satisfies Range;

// By a name of its own: bundlers keep a table in which something is looked up.
const LARGEST = Number.MAX_SAFE_INTEGER;
export const STEPS = { type: 'integer', minimum: 0, maximum: LARGEST } as const satisfies Range;

export const DELTA = {
  type: 'number',
  exclusiveMinimum: 0,
  default: 0.01,
} as const satisfies Range;

export const EPSILON = {
  type: 'number',
  exclusiveMinimum: 0,
  default: 1e-8,
} as const satisfies Range;

export const BAND = { type: 'number', minimum: 0, default: 0.05 } as const satisfies Range;

export const EVERY = {
  type: 'integer',
  minimum: 1,
  maximum: 1e9,
  default: 1,
} as const satisfies Range;
