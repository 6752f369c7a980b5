import { count, plural } from '../../format.ts';
import { PHASES } from '../../models/minimal/columns.ts';
import { gradient } from '../../models/minimal/loss.ts';
import { spectrum } from '../../models/minimal/moments.ts';
import { sharpness as sharpnessOf } from '../../models/minimal/sharpness.ts';
import { type Check, digits, notReached, percent } from '../check.ts';
import type { RunTable } from '../run-table.ts';

const CONVERGENCE = PHASES.indexOf('convergence');

/** Rounding of a loss and of its change, relative to the loss. */
const ROUNDING = 1e-12;
/** A loss below this has lost digits to underflow. */
const LEAST = 1e-290;
/**
 * What rounded α and β₂ leave undetermined of αβ₂ − 1, from which a loss may have been computed.
 */
const RESIDUAL = 8 * Number.EPSILON;

/**
 * What is true of a step of gradient descent in convergence. With d = −η∇L, L(θ + d) − L(θ) =
 * −η‖∇L‖² + ½·dᵀH(ξ)d for some ξ on the way, so
 *
 *     L(θ + d) ≤ L(θ) − η‖∇L‖²·(1 − ½ηŜ)
 *
 * where Ŝ is the largest sharpness on the way. Each entry of H is quadratic in θ, so that Ŝ is at
 * most the larger one of both ends, plus ¼·3Λ‖d‖² (the norm of its second-order part is at most
 * 3Λ‖d‖²). Where Ŝ < 2/η the loss falls, and by how much at least is told. It need not fall where
 * 2/η < S ≤ (2 + δ)/η, which convergence allows: the oscillation grows there by the factor (1 −
 * ηS)² a step; nor where the projection puts β₁ back onto the floor, which adds at most |∂L/∂β₁|·ε
 * + ½·Σ₁₁α²ε² (for covariance 0 hardly ever, for another in every other step).
 */
export const convergencePhase: Check = {
  name: 'convergence-phase',
  statement:
    'in convergence S ≤ (2 + δ)/η, and in every step L falls by η‖∇L‖²(1 − ηŜ/2) at least, Ŝ ' +
    'the largest sharpness on its way: it may rise by as much where Ŝ > 2/η only, and by what ' +
    'the floor adds',
  needs: ['alpha', 'beta1', 'beta2', 'loss', 'grad_norm', 'sharpness', 'phase'],
  descent: true,
  run(table) {
    const { eta, delta } = table.config;
    const phase = table.column('phase');
    const sharpness = table.column('sharpness');
    const loss = table.column('loss');
    const tolerated = table.stability.threshold(eta, delta);
    const over: number[] = [];
    const wrong: number[] = [];
    let first = -1;
    let [rows, steps, rises, largest] = [0, 0, 0, 0];
    for (let i = 0; i < table.length; i++) {
      if (phase[i] !== CONVERGENCE) continue;
      rows++;
      if (first < 0) first = table.step[i]!;
      if (!(sharpness[i]! <= tolerated)) over.push(table.step[i]!);
      if (i + 1 === table.length || table.step[i + 1]! !== table.step[i]! + 1) continue;
      steps++;
      const rise = loss[i + 1]! - loss[i]!;
      if (rise > ROUNDING * loss[i]!) {
        rises++;
        largest = Math.max(largest, rise / loss[i]!);
      }
      if (!(rise <= mostRise(table, i))) wrong.push(table.step[i + 1]!);
    }
    if (rows === 0) return notReached('there is no step in convergence yet');
    const notes = [
      ...(over.length > 0
        ? [
            `S is over (2 + δ)/η = ${digits(tolerated)} in ${plural(over.length, 'step')}, ` +
              `first at step ${count(over[0]!)}`,
          ]
        : []),
      ...(wrong.length > 0
        ? [
            `L does not fall as it must in ${plural(wrong.length, 'step')}, first at step ` +
              `${count(wrong[0]!)}`,
          ]
        : []),
      ...(rises > 0 ? [`L rises in ${plural(rises, 'step')}, by ${percent(largest)} at most`] : []),
    ];
    const failures = over.length + wrong.length;
    const where = `${plural(rows, 'row')}, ${plural(steps, 'step')}`;
    const bad = Math.min(over[0] ?? Number.POSITIVE_INFINITY, wrong[0] ?? Number.POSITIVE_INFINITY);
    return {
      verdict: failures === 0 ? 'holds' : 'fails',
      measured: failures,
      steps: failures === 0 ? [first, table.lastStep] : [bad - 1, bad],
      predicted: 0,
      margin: -failures,
      text: {
        measured: `${plural(failures, 'exception')} in ${where}`,
        predicted: 'none',
        margin: '',
      },
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
      details: {
        steps_over: over.slice(0, 20),
        steps_not_falling: wrong.slice(0, 20),
        rises,
        largest,
      },
    };
  },
};

/** The most by which the loss may rise in the step behind that row; negative where it must fall. */
function mostRise(table: RunTable, row: number): number {
  const { eta, floor, moments } = table.config;
  const axes = spectrum(moments);
  const theta = {
    alpha: table.column('alpha')[row]!,
    beta1: table.column('beta1')[row]!,
    beta2: table.column('beta2')[row]!,
  };
  const slope = gradient(theta, moments);
  const next = {
    alpha: theta.alpha - eta * slope.alpha,
    beta1: theta.beta1 - eta * slope.beta1,
    beta2: theta.beta2 - eta * slope.beta2,
  };
  const norm = table.column('grad_norm')[row]!;
  const length = eta * norm;
  const ends = Math.max(table.column('sharpness')[row]!, sharpnessOf(next, axes));
  const most = ends + 0.75 * axes.large * length * length;
  const ratio = table.stability.ratio(most, eta);
  const loss = table.column('loss')[row]!;
  const r = Math.abs(theta.alpha * theta.beta2 - 1) + RESIDUAL;
  const lost = moments.lambda2 * r + Math.abs(moments.covariance * theta.alpha * theta.beta1);
  const rounding = ROUNDING * loss + 2 * RESIDUAL * lost + LEAST;
  const moved = Math.abs(table.column('beta1')[row + 1]! - next.beta1);
  const projected = floor > 0 && moved > ROUNDING * Math.abs(theta.beta1);
  const added = projected
    ? Math.abs(gradient(next, moments).beta1) * floor +
      0.5 * moments.lambda1 * next.alpha * next.alpha * floor * floor
    : 0;
  return eta * norm * norm * (ratio - 1) + added * (1 + ROUNDING) + rounding;
}
