// rxjs with one object a step: each operator returns a new object with what it adds. Object.assign, since in this V8 an
// object spread of so many fields takes eight times as long.
//
//   node rxjs-objects.js W1 STEPS LAMBDA2
import { map, Observable, scan } from 'rxjs';
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
    const phase = coarse !== 'edge-of-stability' ? coarse : s.growing ? 'eos-sharpening' : 'eos-self-stabilization';
    return Object.assign({}, s, { coarse, phase, cycle });
  }, start);
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
      const { step, coarse, growing, regime, phase, ...numbers } = row as typeof row &
        Weights &
        Record<string, unknown>;
      if (!PROBES.has(step) && step !== steps) return;
      for (const [name, value] of Object.entries(numbers)) check[`${step}.${name}`] = Number(value);
      check[`${step}.regime`] = regimes.indexOf(String(regime));
      check[`${step}.phase`] = phases.indexOf(phase);
    });
  return check;
}

const [work, steps, lambda2] = [process.argv[2] ?? 'W1', Number(process.argv[3]), Number(process.argv[4])];
run(10_000, lambda2);
const begin = performance.now();
const check = run(steps, lambda2);
report({ work, seconds: (performance.now() - begin) / 1000, steps, check });
