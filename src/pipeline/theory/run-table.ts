import { type AnyOperator, addedColumns } from '../core/operator.ts';
import type { Stability } from '../core/run.ts';
import { PHASES, RUN_COLUMNS, type RunArrays, type RunColumn } from '../models/minimal/columns.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { gradient } from '../models/minimal/loss.ts';
import { type ModelBatch, type ModelRun, startModelRun } from '../models/minimal/run.ts';
import { hypot, log10 } from '../numeric/elementary.ts';
import { classifySharpness } from '../operators/classify-sharpness.ts';
import { detectPhases } from '../operators/detect-phases.ts';
import { flowSolution } from '../operators/flow-solution.ts';
import { splitLoss } from '../operators/split-loss.ts';
import { stabilityOf } from '../optimizers/index.ts';

/** A whole run in memory: what stands in its file, and what can be computed from that. */
export interface RunTable {
  readonly config: RunConfig;
  readonly stability: Stability;
  readonly length: number;
  readonly step: Float64Array;
  readonly lastStep: number;
  /** Whether the rows are all steps from 0 on. */
  readonly everyStep: boolean;
  readonly divergedAt: number | null;
  /** Whether the column stands in the file or follows from others that do. */
  has(column: RunColumn): boolean;
  /** The column; recomputed where the file lacks it. Only where `has` says so. */
  column<C extends RunColumn>(column: C): RunArrays[C];
  /** Whether the column stands in the file itself. */
  stored(column: RunColumn): boolean;
}

export type RunColumns = { readonly [C in RunColumn]?: RunArrays[C] };

const THETA = ['alpha', 'beta1', 'beta2'] as const;
const FROM_THETA: ReadonlySet<RunColumn> = new Set<RunColumn>([
  'loss',
  'l1',
  'l2',
  'l_hat',
  'grad_norm',
  'sharpness',
  'gfs_sharpness',
  'balance',
]);

/**
 * A run as a table.
 * @throws RangeError where there is no row, or steps do not increase
 */
export function runTable(
  config: RunConfig,
  columns: RunColumns & { readonly step: Float64Array },
  divergedAt: number | null = null,
): RunTable {
  const { step } = columns;
  const length = step.length;
  if (length === 0) throw new RangeError('there are no rows');
  // The one row of a thinned run may stand for more steps than its own.
  let everyStep = step[0] === 0 && (length > 1 || config.every === 1);
  for (let i = 1; i < length; i++) {
    if (!(step[i]! > step[i - 1]!))
      throw new RangeError(`step ${step[i]} in row ${i} comes after step ${step[i - 1]}`);
    if (step[i]! !== step[i - 1]! + 1) everyStep = false;
  }
  const known: { [C in RunColumn]?: RunArrays[C] } = { ...columns };
  const stability = stabilityOf(config);
  const theta = THETA.every((name) => columns[name]);

  const has = (name: RunColumn): boolean => {
    if (columns[name]) return true;
    if (FROM_THETA.has(name)) return theta;
    if (name === 'sharpness_ratio') return has('sharpness');
    if (name === 'phase' || name === 'cycle') return theta && everyStep;
    return name === 'log10_abs_beta1' && theta && floored(config, columns.beta1!);
  };

  const compute = (name: RunColumn): void => {
    switch (name) {
      case 'l1':
      case 'l2':
      case 'l_hat':
        addFrom(splitLoss());
        return;
      case 'balance':
      case 'gfs_sharpness':
        addFrom(flowSolution());
        return;
      case 'sharpness':
        addFrom(classifySharpness());
        return;
      case 'sharpness_ratio':
        known.sharpness_ratio = get('sharpness').map((s) => stability.ratio(s, config.eta));
        return;
      case 'log10_abs_beta1':
        known.log10_abs_beta1 = get('beta1').map((b) => log10(Math.abs(b)));
        return;
      case 'phase':
      case 'cycle':
        get('sharpness');
        addFrom(detectPhases());
        return;
      case 'loss':
      case 'grad_norm':
        known[name] = pointwise(name);
        return;
      default:
        throw new TypeError(`column ${name} cannot be recomputed`);
    }
  };

  /** What an operator computes of these rows, as far as the file does not hold it. */
  const addFrom = (operator: AnyOperator<ModelRun>): void => {
    const added = addedColumns(operator, startModelRun(config, stabilityOf(config)), known, length);
    for (const [name, values] of Object.entries(added)) {
      if (!known[name as RunColumn]) Object.assign(known, { [name]: values });
    }
  };

  const pointwise = (name: 'loss' | 'grad_norm'): Float64Array => {
    const [alpha, beta1, beta2] = [get('alpha'), get('beta1'), get('beta2')];
    const [l1, l2] = [get('l1'), get('l2')];
    const { moments } = config;
    return Float64Array.from({ length }, (_, i) => {
      const point = { alpha: alpha[i]!, beta1: beta1[i]!, beta2: beta2[i]! };
      if (name === 'loss') {
        const cross =
          moments.covariance * point.alpha * point.beta1 * (point.alpha * point.beta2 - 1);
        return l1[i]! + l2[i]! + cross;
      }
      const slope = gradient(point, moments);
      return hypot(slope.alpha, slope.beta1, slope.beta2);
    });
  };

  function get<C extends RunColumn>(name: C): RunArrays[C] {
    if (!known[name]) compute(name);
    return known[name] as RunArrays[C];
  }

  return {
    config,
    stability,
    length,
    step,
    lastStep: step[length - 1]!,
    everyStep,
    divergedAt,
    has,
    column: get,
    stored: (name) => columns[name] !== undefined,
  };
}

/** With a floor that float64 holds, β₁ never underflows, and its logarithm follows from it. */
function floored({ floor, moments }: RunConfig, beta1: Float64Array): boolean {
  return floor > 1e-290 || moments.covariance !== 0 || beta1.every((b) => Math.abs(b) > 1e-290);
}

/** Collects the batches of a run into a table. */
export function collectRun(): { add(batch: ModelBatch): void; table(): RunTable } {
  const batches: ModelBatch[] = [];
  return {
    add: (batch) => batches.push(batch),
    table() {
      const first = batches[0];
      if (!first) throw new RangeError('there are no rows');
      const length = batches.reduce((sum, batch) => sum + batch.length, 0);
      const columns: Record<string, RunArrays[RunColumn]> = {};
      for (const { name } of RUN_COLUMNS) {
        const sample = first.columns[name];
        if (!sample) continue;
        const whole = new (sample.constructor as new (n: number) => RunArrays[RunColumn])(length);
        let at = 0;
        for (const batch of batches) {
          whole.set(batch.columns[name]!.subarray(0, batch.length), at);
          at += batch.length;
        }
        columns[name] = whole;
      }
      return runTable(
        first.run.config,
        columns as RunColumns & { readonly step: Float64Array },
        batches.at(-1)!.run.divergedAt,
      );
    },
  };
}

const CONVERGENCE = PHASES.indexOf('convergence');
const PROGRESSIVE = PHASES.indexOf('progressive-sharpening');

/** Whether the phase of that code is the edge of stability. */
export function atEdge(code: number): boolean {
  return code !== CONVERGENCE && code !== PROGRESSIVE;
}

/** First row with S at or over the threshold, or −1. */
export function firstCrossing(table: RunTable): number {
  const threshold = table.stability.threshold(table.config.eta);
  return table.column('sharpness').findIndex((s) => s >= threshold);
}

/** Rows from an upward crossing of the threshold to the next, that one not included. */
export type Cycle = readonly [from: number, to: number];

/**
 * Whole cycles: from an upward crossing of the threshold (S from below it to it or over it) to the
 * next.
 */
export function wholeCycles(table: RunTable): readonly Cycle[] {
  const threshold = table.stability.threshold(table.config.eta);
  const sharpness = table.column('sharpness');
  const cycles: Cycle[] = [];
  let from = -1;
  for (let i = 1; i < table.length; i++) {
    if (!(sharpness[i - 1]! < threshold && sharpness[i]! >= threshold)) continue;
    if (from >= 0) cycles.push([from, i]);
    from = i;
  }
  return cycles;
}
