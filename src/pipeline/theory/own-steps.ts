import type { RunConfig } from '../models/minimal/config.ts';
import { floorCentre } from '../models/minimal/descend.ts';
import { log10 } from '../numeric/elementary.ts';
import type { RunTable } from './run-table.ts';

/** Rounding of one step, relative to the terms that it is made of. */
const TOLERANCE = 1e-12;
/**
 * What rounded α and β₂ leave undetermined of the αβ₂ − 1 of a run at that step: the run may carry
 * it to more digits, and every step rounds α and β₂ once more.
 */
export function residualError(step: number): number {
  return Math.min(1e-9, Number.EPSILON * (8 + step));
}
/** A place of the least many bits there are: numbers of that precision are fixed-point ones. */
export const FIXED_POINT = 2 ** -62;
/** Below this float64 has lost digits of β₁, and its logarithm is looked at. */
const LEAST_BETA1 = 1e-290;

interface Row {
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
  /** log₁₀|β₁|; NaN where the file does not hold it. */
  readonly log: number;
}

/**
 * In words, the first row of a file that is not one step of gradient descent behind the row before.
 */
export function firstWrongStep(table: RunTable): string | undefined {
  for (let i = 0; i + 1 < table.length; i++) {
    if (table.step[i + 1]! !== table.step[i]! + 1) continue;
    const error = residualError(table.step[i]!);
    const wrong = wrongStep(rowOf(table, i), rowOf(table, i + 1), table.config, error);
    if (wrong) {
      const [name, own, truth] = wrong;
      return (
        `${name} in row ${i + 1} (step ${table.step[i + 1]}) is ${own}, and one step from the ` +
        `row before comes to ${truth}`
      );
    }
  }
  return undefined;
}

function rowOf(table: RunTable, i: number): Row {
  return {
    alpha: table.column('alpha')[i]!,
    beta1: table.column('beta1')[i]!,
    beta2: table.column('beta2')[i]!,
    log: table.stored('log10_abs_beta1') ? table.column('log10_abs_beta1')[i]! : Number.NaN,
  };
}

/** A column, its value, and what it should be. */
type Wrong = readonly [name: string, own: number, truth: number | string];

function wrongStep(
  from: Row,
  to: Row,
  { eta, floor, moments, precision }: RunConfig,
  residual: number,
): Wrong | undefined {
  const { lambda1, lambda2, covariance } = moments;
  const { alpha, beta1, beta2 } = from;
  const p = alpha * beta1;
  const r = alpha * beta2 - 1;
  const e1 = lambda1 * p + covariance * r;
  const e2 = covariance * p + lambda2 * r;
  const error1 = TOLERANCE * Math.abs(lambda1 * p) + Math.abs(covariance) * residual;
  const error2 = TOLERANCE * Math.abs(covariance * p) + lambda2 * residual * (1 + Math.abs(r));
  const near = (value: number, predicted: number, error: number, least: number) =>
    Math.abs(value - predicted) <=
    TOLERANCE * (Math.abs(value) + Math.abs(predicted) + least) + 4 * eta * error;

  const nextAlpha = alpha - eta * (beta1 * e1 + beta2 * e2);
  const nextBeta2 = beta2 - eta * (alpha * e2);
  const push = Math.abs(beta1) * error1 + Math.abs(beta2) * error2;
  if (!near(to.alpha, nextAlpha, push, Math.abs(alpha))) return ['alpha', to.alpha, nextAlpha];
  if (!near(to.beta2, nextBeta2, Math.abs(alpha) * error2, Math.abs(beta2)))
    return ['beta2', to.beta2, nextBeta2];

  const rate = eta * (lambda1 * (alpha * alpha));
  const moved = covariance === 0 ? beta1 * (1 - rate) : beta1 - eta * (alpha * e1);
  const lost =
    TOLERANCE * Math.abs(beta1) * (1 + rate) +
    4 * eta * Math.abs(alpha) * error1 +
    (precision === 'float64' ? 1e-300 : FIXED_POINT * (1 + rate));
  if (Math.abs(beta1) < LEAST_BETA1 && Math.abs(to.beta1) < LEAST_BETA1)
    return covariance === 0 && wrongLog(from, to, rate)
      ? ['log10_abs_beta1', to.log, from.log + log10(Math.abs(1 - rate))]
      : undefined;
  if (Math.abs(to.beta1 - moved) <= lost) {
    if (floor === 0) return undefined;
    const off = Math.abs(to.beta1 - centreOf());
    return off < floor - lost - centreError()
      ? ['beta1', to.beta1, `a distance of ${floor} from ${centreOf()}`]
      : undefined;
  }
  if (floor === 0) return ['beta1', to.beta1, moved];
  // The projection put it there, if it was nearer than the floor, and is as far as that now.
  const centre = centreOf();
  const allowed = lost + centreError() + TOLERANCE * floor;
  const projected =
    Math.abs(moved - centre) <= floor + allowed &&
    Math.abs(Math.abs(to.beta1 - centre) - floor) <= allowed &&
    ((to.beta1 - centre) * (moved - centre) >= 0 || Math.abs(moved - centre) <= allowed);
  return projected ? undefined : ['beta1', to.beta1, moved];

  function centreOf(): number {
    if (covariance === 0) return 0;
    const next = to.alpha * to.beta2 - 1;
    return floorCentre(-covariance / lambda1, eta * lambda1, alpha, r, to.alpha, next);
  }

  function centreError(): number {
    const size = Math.min(Math.abs(alpha), Math.abs(to.alpha));
    return ((4 * Math.abs(covariance)) / (lambda1 * size)) * residual * (1 + 2 / rate);
  }
}

/** Where float64 has lost β₁, its logarithm tells of the step: it is multiplied by 1 − ηλ₁α². */
function wrongLog(from: Row, to: Row, rate: number): boolean {
  if (Number.isNaN(from.log) || Number.isNaN(to.log)) return false;
  if (from.log === Number.NEGATIVE_INFINITY) return to.log !== Number.NEGATIVE_INFINITY;
  const factor = Math.abs(1 - rate);
  const allowed = TOLERANCE * (1 + Math.abs(from.log)) + (TOLERANCE * (1 + rate)) / factor;
  return factor > 1e-9 && !(Math.abs(to.log - from.log - log10(factor)) <= allowed);
}
