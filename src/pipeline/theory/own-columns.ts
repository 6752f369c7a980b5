import { addedColumns } from '../core/operator.ts';
import { REGIMES, type RunColumn } from '../models/minimal/columns.ts';
import { gradient } from '../models/minimal/loss.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { startModelRun } from '../models/minimal/run.ts';
import { hypot, log10 } from '../numeric/elementary.ts';
import { regimeOf } from '../operators/classify-sharpness.ts';
import { detectPhases } from '../operators/detect-phases.ts';
import { stabilityOf } from '../optimizers/index.ts';
import { residualError } from './own-steps.ts';
import { type RunColumns, type RunTable, runTable } from './run-table.ts';

/** Of a recomputed value. */
const TOLERANCE = 1e-12;
const UNDERFLOW = 1e-300;

const DERIVED = [
  'loss',
  'l1',
  'l2',
  'l_hat',
  'grad_norm',
  'sharpness',
  'sharpness_ratio',
  'gfs_sharpness',
  'balance',
] as const satisfies readonly RunColumn[];

type Derived = (typeof DERIVED)[number];

/**
 * In words, the first cell of each column that does not follow from θ, the config, and the rules.
 */
export function wrongColumns(table: RunTable): readonly string[] {
  const bare = bareTable(table);
  const found: (string | undefined)[] = DERIVED.filter((name) => table.stored(name)).map((name) =>
    firstWrong(table, name, bare.column(name)),
  );
  return [...found, wrongLog(table), wrongRegime(table), ...wrongLabels(table)].filter(
    (words) => words !== undefined,
  );
}

/** The run as if its file held θ alone. */
function bareTable(table: RunTable): RunTable {
  const [alpha, beta1, beta2] = [
    table.column('alpha'),
    table.column('beta1'),
    table.column('beta2'),
  ];
  const columns: RunColumns & { readonly step: Float64Array } = {
    step: table.step,
    alpha,
    beta1,
    beta2,
  };
  return runTable(table.config, columns, table.divergedAt);
}

function firstWrong(table: RunTable, name: Derived, truth: Float64Array): string | undefined {
  const values = table.column(name);
  for (let i = 0; i < table.length; i++) {
    if (Math.abs(values[i]! - truth[i]!) <= allowance(table, name, i, truth[i]!)) continue;
    return differs(table, name, i, values[i]!, truth[i]!);
  }
  return undefined;
}

function differs(table: RunTable, name: string, i: number, value: unknown, truth: unknown): string {
  return `${name} at step ${table.step[i]} is ${String(value)}, which should be ${String(truth)}`;
}

/**
 * By how much a recomputed value may differ: by rounding, and by what rounded α and β₂ do not tell.
 */
export function allowance(table: RunTable, name: Derived, i: number, value: number): number {
  const { moments } = table.config;
  const { lambda1, lambda2, covariance } = moments;
  const residual = residualError(table.step[i]!);
  const theta = {
    alpha: table.column('alpha')[i]!,
    beta1: table.column('beta1')[i]!,
    beta2: table.column('beta2')[i]!,
  };
  const squares = theta.alpha * theta.alpha + theta.beta1 * theta.beta1 + theta.beta2 * theta.beta2;
  const p = Math.abs(theta.alpha * theta.beta1);
  const r = Math.abs(theta.alpha * theta.beta2 - 1) + residual;
  const own = TOLERANCE * Math.abs(value) + UNDERFLOW;
  switch (name) {
    case 'loss':
      return own + residual * (lambda2 * r + Math.abs(covariance) * p);
    case 'l2':
      return own + residual * lambda2 * r;
    case 'l_hat':
      return own + residual * (Math.sqrt(2 * lambda2 * Math.abs(value)) + lambda2 * residual);
    case 'grad_norm': {
      const { beta1, beta2 } = gradient(theta, moments);
      const terms = Math.abs(theta.beta1) * lambda1 * p + Math.abs(theta.beta2) * lambda2 * r;
      const scale = lambda2 + Math.abs(covariance);
      return (
        own +
        1e-14 * (terms + hypot(beta1, beta2)) +
        residual * scale * (Math.abs(theta.alpha) + Math.abs(theta.beta1) + Math.abs(theta.beta2))
      );
    }
    case 'gfs_sharpness':
      return own + 1e-14 * spectrum(moments).large * squares;
    case 'balance':
      return own + 1e-14 * squares;
    default:
      return own;
  }
}

function wrongLog(table: RunTable): string | undefined {
  if (!table.stored('log10_abs_beta1')) return undefined;
  const [logs, beta1] = [table.column('log10_abs_beta1'), table.column('beta1')];
  for (let i = 0; i < table.length; i++) {
    const size = Math.abs(beta1[i]!);
    // Where β₁ underflows, its logarithm is looked at from step to step.
    const fits =
      size > 1e-290
        ? Math.abs(logs[i]! - log10(size)) <= TOLERANCE * (1 + Math.abs(logs[i]!))
        : logs[i]! < -289;
    if (!fits) return differs(table, 'log10_abs_beta1', i, logs[i], log10(size));
  }
  return undefined;
}

function wrongRegime(table: RunTable): string | undefined {
  if (!table.stored('regime')) return undefined;
  const [codes, ratio] = [table.column('regime'), table.column('sharpness_ratio')];
  const { band } = table.config;
  for (let i = 0; i < table.length; i++) {
    const code = regimeOf(ratio[i]!, band);
    if (codes[i] !== code) return differs(table, 'regime', i, REGIMES[codes[i]!], REGIMES[code]);
  }
  return undefined;
}

/** Phases and cycles by their rules, from the sharpness in the file; they take every step. */
function wrongLabels(table: RunTable): (string | undefined)[] {
  if (!table.everyStep || !(table.stored('phase') || table.stored('cycle'))) return [];
  const { config, length } = table;
  const columns = {
    alpha: table.column('alpha'),
    beta1: table.column('beta1'),
    beta2: table.column('beta2'),
    sharpness: table.column('sharpness'),
    gfs_sharpness: table.column('gfs_sharpness'),
  };
  const truth = addedColumns(
    detectPhases(),
    startModelRun(config, stabilityOf(config)),
    columns,
    length,
  );
  return (['phase', 'cycle'] as const)
    .filter((name) => table.stored(name))
    .map((name) => {
      const values = table.column(name);
      const i = values.findIndex((value, row) => value !== truth[name]![row]);
      return i < 0 ? undefined : differs(table, name, i, values[i], truth[name]![i]);
    });
}
