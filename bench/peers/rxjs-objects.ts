// rxjs with one object a step: each operator returns a new object with what it adds, every field written out. A spread
// or Object.assign would be shorter and many times slower.
//
//   node rxjs-objects.js W1 STEPS LAMBDA2
import { map, Observable } from 'rxjs';
import { PROBES, report } from '../protocol.ts';

const [LAMBDA1, ETA, FLOOR, BAND, DELTA, KAPPA] = [100, 1 / 20, 1e-6, 0.05, 0.01, 0.05];
const THRESHOLD = 2 / ETA;
const THRESHOLD_DELTA = (2 + DELTA) / ETA;
const ALPHA_HAT = Math.sqrt(THRESHOLD / LAMBDA1);

interface Weights {
  readonly step: number;
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
}

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

interface Row extends Solved {
  readonly phase: string;
  readonly cycle: number;
}

function descend(steps: number, lambda2: number): Observable<Weights> {
  return new Observable((subscriber) => {
    let [alpha, beta1, beta2] = [0.3, 0.1, 0.3];
    for (let step = 0; step <= steps; step++) {
      subscriber.next({ step, alpha, beta1, beta2 });
      const e1 = LAMBDA1 * alpha * beta1;
      const e2 = lambda2 * (alpha * beta2 - 1);
      const gradAlpha = beta1 * e1 + beta2 * e2;
      beta1 -= ETA * alpha * e1;
      if (Math.abs(beta1) < FLOOR) beta1 = beta1 < 0 ? -FLOOR : FLOOR;
      beta2 -= ETA * alpha * e2;
      alpha -= ETA * gradAlpha;
    }
    subscriber.complete();
  });
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
  return map((s: Solved): Row => {
    const { sharpness, gfs_sharpness } = s;
    const over = sharpness >= THRESHOLD;
    if (over && last < THRESHOLD) cycle++;
    last = sharpness;
    if (over && coarse === 'progressive-sharpening') coarse = 'edge-of-stability';
    const settled =
      sharpness <= THRESHOLD_DELTA && gfs_sharpness <= THRESHOLD_DELTA && sharpness >= (1 - KAPPA) * gfs_sharpness;
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
      phase: coarse !== 'edge-of-stability' ? coarse : s.growing ? 'eos-sharpening' : 'eos-self-stabilization',
      cycle,
    };
  });
}

/** Of x = a + b²/(x − d1) + c²/(x − d2): the first pole exact, the second linearised at the last x. */
function largestRoot(a: number, b: number, c: number, d1: number, d2: number): number {
  let x = Math.max(a, d1) + Math.abs(b) + Math.abs(c);
  for (let k = 0; k < 40; k++) {
    const inverse = 1 / (x - d2);
    const g = c * c * inverse;
    const slope = g * inverse;
    const s = 1 + slope;
    const m = a + g + slope * x - s * d1;
    const root = Math.sqrt(m * m + 4 * s * b * b);
    const next = d1 + (m > 0 ? (m + root) / (2 * s) : root === 0 ? 0 : (2 * b * b) / (root - m));
    const change = next - x;
    x = next;
    if (slope * inverse * change * change <= 1e-14 * x) break;
  }
  return x;
}

function run(steps: number, lambda2: number): Record<string, number> {
  const check: Record<string, number> = {};
  const regimes = ['stable', 'edge', 'unstable'];
  const phases = ['progressive-sharpening', 'eos-sharpening', 'eos-self-stabilization', 'convergence'];
  descend(steps, lambda2)
    .pipe(splitLoss(lambda2), classifySharpness(lambda2), flowSolution(lambda2), detectPhases())
    .subscribe((row) => {
      if (!PROBES.has(row.step) && row.step !== steps) return;
      const { step, growing, regime, phase, ...numbers } = row;
      for (const [name, value] of Object.entries(numbers)) check[`${step}.${name}`] = value;
      check[`${step}.regime`] = regimes.indexOf(regime);
      check[`${step}.phase`] = phases.indexOf(phase);
    });
  return check;
}

const [work, steps, lambda2] = [process.argv[2] ?? 'W1', Number(process.argv[3]), Number(process.argv[4])];
run(10_000, lambda2);
const begin = performance.now();
const check = run(steps, lambda2);
report({ work, seconds: (performance.now() - begin) / 1000, steps, check });
