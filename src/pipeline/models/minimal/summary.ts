import type { RunEnd, Stability } from '../../core/run.ts';
import type { StateReader } from '../../core/stored-state.ts';
import { count } from '../../format.ts';
import { COARSE_PHASES, type CoarsePhase } from './coarse-phases.ts';
import { PHASES } from './columns.ts';
import type { RunConfig } from './config.ts';
import { predictedSlope } from './surrogate.ts';

/** Coarse phase of each code of the `phase` column. */
export const COARSE_OF_CODE: readonly CoarsePhase[] = PHASES.map((phase) =>
  phase === 'eos-sharpening' || phase === 'eos-self-stabilization' ? 'edge-of-stability' : phase,
);

export type Outcome =
  | 'diverged'
  | 'gradient-flow'
  | 'sharpening'
  | 'converged'
  | 'edge-of-stability';

export interface PhaseSpan {
  readonly phase: string;
  readonly first_step: number;
  readonly last_step: number;
}

export interface RunWarning {
  readonly kind: 'float64-underflow' | 'chaotic' | 'no-oscillation' | 'interrupted' | 'recovered';
  readonly step: number;
  readonly message: string;
}

/**
 * What became of a run: the JSON under `eos.summary` in its files. Steps are t, slopes are per
 * step.
 */
export interface RunSummary {
  readonly outcome: Outcome;
  /** True where the run was stopped from outside; the rest then speaks of the steps so far. */
  readonly interrupted: boolean;
  /**
   * True where the program that wrote the file died, and this was put together from what it had
   * saved.
   */
  readonly recovered?: true;
  readonly phases: readonly PhaseSpan[];
  readonly cycles: number;
  readonly first_crossing: number | null;
  readonly max_sharpness_ratio: number;
  readonly diverged_at: number | null;
  readonly final_loss: number;
  readonly last_step: number;
  readonly convergence_time: {
    readonly delta: number;
    readonly epsilon: number;
    readonly step: number | null;
  };
  readonly l_hat_slope: number | null;
  readonly l_hat_slope_predicted: number | null;
  readonly mean_l1_in_eos: number | null;
  readonly mean_l1_predicted: number | null;
  /** Arithmetic of the steps: float64, or bits behind the point. */
  readonly precision: 'float64' | number;
  /** Last step before the first whose row has fewer than three true digits; null where all have. */
  readonly trusted_until: number | null;
  readonly warnings: readonly RunWarning[];
}

/** Fits and means are given from more than this many edge-of-stability steps on. */
const LEAST_EDGE_STEPS = 50;

/**
 * What a summary has counted and summed so far: plain numbers, so that a run can be continued from
 * them.
 */
export interface Tally {
  readonly spans: { phase: CoarsePhase; first_step: number; last_step: number }[];
  firstCrossing: number | null;
  /** Largest sharpness. */
  maxSharpness: number;
  /** Last step with L > ε or S > (2 + δ)/η. */
  lastViolation: number;
  lastStep: number;
  finalLoss: number;
  cycles: number;
  /** S∞ over 2/η at the step where plain float64 loses β₁, and at the last step. */
  zeroGfsRatio: number | null;
  lastGfsRatio: number | null;
  /** Last step before digits first fall under three. */
  trustedUntil: number | null;
  /** Least squares of y = ln L̂ on x = step, both measured from the first edge step with L̂ > 0. */
  n: number;
  x0: number;
  y0: number;
  sumX: number;
  sumY: number;
  sumXX: number;
  sumXY: number;
  /** A value of L̂ and its logarithm, from which those of its neighbours follow. */
  reference: number;
  logReference: number;
  edgeSteps: number;
  sumL1: number;
  sumPredicted: number;
}

const NUMBERS = [
  ...[
    'maxSharpness',
    'lastViolation',
    'lastStep',
    'finalLoss',
    'cycles',
    'n',
    'x0',
    'y0',
    'sumX',
    'sumY',
    'sumXX',
  ],
  ...['sumXY', 'reference', 'logReference', 'edgeSteps', 'sumL1', 'sumPredicted'],
] as readonly (keyof Tally)[];

export function emptyTally(): Tally {
  return {
    spans: [],
    firstCrossing: null,
    maxSharpness: Number.NEGATIVE_INFINITY,
    lastViolation: -1,
    lastStep: -1,
    finalLoss: Number.NaN,
    cycles: 0,
    zeroGfsRatio: null,
    lastGfsRatio: null,
    trustedUntil: null,
    n: 0,
    x0: 0,
    y0: 0,
    sumX: 0,
    sumY: 0,
    sumXX: 0,
    sumXY: 0,
    reference: Number.NaN,
    logReference: 0,
    edgeSteps: 0,
    sumL1: 0,
    sumPredicted: 0,
  };
}

/** A tally as it was stored. @throws CheckpointError where a field is missing or of another type */
export function storedTally(saved: StateReader): Tally {
  return {
    ...emptyTally(),
    ...Object.fromEntries(NUMBERS.map((key) => [key, saved.number(key)])),
    spans: saved.list('spans').map((span) => ({
      phase: span.wordOrNull('phase', COARSE_PHASES) ?? 'progressive-sharpening',
      first_step: span.number('first_step'),
      last_step: span.number('last_step'),
    })),
    firstCrossing: saved.numberOrNull('firstCrossing'),
    zeroGfsRatio: saved.numberOrNull('zeroGfsRatio'),
    lastGfsRatio: saved.numberOrNull('lastGfsRatio'),
    trustedUntil: saved.numberOrNull('trustedUntil'),
  };
}

/** Counts step `t` to its phase. */
export function countPhase(spans: Tally['spans'], phase: CoarsePhase, t: number): void {
  const last = spans.at(-1);
  if (last?.phase === phase) last.last_step = t;
  else spans.push({ phase, first_step: t, last_step: t });
}

/** How far a value of L̂ may be from the reference, relative, for `logNear`. */
export const NEAR = 2 ** -7;

/**
 * ln(1 + z) for |z| < 2⁻⁷ to the last bit or two, in a few multiplications: neighbouring steps
 * hardly differ.
 */
export function logNear(z: number): number {
  return (
    z * (1 - z * (1 / 2 - z * (1 / 3 - z * (1 / 4 - z * (1 / 5 - z * (1 / 6 - z * (1 / 7)))))))
  );
}

/** What a summary takes from the run itself. */
interface Events extends RunEnd {
  readonly float64ZeroAt: number | null;
  readonly bits: number | null;
}

/** The summary of a run of which this has been counted. */
export function summaryOf(
  tally: Tally,
  config: RunConfig,
  stability: Stability,
  { divergedAt, float64ZeroAt, interrupted, bits }: Events,
): RunSummary {
  const { eta, delta, epsilon, moments } = config;
  const { n, sumX, sumY, sumXX, sumXY, edgeSteps, lastViolation, lastStep } = tally;
  const reached = tally.maxSharpness >= stability.threshold(eta);
  const fitted = edgeSteps > LEAST_EDGE_STEPS;
  return {
    outcome: outcome(),
    interrupted,
    phases: tally.spans,
    cycles: tally.cycles,
    first_crossing: tally.firstCrossing,
    max_sharpness_ratio: stability.ratio(tally.maxSharpness, eta),
    diverged_at: divergedAt,
    final_loss: tally.finalLoss,
    last_step: lastStep,
    convergence_time: { delta, epsilon, step: lastViolation < lastStep ? lastViolation + 1 : null },
    l_hat_slope: fitted && n > 1 ? (sumXY - (sumX * sumY) / n) / (sumXX - (sumX * sumX) / n) : null,
    l_hat_slope_predicted: fitted ? predictedSlope(moments, stability) : null,
    mean_l1_in_eos: fitted ? tally.sumL1 / edgeSteps : null,
    mean_l1_predicted: fitted ? tally.sumPredicted / edgeSteps : null,
    precision: bits ?? 'float64',
    trusted_until: tally.trustedUntil,
    warnings: warnings(),
  };

  function outcome(): Outcome {
    if (divergedAt !== null) return 'diverged';
    if (!reached) {
      const below = (tally.lastGfsRatio ?? 0) <= 1 + delta / 2;
      return below || tally.spans.at(-1)?.phase === 'convergence' ? 'gradient-flow' : 'sharpening';
    }
    return tally.spans.at(-1)?.phase === 'convergence' ? 'converged' : 'edge-of-stability';
  }

  function warnings(): RunWarning[] {
    const all: RunWarning[] = [];
    if (float64ZeroAt !== null) {
      all.push(underflowWarning(float64ZeroAt, tally.zeroGfsRatio ?? tally.lastGfsRatio));
    }
    if (tally.trustedUntil !== null) all.push(chaoticWarning(tally.trustedUntil, bits));
    if (tally.firstCrossing !== null) all.push(...crossingWarnings(config, tally.firstCrossing));
    if (interrupted) {
      all.push({
        kind: 'interrupted',
        step: lastStep,
        message: `interrupted after step ${count(lastStep)} of ${count(config.steps)}`,
      });
    }
    return all;
  }
}

/**
 * What plain float64 would have done: hold β₁ at 0 for good, and follow gradient flow to its end.
 */
export function underflowWarning(step: number, gfsRatio: number | null): RunWarning {
  const fate =
    gfsRatio === null
      ? 'and would never oscillate again'
      : gfsRatio > 1
        ? `and would seem to converge to a minimum of sharpness ${gfsRatio.toFixed(2)} × 2/η, ` +
          'which gradient descent cannot hold'
        : 'and would never oscillate again (harmless here: its minimum has sharpness ' +
          `${gfsRatio.toFixed(2)} × 2/η)`;
  return {
    kind: 'float64-underflow',
    step,
    message:
      `β₁ is too small for float64 at step ${count(step)}: a plain float64 run that multiplies ` +
      `β₁ by 1 − ηλ₁α² holds it as 0 from here on ${fate}`,
  };
}

/** Behind that step errors of one last place have grown to the size of the numbers themselves. */
export function chaoticWarning(trustedUntil: number, bits: number | null): RunWarning {
  const remedy =
    bits === null
      ? '--precision auto computes the true run'
      : `--precision auto or more than ${bits} bits compute the true run`;
  return {
    kind: 'chaotic',
    step: trustedUntil,
    message:
      `behind step ${count(trustedUntil)} the run is rounding: errors of a last place have ` +
      'grown over all digits, and phases, cycles, times and means that depend on later steps ' +
      `are not true; ${remedy}`,
  };
}

/** What has to be said of a run once it has reached the edge, at this step. */
export function crossingWarnings({ moments, init, floor }: RunConfig, step: number): RunWarning[] {
  if (moments.covariance !== 0 || floor > 0 || init[1] !== 0) return [];
  return [
    {
      kind: 'no-oscillation',
      step,
      message:
        `β₁ is exactly 0 and stays so: nothing oscillates, and from step ${count(step)} on the ` +
        'run stands where any other start would be thrown out',
    },
  ];
}
