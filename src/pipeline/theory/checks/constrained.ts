import { constrainedStep } from '../../models/minimal/constrained.ts';
import { edgeAlpha } from '../../models/minimal/surrogate.ts';
import {
  agreement,
  type Check,
  digits,
  doesNotApply,
  type Finding,
  notReached,
  percent,
  plural,
} from '../check.ts';
import { steadyStretch } from '../premise.ts';
import { atEdge, type Cycle, type RunTable, wholeCycles } from '../run-table.ts';

/** Allowed difference of β₂ averaged over a cycle, relative. */
const TOLERANCE = 0.01;

/**
 * The constrained trajectory from the first crossing shadows gradient descent with the oscillation averaged out. Where
 * some cycle is off, only a stretch of short and narrow cycles can speak against it (see premise.ts), against the
 * constrained trajectory from its first one.
 */
export const constrainedShadow: Check = {
  name: 'constrained-trajectory',
  statement:
    'averaged over each whole cycle, β₂ of gradient descent is that of the constrained trajectory from the first upward crossing (within 1 %)',
  needs: ['alpha', 'beta2', 'sharpness', 'phase'],
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  recomputes: 'the constrained trajectory',
  run(table): Finding {
    const cycles = wholeCycles(table);
    if (cycles.length === 0) return notReached('there is no whole cycle yet');
    const shadow = constrainedBeta2(table, cycles[0]![0]);
    const fromCrossing = edgeDistance(table, shadow);
    const fromStart = edgeDistance(table, constrainedBeta2(table, 0));
    const worst = worstOf(table, cycles, shadow);
    const distances = `largest |Δβ₂| of a step ${digits(fromCrossing)}, or ${digits(fromStart)} where both start with the run`;
    if (worst.deviation <= TOLERANCE) {
      return finding(
        worst,
        `${plural(cycles.length, 'whole cycle')}, the worst from step ${worst.step}; ${distances}`,
      );
    }
    const { cycles: steady, reason } = steadyStretch(table);
    const off = `of ${plural(cycles.length, 'whole cycle')} the worst is ${percent(worst.deviation)} off, from step ${worst.step}`;
    if (steady.length === 0) return doesNotApply(`${reason}; ${off}`);
    const part = worstOf(table, steady, constrainedBeta2(table, steady[0]![0]));
    const where = `against the constrained trajectory from step ${table.step[steady[0]![0]]} on, over the ${plural(steady.length, 'cycle')} in a row that are short and narrow`;
    return finding(part, `${where}; ${off}; ${distances}`);

    function finding({ measured, predicted }: Worst, note: string): Finding {
      const details = {
        max_distance_from_crossing: fromCrossing,
        max_distance_from_start: fromStart,
      };
      return agreement(measured, predicted, TOLERANCE, { note, details });
    }
  },
};

interface Worst {
  readonly deviation: number;
  readonly measured: number;
  readonly predicted: number;
  readonly step: number;
}

/** The cycle whose mean β₂ is furthest from that of another trajectory. */
function worstOf(table: RunTable, cycles: readonly Cycle[], shadow: Float64Array): Worst {
  const beta2 = table.column('beta2');
  let worst: Worst = { deviation: -1, measured: 0, predicted: 0, step: 0 };
  for (const [from, to] of cycles) {
    const measured = mean(beta2, from, to);
    const predicted = mean(shadow, from, to);
    const deviation = Math.abs(measured / predicted - 1);
    if (!(deviation <= worst.deviation))
      worst = { deviation, measured, predicted, step: table.step[from]! };
  }
  return worst;
}

/** β₂ of the constrained trajectory that leaves the run at that row, at each row from there on; NaN before. */
export function constrainedBeta2(table: RunTable, row: number): Float64Array {
  const { eta, moments } = table.config;
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  const path = new Float64Array(table.length).fill(Number.NaN);
  let alpha = Math.max(-alphaHat, Math.min(alphaHat, table.column('alpha')[row]!));
  let beta2 = table.column('beta2')[row]!;
  for (let i = row; i < table.length; i++) {
    path[i] = beta2;
    [alpha, beta2] = constrainedStep(alpha, beta2, moments.lambda2, eta, alphaHat);
  }
  return path;
}

function mean(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]!;
  return sum / (to - from);
}

/** Largest |Δβ₂| over the rows at the edge of stability. */
export function edgeDistance(table: RunTable, other: Float64Array): number {
  const beta2 = table.column('beta2');
  const phase = table.column('phase');
  let most = 0;
  for (let i = 0; i < table.length; i++) {
    if (atEdge(phase[i]!) && !Number.isNaN(other[i]!))
      most = Math.max(most, Math.abs(beta2[i]! - other[i]!));
  }
  return most;
}
