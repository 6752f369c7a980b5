import type { Cells, TableColumn } from '../formats/table-format.ts';
import { stabilityOf } from '../optimizers/index.ts';
import { SWEEP_PARAMETER_NAMES, SWEEP_PARAMETERS, type SweepParameterName } from './parameters.ts';
import type { RunResult } from './run-result.ts';
import { parameterValue, runId } from './sweep.ts';

/** Version of the layout of a sweep's folder and columns. */
export const SCHEMA_VERSION = '1';

export const OUTCOMES = [
  'gradient-flow',
  'edge-of-stability',
  'converged',
  'diverged',
  'sharpening',
  'unknown',
] as const;

/** One cell of a row of a sweep: the column, and how it comes out of a run. */
export interface SweepColumn<R = RunResult> extends TableColumn {
  readonly of: (result: R, seconds: number) => number | string | boolean | null;
}

/**
 * Columns of a sweep's summary, in order: the run, its parameters, everything in its `eos.summary`,
 * and what it took.
 */
export const SWEEP_COLUMNS: readonly SweepColumn[] = [
  text('run_id', 'hash of all parameters', ({ config }) => runId(config)),
  ...SWEEP_PARAMETER_NAMES.map(parameterColumn),
  double(
    'moment_lambda1',
    'Σ₁₁',
    'second moment as used: that of the sampled points where there are any',
    (r) => r.config.moments.lambda1,
  ),
  double('moment_lambda2', 'Σ₂₂', 'second moment as used', (r) => r.config.moments.lambda2),
  double('moment_covariance', 'Σ₁₂', 'covariance as used', (r) => r.config.moments.covariance),
  {
    ...column(
      'outcome',
      'STRING',
      '',
      '',
      'gradient-flow, edge-of-stability, converged, diverged or sharpening (too short to tell)',
    ),
    words: OUTCOMES,
    of: ({ summary }) => OUTCOMES.indexOf(summary.outcome),
  },
  {
    ...column('interrupted', 'BOOLEAN', '', '', 'stopped before its last step: never, in a sweep'),
    of: ({ summary }) => summary.interrupted,
  },
  text('phases', 'JSON: [{phase, first_step, last_step}]', ({ summary }) =>
    JSON.stringify(summary.phases),
  ),
  whole(
    'cycles',
    'upward crossings of the threshold of the optimizer',
    ({ summary }) => summary.cycles,
  ),
  nullable(
    whole('first_crossing', 'first step at the edge of stability', (r) => r.summary.first_crossing),
  ),
  double(
    'max_sharpness_ratio',
    'max S/τ',
    'largest ratio of sharpness to the threshold of the optimizer, 2/η for gradient descent',
    (r) => r.summary.max_sharpness_ratio,
  ),
  nullable(
    whole(
      'diverged_at',
      'first step whose loss is over 10¹²',
      ({ summary }) => summary.diverged_at,
    ),
  ),
  double('final_loss', 'L', 'loss of the last row', ({ summary }) => summary.final_loss),
  whole('last_step', 'step of the last row', ({ summary }) => summary.last_step),
  nullable(
    whole(
      'convergence_time',
      'T(δ, ε): first step from which on L ≤ ε and S ≤ τ_δ hold, (2 + δ)/η for gradient descent',
      (r) => r.summary.convergence_time.step,
    ),
  ),
  nullable(
    double('l_hat_slope', '', 'slope of ln L̂ per step at the edge', ({ summary }) =>
      finite(summary.l_hat_slope),
    ),
  ),
  nullable(
    double(
      'l_hat_slope_predicted',
      '',
      'the same as predicted, 2·ln(1 − 2λ₂/λ₁) for gradient descent',
      ({ summary }) => finite(summary.l_hat_slope_predicted),
    ),
  ),
  nullable(
    double('mean_l1_in_eos', '', 'mean of L₁ at the edge', ({ summary }) =>
      finite(summary.mean_l1_in_eos),
    ),
  ),
  nullable(
    double('mean_l1_predicted', '', 'mean of ½·α̂λ₂β₂(1 − α̂β₂) at the edge', (r) =>
      finite(r.summary.mean_l1_predicted),
    ),
  ),
  nullable(
    whole(
      'trusted_until',
      'last step before the run has fewer than three true digits',
      (r) => r.summary.trusted_until,
    ),
  ),
  nullable(
    whole('precision', 'bits of the arithmetic of the steps, none for float64', ({ summary }) =>
      summary.precision === 'float64' ? null : summary.precision,
    ),
  ),
  text('warnings', 'JSON: [{kind, step, message}]', ({ summary }) =>
    JSON.stringify(summary.warnings),
  ),
  double('final_sharpness_ratio', 'S/τ', 'ratio of the last row', (r) =>
    ratioOf(r, r.finalSharpness),
  ),
  double(
    'start_gfs_ratio',
    'S∞(θ₀)/τ',
    'below 1 gradient flow from the start ends below the threshold: no edge of stability',
    (r) => ratioOf(r, r.startSolutionSharpness),
  ),
  double('wall_seconds', 's', 'time the run took', (_, seconds) => seconds),
];

/** Cells of the rows that have been added, one array a column. */
export interface SweepRows<R = RunResult> {
  readonly schema: readonly TableColumn[];
  readonly columns: readonly Cells[];
  add(result: R, seconds: number): void;
}

/** An empty block of rows. */
export function rowsOf<R>(schema: readonly SweepColumn<R>[]): SweepRows<R> {
  const columns: (number | string | boolean | null)[][] = schema.map(() => []);
  return {
    schema,
    columns,
    add(result, seconds) {
      schema.forEach(({ of }, c) => {
        columns[c]!.push(of(result, seconds));
      });
    },
  };
}

/** An empty block of rows of the minimal model. */
export const sweepRows = (): SweepRows => rowsOf(SWEEP_COLUMNS);

function parameterColumn(name: SweepParameterName): SweepColumn {
  const { type, symbol, meaning } = SWEEP_PARAMETERS[name];
  const spec =
    type === 'integer'
      ? whole(columnName(name), meaning, of, symbol)
      : double(columnName(name), symbol, meaning, of);
  return SWEEP_PARAMETERS[name].default === null ? nullable(spec) : spec;

  function of({ config }: RunResult): number | null {
    return parameterValue(config, name);
  }
}

/** Column of a parameter: starts are told apart from the θ_t of run files. */
export function columnName(name: SweepParameterName): string {
  return name === 'alpha' || name === 'beta1' || name === 'beta2' ? `init_${name}` : name;
}

export function column(
  name: string,
  type: TableColumn['type'],
  symbol: string,
  unit: string,
  meaning: string,
): TableColumn {
  return { name, type, symbol, unit, meaning };
}

export function text<R>(name: string, meaning: string, of: SweepColumn<R>['of']): SweepColumn<R> {
  return { ...column(name, 'TEXT', '', '', meaning), of };
}

export function double<R>(
  name: string,
  symbol: string,
  meaning: string,
  of: SweepColumn<R>['of'],
): SweepColumn<R> {
  return { ...column(name, 'DOUBLE', symbol, '1', meaning), of };
}

export function whole<R>(
  name: string,
  meaning: string,
  of: SweepColumn<R>['of'],
  symbol = '',
): SweepColumn<R> {
  return { ...column(name, 'INT64', symbol, '1', meaning), of };
}

export function nullable<R>(spec: SweepColumn<R>): SweepColumn<R> {
  return { ...spec, nullable: true };
}

/** A sharpness over the threshold of the optimizer. */
function ratioOf({ config }: RunResult, sharpness: number): number {
  return stabilityOf(config).ratio(sharpness, config.eta);
}

/** A number that JSON could not hold is null there, and so it is here. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}
