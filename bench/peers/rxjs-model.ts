// What both peers in rxjs have in common: the model, gradient descent one step at a time, and the
// clock.
import { Observable } from 'rxjs';
import { PROBES, report, startClock } from '../protocol.ts';

export const [LAMBDA1, ETA, FLOOR, BAND, DELTA, KAPPA] = [100, 1 / 20, 1e-6, 0.05, 0.01, 0.05];
export const THRESHOLD = 2 / ETA;
export const THRESHOLD_DELTA = (2 + DELTA) / ETA;
export const ALPHA_HAT = Math.sqrt(THRESHOLD / LAMBDA1);

export interface Weights {
  readonly step: number;
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
}

/** A step with all its columns. */
export interface Row extends Weights {
  readonly growing: boolean;
  readonly regime: string;
  readonly phase: string;
  readonly coarse?: string;
}

export function descend(steps: number, lambda2: number): Observable<Weights> {
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

/**
 * Of x = a + b²/(x − d1) + c²/(x − d2): the first pole exact, the second linearised at the last x.
 */
export function largestRoot(a: number, b: number, c: number, d1: number, d2: number): number {
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

function run(pipeline: Pipeline, steps: number, lambda2: number): Record<string, number> {
  const check: Record<string, number> = {};
  const regimes = ['stable', 'edge', 'unstable'];
  const phases = [
    'progressive-sharpening',
    'eos-sharpening',
    'eos-self-stabilization',
    'convergence',
  ];
  pipeline(descend(steps, lambda2), lambda2).subscribe((row) => {
    if (!PROBES.has(row.step) && row.step !== steps) return;
    const { step, growing, coarse, regime, phase, ...numbers } = row;
    for (const [name, value] of Object.entries(numbers)) check[`${step}.${name}`] = value;
    check[`${step}.regime`] = regimes.indexOf(regime);
    check[`${step}.phase`] = phases.indexOf(phase);
  });
  return check;
}

export type Pipeline = (weights: Observable<Weights>, lambda2: number) => Observable<Row>;

/** Runs what the command line asks for, once to warm up and once against the clock. */
export function time(pipeline: Pipeline): void {
  const [work, steps, lambda2] = [
    process.argv[2] ?? 'W1',
    Number(process.argv[3]),
    Number(process.argv[4]),
  ];
  run(pipeline, 10_000, lambda2);
  const taken = startClock();
  const check = run(pipeline, steps, lambda2);
  report({ work, ...taken(), steps, check });
}
