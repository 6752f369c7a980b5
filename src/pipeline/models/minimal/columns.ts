/** Parquet physical type of a column; a STRING column lives in memory as codes into its `values`. */
export type ColumnType = 'INT64' | 'INT32' | 'DOUBLE' | 'STRING';

/** One column of a table: what it is called, how it is stored, and what its numbers mean. */
export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Symbol in the formulas of the model. */
  readonly symbol: string;
  readonly unit: string;
  readonly meaning: string;
  /** STRING columns only: the words that the codes 0, 1, … stand for. */
  readonly values?: readonly string[];
}

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
    symbol: 'ηS/2',
    unit: '1',
    meaning: 'sharpness over the threshold 2/η',
  },
  {
    name: 'regime',
    type: 'STRING',
    symbol: '',
    unit: '',
    meaning: 'stable, edge or unstable: the ratio against 1 ∓ band',
    values: REGIMES,
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
    values: PHASES,
  },
  {
    name: 'cycle',
    type: 'INT32',
    symbol: '',
    unit: 'cycles',
    meaning: 'upward crossings of 2/η so far',
  },
] as const satisfies readonly ColumnSpec[];

export type RunColumn = (typeof RUN_COLUMNS)[number]['name'];

/** In memory: step counts as float64 (exact to 2⁵³), strings as codes. */
export type ColumnArray = Float64Array | Int32Array | Uint8Array;

type ArrayOf<T extends ColumnType> = T extends 'INT32'
  ? Int32Array
  : T extends 'STRING'
    ? Uint8Array
    : Float64Array;

/** The typed array of each column of a run. */
export type RunArrays = { [C in (typeof RUN_COLUMNS)[number] as C['name']]: ArrayOf<C['type']> };

/** A fresh array of `length` values for a column of that type. */
export function columnArray(type: ColumnType, length: number): ColumnArray {
  if (type === 'INT32') return new Int32Array(length);
  if (type === 'STRING') return new Uint8Array(length);
  return new Float64Array(length);
}

/** The columns of these names in the order of a run file; all of them for null. */
export function pickColumns(names: readonly string[] | null): readonly ColumnSpec[] {
  return names === null ? RUN_COLUMNS : RUN_COLUMNS.filter(({ name }) => names.includes(name));
}
