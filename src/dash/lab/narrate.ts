import { formatNumber, plural } from '../../pipeline/format.ts';
import type { RunConfig } from '../../pipeline/models/minimal/config.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import type { LabRun } from './lab-run.ts';

/** A point of the minimal network on its way. */
export interface Point {
  readonly step: number;
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
}

/** Steps that are computed ahead in search of the next spike. */
const MOST_AHEAD = 100_000;
/** L₁ must rise over this share of the loss to count as a spike. */
export const SPIKE_SHARE = 0.01;

/**
 * Step of the next peak of L₁ that is seen in the loss, computed ahead by gradient descent from
 * this row; undefined where none comes within 100,000 steps, or the run diverges before.
 */
export function nextSpike(
  { step, alpha, beta1, beta2 }: Point,
  { eta, floor, moments: { lambda1, lambda2, covariance } }: RunConfig,
): number | undefined {
  let [a, b1, b2] = [alpha, beta1, beta2];
  let before = Number.POSITIVE_INFINITY;
  let rising = false;
  for (let t = step; t <= step + MOST_AHEAD; t++) {
    const [p, r] = [a * b1, a * b2 - 1];
    const l1 = 0.5 * lambda1 * p * p;
    if (!(l1 < 1e12)) return undefined;
    if (rising && l1 < before && before > SPIKE_SHARE * (0.5 * lambda2 * r * r + before))
      return t - 1;
    rising = l1 > before;
    before = l1;
    const [u, v] = [lambda1 * p + covariance * r, covariance * p + lambda2 * r];
    const slope = b1 * u + b2 * v;
    b1 -= eta * a * u;
    b2 -= eta * a * v;
    a -= eta * slope;
    if (Math.abs(b1) < floor) b1 = b1 < 0 ? -floor : floor;
  }
  return undefined;
}

/** What happens at the last row of a run, and why, in plain words. */
export function narrate(run: LabRun): string {
  const { config, divergedAt, step } = run;
  if (Number.isNaN(step) && divergedAt === null) return '';
  const { formula, threshold } = stabilityOf(config);
  const edge = threshold(config.eta);
  if (divergedAt !== null)
    return (
      `The loss blew up at step ${formatNumber(divergedAt)}: S was so far over ${formula} that ` +
      'the oscillation grew faster than it could push S back.'
    );
  const sharpness = run.last('sharpness');
  const over = sharpness / edge - 1;
  const where =
    `S = ${digits(sharpness)} is ${percent(Math.abs(over))} ${over < 0 ? 'under' : 'over'} ` +
    `${formula} = ${digits(edge)}`;
  return config.model === 'minimal'
    ? ofMinimal(run, config as RunConfig, where, over)
    : ofNetwork(run, where, over);
}

/** Names of the formulas on which those words rest. */
export function formulasOf(run: LabRun): readonly string[] {
  const { config, divergedAt } = run;
  const plain = config.optimizer === 'gd';
  if (divergedAt !== null) return plain ? ['sharpness', 'threshold', 'quadratic'] : ['sharpness'];
  if (config.model !== 'minimal')
    return ['sharpness', ...(plain ? ['threshold', 'quadratic'] : []), 'energy', 'rest'];
  const split = ['split', 'oscillating', 'convergent'];
  return ['sharpness', ...(plain ? ['threshold', 'oscillation', 'push'] : []), ...split];
}

const digits = (value: number): string => formatNumber(value, 4);
const percent = (share: number): string => `${formatNumber(100 * share, 3)} %`;

/** A part of the loss that is smaller than this is not told in numbers. */
const LEAST_SHARE = 1e-4;

/** How much of the loss the oscillation is. */
function partOfLoss(run: LabRun): string {
  const share = run.last('l1') / run.last('loss');
  return `${share >= LEAST_SHARE ? percent(share) : 'next to nothing'} of the loss`;
}

function ofMinimal(run: LabRun, config: RunConfig, where: string, over: number): string {
  const { eta, moments, optimizer } = config;
  const [alpha, beta1, beta2] = [run.last('alpha'), run.last('beta1'), run.last('beta2')];
  const plain = optimizer === 'gd';
  const factor = Math.abs(1 - eta * moments.lambda1 * alpha * alpha);
  const change =
    factor <= 1
      ? `each step leaves ${percent(factor)} of the oscillation β₁`
      : `the oscillation β₁ grows by ${percent(factor - 1)} a step`;
  const oscillation = plain ? change : `the oscillation β₁ ${over < 0 ? 'dies down' : 'grows'}`;
  const push = moments.lambda1 * alpha * beta1 * beta1;
  const pull = moments.lambda2 * beta2 * (alpha * beta2 - 1);
  const drift = -eta * (push + pull) * Math.sign(alpha);
  const size = plain ? ` by ${digits(Math.abs(drift))} a step` : '';
  const moves = `|α| ${drift < 0 ? 'shrinks' : 'grows'}${size}, and S with it`;
  const share = partOfLoss(run);
  switch (run.word('phase')) {
    case 'progressive-sharpening':
      // The oscillation with which a run starts takes some steps to die down.
      return (
        `Progressive sharpening: ${where}, so ${oscillation}. ` +
        (drift < 0
          ? 'What is left still pushes harder than the relevant feature pulls: '
          : 'The relevant feature pulls: ') +
        `${moves}.`
      );
    case 'eos-sharpening': {
      const { step } = run;
      const spike = plain ? nextSpike({ step, alpha, beta1, beta2 }, config) : undefined;
      const ahead =
        spike === undefined
          ? ''
          : ` The next spike peaks at step ${formatNumber(spike)}, in ` +
            `${plural(spike - step, 'step')}.`;
      return (
        `Edge of stability, sharpening: ${where}; ${oscillation}. The pull of the relevant ` +
        `feature outweighs the push of the oscillation, which is ${share}: ${moves}.${ahead}`
      );
    }
    case 'eos-self-stabilization':
      return (
        `Edge of stability, self-stabilization: the oscillation is ${share} and pushes back ` +
        `harder than the relevant feature pulls: ${moves}. ${where}; ${oscillation}.`
      );
    default:
      return (
        `Convergence: ${where} and stays under the tolerance: ${oscillation}, and the loss ` +
        'falls to 0.'
      );
  }
}

function ofNetwork(run: LabRun, where: string, over: number): string {
  const phase = run.word('phase');
  const count = run.last('edge_directions');
  const edge =
    count > 0
      ? ` ${plural(count, 'direction')} of the weights ${count === 1 ? 'is' : 'are'} at the ` +
        `edge and ${count === 1 ? 'holds' : 'hold'} ${partOfLoss(run)}.`
      : '';
  switch (phase) {
    case 'progressive-sharpening':
      return `Progressive sharpening: ${where}; S rises while the loss falls.${edge}`;
    case 'eos-sharpening':
    case 'eos-self-stabilization':
      return (
        `Edge of stability: ${where}, so the oscillation along the sharpest direction ` +
        (over < 0 ? 'dies down.' : 'grows until it makes a spike and turns S down.') +
        edge
      );
    default:
      return `${phase.charAt(0).toUpperCase()}${phase.slice(1)}: ${where}.${edge}`;
  }
}
