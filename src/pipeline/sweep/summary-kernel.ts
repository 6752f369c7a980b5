import { AMPLE_DIGITS, TRUSTED_DIGITS } from '../models/minimal/agreement.ts';
import { DIVERGENCE_LOSS, type RunConfig } from '../models/minimal/config.ts';
import {
  descend,
  initialState,
  SMALL_FACTOR,
  SMALL_RESIDUAL,
  smallFactor,
  startResidual,
  TINY,
} from '../models/minimal/descend.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { arrowheadTop } from '../models/minimal/sharpness.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import {
  COARSE_PHASES,
  countPhase,
  emptyTally,
  KAPPA,
  logNear,
  NEAR,
  type PhaseSpan,
  type RunSummary,
  summaryOf,
} from '../models/minimal/summary.ts';
import { edgeAlpha, predictedMeanL1 } from '../models/minimal/surrogate.ts';
import { log } from '../numeric/elementary.ts';
import { stabilityOf } from '../optimizers/index.ts';

/** Below this products of components lose digits to underflow. */
const SCARCE = 2 ** -500;
const SHARPENING = 0;
const EDGE = 1;
const CONVERGENCE = 2;

/** Bounds decide only what they decide by this much, far more than the rounding in them. */
const MARGIN = 1e-9;

/** Steps between two questions whether to go on; a power of two. */
const CHUNK = 2 ** 20;

export interface KernelResult {
  readonly summary: RunSummary;
  /** Sharpness S of the last row. */
  readonly finalSharpness: number;
}

/**
 * The summary of a run, in the digits of the stream's, from one loop that computes no column:
 * sharpness and S∞ only at steps where bounds do not settle what the summary asks of them. With d₁
 * = λ₁α², a = λ₁β₁² + λ₂β₂² and couplings b = 2λ₁αβ₁, c = λ₂(2αβ₂ − 1) of the Hessian,
 *
 *     d₁ ≤ S ≤ d₁ + 4b²/d₁   where 2a ≤ d₁, 8c² ≤ d₁² and 2λ₂ ≤ λ₁
 *
 * (from S = d₁ + μ with μ(μ + d₁ − a − c²/(μ + d₁ − d₂)) = b²), and S∞ > λ₁x where Q > x − 1/x.
 *
 * @param proceed asked every million steps with their number; false gives the run up
 * @returns undefined for runs that take the general way: covariance, λ₁ < 2λ₂, or a β₁ beyond
 * float64
 */
export function summarizeDescent(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): KernelResult | 'given up' | undefined {
  const { delta, moments } = config;
  const { covariance } = moments;
  const eta = Number(config.eta);
  const floor = Number(config.floor);
  const steps = Number(config.steps);
  const epsilon = Number(config.epsilon);
  const lambda1 = Number(moments.lambda1);
  const lambda2 = Number(moments.lambda2);
  const start = Math.abs(config.init[1]);
  if (config.precision !== 'float64' || config.optimizer !== 'gd') return undefined;
  // Numbers that float64 holds with few digits only are not true from the start.
  const scarce = (value: number) => value !== 0 && Math.abs(value) < SCARCE;
  if (scarce(config.init[0]) || scarce(config.init[2])) return undefined;
  // Below TINY the source carries β₁ with an exponent of its own, which this loop does not.
  if (covariance !== 0 || lambda1 < 2 * lambda2 || (start < TINY && start !== 0)) return undefined;
  const axes = spectrum(moments);
  const stability = stabilityOf(config);
  const threshold = stability.threshold(eta);
  const tolerated = stability.threshold(eta, delta);
  const alphaHat = edgeAlpha(lambda1, eta, stability);
  const belowThreshold = threshold * (1 - MARGIN);
  const aboveTolerated = tolerated * (1 + MARGIN);
  const wide = WIDE * threshold;
  const x = tolerated / lambda1;
  const flatBalance = x - 1 / x + MARGIN * (x + 1 / x);
  const spread = 32 * lambda1 * (1 + MARGIN);
  const coupling = 3 * lambda2;

  const tally = emptyTally();
  // Number() tells the compiler what they are; else it may carry them through the loop as objects.
  let alpha = Number(config.init[0]);
  let beta1 = Number(config.init[1]);
  let beta2 = Number(config.init[2]);
  let p = alpha * beta1;
  let r = startResidual(alpha, beta2);
  let l1 = 0.5 * lambda1 * (p * p);
  let loss = l1 + 0.5 * lambda2 * (r * r);
  let divergedAt: number | null = null;

  // The step with the largest S so far, known to lie between `least` and `most`; equal once it has
  // been computed.
  let least = -1.5;
  let most = -1.5;
  let topAlpha = alpha;
  let topBeta1 = beta1;
  let topBeta2 = beta2;

  let phase = -1;
  let cycles = 0;
  let wasOver = false;
  let lastViolation = -1;
  let n = 0;
  let x0 = 0;
  let y0 = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  let reference = Number.NaN;
  let inverse = Number.NaN;
  let logReference = 0;
  let edgeSteps = 0;
  let sumL1 = 0;
  let sumPredicted = 0;
  let lastWide = -1;
  let t = 0;

  for (;;) {
    const d1 = lambda1 * (alpha * alpha);
    const dd = d1 * d1;
    const most2 = dd + spread * l1;
    const c = coupling * (2 * r + 1);
    const bounded =
      2 * (lambda1 * (beta1 * beta1) + lambda2 * (beta2 * beta2)) <= d1 && c * c <= dd;

    // Whether bounds tell on which side of both thresholds S is, whether it may be the largest so
    // far, and surely is.
    const above = d1 > aboveTolerated;
    const settled = bounded && (above || most2 < belowThreshold * d1);
    const rival = !bounded || most2 >= least * d1;
    const leads = rival && settled && d1 > most;
    // The one place of the loop where S is computed often: small enough to be inlined always.
    const s =
      settled && (leads || !rival) ? -1 : sharpnessAt(lambda1, lambda2, alpha, beta1, beta2);
    if (s < 0 ? most2 >= wide * d1 : s >= wide) lastWide = t;
    const over = s < 0 ? above : s >= threshold;
    const within = s < 0 ? !above : s <= tolerated;

    if (leads) {
      least = d1;
      most = (most2 / d1) * (1 + MARGIN);
      topAlpha = alpha;
      topBeta1 = beta1;
      topBeta2 = beta2;
    } else if (rival) {
      if (most > least) {
        least = sharpnessAt(lambda1, lambda2, topAlpha, topBeta1, topBeta2);
        most = least;
      }
      if (s > least) {
        least = s;
        most = s;
      }
    }

    const phaseBefore = phase;
    if (phase < 0) {
      phase = over ? EDGE : SHARPENING;
      if (over) cycles = 1;
    } else if (over && !wasOver) {
      cycles++;
    }
    wasOver = over;
    if (phase === SHARPENING && over) phase = EDGE;
    if (phase === CONVERGENCE) {
      if (!within) phase = EDGE;
    } else if (within) {
      const q = (alpha - beta2) * (alpha + beta2) - beta1 * beta1;
      if (q <= flatBalance) {
        const end = solutionSharpness(q, moments, axes);
        if (end <= tolerated && !(bounded && most2 < (1 - KAPPA - MARGIN) * end * d1)) {
          const exact = s < 0 ? sharpnessAt(lambda1, lambda2, alpha, beta1, beta2) : s;
          if (exact >= (1 - KAPPA) * end) phase = CONVERGENCE;
        }
      }
    }
    if (phase !== phaseBefore) {
      if (phaseBefore >= 0) countPhase(tally.spans, COARSE_PHASES[phaseBefore]!, t - 1);
      countPhase(tally.spans, COARSE_PHASES[phase]!, t);
      if (phase === EDGE) tally.firstCrossing ??= t;
    }

    if (!(loss <= epsilon && within)) lastViolation = t;
    if (phase === EDGE) {
      edgeSteps++;
      sumL1 += l1;
      sumPredicted += predictedMeanL1(alpha, beta2, lambda2, alphaHat);
      const rHat = (alpha < 0 ? -alphaHat : alphaHat) * beta2 - 1;
      const surrogate = 0.5 * lambda2 * (rHat * rHat);
      if (surrogate > 0) {
        let z = (surrogate - reference) * inverse;
        if (!(Math.abs(z) < NEAR)) {
          reference = surrogate;
          inverse = 1 / reference;
          logReference = log(surrogate);
          z = 0;
        }
        const y = logReference + logNear(z);
        if (n === 0) {
          x0 = t;
          y0 = y;
        }
        const dx = t - x0;
        n++;
        sumX += dx;
        sumY += y - y0;
        sumXX += dx * dx;
        sumXY += dx * (y - y0);
      }
    }

    if (t === steps) break;
    if ((t & (CHUNK - 1)) === CHUNK - 1 && !proceed(CHUNK)) return 'given up';
    const gradAlpha = beta1 * (lambda1 * p) + beta2 * (lambda2 * r);
    const gradBeta2 = alpha * (lambda2 * r);
    let factor = 1 - eta * d1;
    if (Math.abs(factor) < SMALL_FACTOR) factor = smallFactor(eta, lambda1, alpha);
    const multiplied = beta1 * factor;
    const under = Math.abs(multiplied) < floor;
    if (!under && Math.abs(multiplied) < TINY && multiplied !== 0) return undefined;
    const nextAlpha = alpha - eta * gradAlpha;
    const nextBeta1 = under ? (multiplied < 0 ? -floor : floor) : multiplied;
    const nextBeta2 = beta2 - eta * gradBeta2;
    const nextP = nextAlpha * nextBeta1;
    const nextR =
      Math.abs(r) < SMALL_RESIDUAL
        ? r - eta * (beta2 * gradAlpha + alpha * gradBeta2 - eta * gradAlpha * gradBeta2)
        : nextAlpha * nextBeta2 - 1;
    const nextL1 = 0.5 * lambda1 * (nextP * nextP);
    const nextLoss = nextL1 + 0.5 * lambda2 * (nextR * nextR);
    if (!(nextLoss <= DIVERGENCE_LOSS)) {
      divergedAt = t + 1;
      break;
    }
    alpha = nextAlpha;
    beta1 = nextBeta1;
    beta2 = nextBeta2;
    p = nextP;
    r = nextR;
    l1 = nextL1;
    loss = nextLoss;
    t++;
  }

  if (most > least) least = sharpnessAt(lambda1, lambda2, topAlpha, topBeta1, topBeta2);
  countPhase(tally.spans, COARSE_PHASES[phase]!, t);
  Object.assign(tally, {
    maxSharpness: least,
    lastViolation,
    lastStep: t,
    finalLoss: loss,
    cycles,
    lastGfsRatio: stability.ratio(
      solutionSharpness(balance({ alpha, beta1, beta2 }), moments, axes),
      eta,
    ),
    trustedUntil: trustedUntil(config, lastWide, tally.spans),
  });
  Object.assign(tally, { n, x0, y0, sumX, sumY, sumXX, sumXY, edgeSteps, sumL1, sumPredicted });
  const summary = summaryOf(tally, config, stability, {
    divergedAt,
    float64ZeroAt: null,
    interrupted: false,
    bits: null,
  });
  return { summary, finalSharpness: sharpnessAt(lambda1, lambda2, alpha, beta1, beta2) };
}

/**
 * Swings no wider than this, as a ratio to the threshold, cost no digits: of 17,000 random runs
 * none under 1.51 did.
 */
const WIDE = 1.4;

const ROWS = 128;
const block = {
  step: new Float64Array(ROWS),
  alpha: new Float64Array(ROWS),
  beta1: new Float64Array(ROWS),
  beta2: new Float64Array(ROWS),
  log10_abs_beta1: new Float64Array(ROWS),
  loss: new Float64Array(ROWS),
  l2: new Float64Array(ROWS),
  grad_norm: new Float64Array(ROWS),
  digits: new Int32Array(ROWS),
};

/**
 * Last step before digits fall under three, null where they do not: the run once more with its
 * shadow, up to its last wide swing, and on to the end of its last edge phase while that has left
 * few digits.
 */
function trustedUntil(
  config: RunConfig,
  lastWide: number,
  spans: readonly PhaseSpan[],
): number | null {
  const last = spans.findLast(({ phase }) => phase === 'edge-of-stability')?.last_step ?? -1;
  const state = initialState(config);
  while (state.divergedAt === null && state.step <= last) {
    const first = state.step;
    const wide = first <= lastWide;
    if (!wide && state.agreed >= AMPLE_DIGITS) return null;
    descend(config, state, Math.min(ROWS, (wide ? lastWide : last) - first + 1), block);
    for (let i = 0; i < state.step - first; i++)
      if (block.digits[i]! < TRUSTED_DIGITS) return first + i - 1;
  }
  return null;
}

/**
 * Sharpness at a point, in the digits of `sharpnessColumn`. A closure would not be inlined in every
 * run of a sweep.
 */
function sharpnessAt(lambda1: number, lambda2: number, a: number, b1: number, b2: number): number {
  return arrowheadTop(
    lambda1 * (b1 * b1) + lambda2 * (b2 * b2),
    lambda1 * (2 * a * b1),
    lambda2 * (2 * a * b2 - 1),
    lambda1 * (a * a),
    lambda2 * (a * a),
  );
}
