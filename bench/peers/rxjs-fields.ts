// rxjs with one object a step, written for speed: each operator returns a new object with every
// field written out.
//
//   node rxjs-fields.js W1 STEPS LAMBDA2
import { map } from 'rxjs';
import {
  ALPHA_HAT,
  BAND,
  ETA,
  KAPPA,
  LAMBDA1,
  largestRoot,
  THRESHOLD,
  THRESHOLD_DELTA,
  time,
  type Weights,
} from './rxjs-model.ts';

interface Split extends Weights {
  readonly log10_abs_beta1: number;
  readonly loss: number;
  readonly l1: number;
  readonly l2: number;
  readonly l_hat: number;
  readonly grad_norm: number;
  readonly growing: boolean;
}

interface Classified extends Split {
  readonly sharpness: number;
  readonly sharpness_ratio: number;
  readonly regime: string;
}

interface Solved extends Classified {
  readonly balance: number;
  readonly gfs_sharpness: number;
}

interface Labelled extends Solved {
  readonly phase: string;
  readonly cycle: number;
}

function splitLoss(lambda2: number) {
  return map(({ step, alpha, beta1, beta2 }: Weights): Split => {
    const p = alpha * beta1;
    const r = alpha * beta2 - 1;
    const l1 = 0.5 * LAMBDA1 * p * p;
    const l2 = 0.5 * lambda2 * r * r;
    const gradAlpha = LAMBDA1 * p * beta1 + lambda2 * r * beta2;
    const gradBeta1 = LAMBDA1 * p * alpha;
    const gradBeta2 = lambda2 * r * alpha;
    return {
      step,
      alpha,
      beta1,
      beta2,
      log10_abs_beta1: Math.log10(Math.abs(beta1)),
      loss: l1 + l2,
      l1,
      l2,
      l_hat: 0.5 * lambda2 * (Math.sign(alpha) * ALPHA_HAT * beta2 - 1) ** 2,
      grad_norm: Math.sqrt(gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2),
      growing: alpha * gradAlpha < 0,
    };
  });
}

function classifySharpness(lambda2: number) {
  return map((s: Split): Classified => {
    const { alpha, beta1, beta2 } = s;
    const sharpness = largestRoot(
      LAMBDA1 * beta1 * beta1 + lambda2 * beta2 * beta2,
      2 * LAMBDA1 * alpha * beta1,
      lambda2 * (2 * alpha * beta2 - 1),
      LAMBDA1 * alpha * alpha,
      lambda2 * alpha * alpha,
    );
    const ratio = 0.5 * ETA * sharpness;
    return {
      step: s.step,
      alpha,
      beta1,
      beta2,
      log10_abs_beta1: s.log10_abs_beta1,
      loss: s.loss,
      l1: s.l1,
      l2: s.l2,
      l_hat: s.l_hat,
      grad_norm: s.grad_norm,
      growing: s.growing,
      sharpness,
      sharpness_ratio: ratio,
      regime: ratio < 1 - BAND ? 'stable' : ratio > 1 + BAND ? 'unstable' : 'edge',
    };
  });
}

function flowSolution(lambda2: number) {
  return map((s: Classified): Solved => {
    const balance = s.alpha * s.alpha - s.beta1 * s.beta1 - s.beta2 * s.beta2;
    const root = Math.sqrt(balance * balance + 4);
    const square = balance >= 0 ? (balance + root) / 2 : 2 / (root - balance);
    return {
      step: s.step,
      alpha: s.alpha,
      beta1: s.beta1,
      beta2: s.beta2,
      log10_abs_beta1: s.log10_abs_beta1,
      loss: s.loss,
      l1: s.l1,
      l2: s.l2,
      l_hat: s.l_hat,
      grad_norm: s.grad_norm,
      growing: s.growing,
      sharpness: s.sharpness,
      sharpness_ratio: s.sharpness_ratio,
      regime: s.regime,
      balance,
      gfs_sharpness: Math.max(LAMBDA1 * square, lambda2 * (square + 1 / square)),
    };
  });
}

/** The state stands beside the rows: a `scan` would have to copy it into each. */
function detectPhases() {
  let coarse = 'progressive-sharpening';
  let cycle = 0;
  let last = 0;
  return map((s: Solved): Labelled => {
    const { sharpness, gfs_sharpness } = s;
    const over = sharpness >= THRESHOLD;
    if (over && last < THRESHOLD) cycle++;
    last = sharpness;
    if (over && coarse === 'progressive-sharpening') coarse = 'edge-of-stability';
    const settled =
      sharpness <= THRESHOLD_DELTA &&
      gfs_sharpness <= THRESHOLD_DELTA &&
      sharpness >= (1 - KAPPA) * gfs_sharpness;
    if (coarse === 'convergence' && sharpness > THRESHOLD_DELTA) coarse = 'edge-of-stability';
    else if (settled) coarse = 'convergence';
    return {
      step: s.step,
      alpha: s.alpha,
      beta1: s.beta1,
      beta2: s.beta2,
      log10_abs_beta1: s.log10_abs_beta1,
      loss: s.loss,
      l1: s.l1,
      l2: s.l2,
      l_hat: s.l_hat,
      grad_norm: s.grad_norm,
      growing: s.growing,
      sharpness,
      sharpness_ratio: s.sharpness_ratio,
      regime: s.regime,
      balance: s.balance,
      gfs_sharpness,
      phase:
        coarse !== 'edge-of-stability'
          ? coarse
          : s.growing
            ? 'eos-sharpening'
            : 'eos-self-stabilization',
      cycle,
    };
  });
}

time((weights, lambda2) =>
  weights.pipe(
    splitLoss(lambda2),
    classifySharpness(lambda2),
    flowSolution(lambda2),
    detectPhases(),
  ),
);
