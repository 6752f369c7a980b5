import type { ArraysOf, Column } from '../../core/schema.ts';

export const REGIMES = ['stable', 'edge', 'unstable'] as const;
export const PHASES = [
  'progressive-sharpening',
  'eos-sharpening',
  'eos-self-stabilization',
  'convergence',
] as const;

export type Regime = (typeof REGIMES)[number];
export type Phase = (typeof PHASES)[number];

/** The columns of a run file, in the order in which they stand there. */
export const RUN_COLUMNS = [
  {
    name: 'step',
    type: 'INT64',
    symbol: 't',
    unit: 'steps',
    meaning: 'gradient-descent step, from 0',
  },
  { name: 'alpha', type: 'DOUBLE', symbol: 'α', unit: '1', meaning: 'second-layer weight' },
  {
    name: 'beta1',
    type: 'DOUBLE',
    symbol: 'β₁',
    unit: '1',
    meaning: 'first-layer weight of the irrelevant feature',
  },
  {
    name: 'beta2',
    type: 'DOUBLE',
    symbol: 'β₂',
    unit: '1',
    meaning: 'first-layer weight of the relevant feature',
  },
  {
    name: 'log10_abs_beta1',
    type: 'DOUBLE',
    symbol: 'log₁₀|β₁|',
    unit: 'decades',
    meaning: 'valid where beta1 underflows to 0; −Infinity only where β₁ is exactly 0',
  },
  { name: 'loss', type: 'DOUBLE', symbol: 'L', unit: '1', meaning: 'training loss' },
  {
    name: 'l1',
    type: 'DOUBLE',
    symbol: 'L₁',
    unit: '1',
    meaning: 'oscillatory part of the loss (irrelevant feature)',
  },
  {
    name: 'l2',
    type: 'DOUBLE',
    symbol: 'L₂',
    unit: '1',
    meaning: 'convergent part of the loss (relevant feature)',
  },
  {
    name: 'l_hat',
    type: 'DOUBLE',
    symbol: 'L̂',
    unit: '1',
    meaning: 'surrogate loss: L₂ with α pinned at the edge',
  },
  {
    name: 'grad_norm',
    type: 'DOUBLE',
    symbol: '‖∇L‖₂',
    unit: '1',
    meaning: 'Euclidean norm of the gradient',
  },
  {
    name: 'sharpness',
    type: 'DOUBLE',
    symbol: 'S',
    unit: '1',
    meaning: 'largest eigenvalue of the Hessian',
  },
  {
    name: 'sharpness_ratio',
    type: 'DOUBLE',
    symbol: 'S/τ',
    unit: '1',
    meaning: 'sharpness over the threshold of the optimizer: 2/η for gradient descent',
  },
  {
    name: 'regime',
    type: 'STRING',
    symbol: '',
    unit: '',
    meaning: 'stable, edge or unstable: the ratio against 1 ∓ band',
    words: REGIMES,
  },
  {
    name: 'gfs_sharpness',
    type: 'DOUBLE',
    symbol: 'S∞',
    unit: '1',
    meaning: 'sharpness of the minimum where gradient flow from here would end',
  },
  {
    name: 'balance',
    type: 'DOUBLE',
    symbol: 'Q',
    unit: '1',
    meaning: 'α² − β₁² − β₂², conserved by gradient flow',
  },
  {
    name: 'phase',
    type: 'STRING',
    symbol: '',
    unit: '',
    meaning: 'progressive-sharpening, eos-sharpening, eos-self-stabilization or convergence',
    words: PHASES,
  },
  {
    name: 'cycle',
    type: 'INT32',
    symbol: '',
    unit: 'cycles',
    meaning: 'upward crossings of the threshold so far',
  },
  {
    name: 'digits',
    type: 'INT32',
    symbol: '',
    unit: 'digits',
    meaning: 'true decimal digits of the row, 0 … 15: as many as agree with a second computation',
  },
] as const satisfies readonly Column[];

export type RunColumn = (typeof RUN_COLUMNS)[number]['name'];

/** The typed array of each column of a run. */
export type RunArrays = ArraysOf<typeof RUN_COLUMNS>;

type ColumnOf<Name> = Extract<(typeof RUN_COLUMNS)[number], { readonly name: Name }>;

/** The columns of these names. */
export function runColumns<const Names extends readonly RunColumn[]>(
  ...names: Names
): { readonly [K in keyof Names]: ColumnOf<Names[K]> } {
  return names.map((name) => RUN_COLUMNS.find((column) => column.name === name)) as {
    readonly [K in keyof Names]: ColumnOf<Names[K]>;
  };
}

/**
 * The columns of every dynamics of the model, in the order in which operators' columns are added.
 */
export const POINT_COLUMNS = runColumns(
  'step',
  'alpha',
  'beta1',
  'beta2',
  'log10_abs_beta1',
  'loss',
  'l2',
  'grad_norm',
);
