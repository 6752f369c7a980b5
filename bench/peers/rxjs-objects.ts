// rxjs with one object a step, as it is usually written: each operator returns a new object with
// what it adds. Object.assign, since in this V8 an object spread of so many fields takes many times
// as long.
//
//   node rxjs-objects.js W1 STEPS LAMBDA2
import { map, type Observable, scan } from 'rxjs';
import {
  ALPHA_HAT,
  BAND,
  ETA,
  KAPPA,
  LAMBDA1,
  largestRoot,
  type Row,
  THRESHOLD,
  THRESHOLD_DELTA,
  time,
  type Weights,
} from './rxjs-model.ts';

function splitLoss<T extends Weights>(lambda2: number) {
  return map((s: T) => {
    const p = s.alpha * s.beta1;
    const r = s.alpha * s.beta2 - 1;
    const l1 = 0.5 * LAMBDA1 * p * p;
    const l2 = 0.5 * lambda2 * r * r;
    const gradAlpha = LAMBDA1 * p * s.beta1 + lambda2 * r * s.beta2;
    const gradBeta1 = LAMBDA1 * p * s.alpha;
    const gradBeta2 = lambda2 * r * s.alpha;
    return Object.assign({}, s, {
      log10_abs_beta1: Math.log10(Math.abs(s.beta1)),
      loss: l1 + l2,
      l1,
      l2,
      l_hat: 0.5 * lambda2 * (Math.sign(s.alpha) * ALPHA_HAT * s.beta2 - 1) ** 2,
      grad_norm: Math.sqrt(gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2),
      growing: s.alpha * gradAlpha < 0,
    });
  });
}

function classifySharpness<T extends Weights>(lambda2: number) {
  return map((s: T) => {
    const sharpness = largestRoot(
      LAMBDA1 * s.beta1 * s.beta1 + lambda2 * s.beta2 * s.beta2,
      2 * LAMBDA1 * s.alpha * s.beta1,
      lambda2 * (2 * s.alpha * s.beta2 - 1),
      LAMBDA1 * s.alpha * s.alpha,
      lambda2 * s.alpha * s.alpha,
    );
    const ratio = 0.5 * ETA * sharpness;
    const regime = ratio < 1 - BAND ? 'stable' : ratio > 1 + BAND ? 'unstable' : 'edge';
    return Object.assign({}, s, { sharpness, sharpness_ratio: ratio, regime });
  });
}

function flowSolution<T extends Weights>(lambda2: number) {
  return map((s: T) => {
    const balance = s.alpha * s.alpha - s.beta1 * s.beta1 - s.beta2 * s.beta2;
    const root = Math.sqrt(balance * balance + 4);
    const square = balance >= 0 ? (balance + root) / 2 : 2 / (root - balance);
    return Object.assign({}, s, {
      balance,
      gfs_sharpness: Math.max(LAMBDA1 * square, lambda2 * (square + 1 / square)),
    });
  });
}

interface Phased {
  readonly coarse: string;
  readonly phase: string;
  readonly cycle: number;
  readonly sharpness: number;
}

function detectPhases<T extends { sharpness: number; gfs_sharpness: number; growing: boolean }>() {
  const start: Phased = { coarse: 'progressive-sharpening', phase: '', cycle: 0, sharpness: 0 };
  return scan((last: Phased, s: T) => {
    const over = s.sharpness >= THRESHOLD;
    const cycle = over && last.sharpness < THRESHOLD ? last.cycle + 1 : last.cycle;
    let { coarse } = last;
    if (over && coarse === 'progressive-sharpening') coarse = 'edge-of-stability';
    const settled =
      s.sharpness <= THRESHOLD_DELTA &&
      s.gfs_sharpness <= THRESHOLD_DELTA &&
      s.sharpness >= (1 - KAPPA) * s.gfs_sharpness;
    if (coarse === 'convergence' && s.sharpness > THRESHOLD_DELTA) coarse = 'edge-of-stability';
    else if (settled) coarse = 'convergence';
    const phase =
      coarse !== 'edge-of-stability'
        ? coarse
        : s.growing
          ? 'eos-sharpening'
          : 'eos-self-stabilization';
    return Object.assign({}, s, { coarse, phase, cycle });
  }, start);
}

time((weights, lambda2) => {
  const rows = weights.pipe(
    splitLoss(lambda2),
    classifySharpness(lambda2),
    flowSolution(lambda2),
    detectPhases(),
  );
  // The type of what `scan` keeps is that of its seed, which lacks what the rows bring along.
  return rows as Observable<Phased & Row>;
});
