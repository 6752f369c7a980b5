import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { resumedState, withState } from '../core/checkpoint.ts';
import { PHASES, type RunArrays } from '../models/minimal/columns.ts';
import type { ModelBatch } from '../sources/descent/gradient-descent.ts';
import { sharpnessColumn } from './classify-sharpness.ts';
import { solutionColumns } from './flow-solution.ts';
import { KAPPA } from './run-summary.ts';

const PROGRESSIVE_SHARPENING = PHASES.indexOf('progressive-sharpening');
const EOS_SHARPENING = PHASES.indexOf('eos-sharpening');
const EOS_SELF_STABILIZATION = PHASES.indexOf('eos-self-stabilization');
const CONVERGENCE = PHASES.indexOf('convergence');

/** Coarse phases, as the detector's state. */
const COARSE = ['progressive-sharpening', 'edge-of-stability', 'convergence'] as const;
type CoarsePhase = (typeof COARSE)[number];
const STAGE = 'detectPhases';

/**
 * Adds the `phase` of each step and the number of the `cycle` it is in, causally: a label depends on its own step and
 * those before it, never on a later one. Columns that it needs and does not find it computes (and leaves behind).
 *
 * Progressive sharpening turns into the edge of stability at the first S ≥ 2/η; either turns into convergence where
 * S and S∞ are at most (2 + δ)/η and S ≥ 0.95·S∞, so that nothing beyond lies ahead; convergence turns back at
 * S > (2 + δ)/η. At the edge a step is `eos-sharpening` while |α| grows, else `eos-self-stabilization`. A cycle begins
 * at each upward crossing of 2/η.
 *
 * @param options.delta δ; the run's own unless given
 */
export function detectPhases(
  options: { readonly delta?: number } = {},
): MonoTypeOperatorFunction<ModelBatch> {
  return (source) =>
    new Observable((subscriber) => {
      const detect = createPhaseDetector(options);
      return source.subscribe({
        next(batch) {
          let labelled: ModelBatch;
          try {
            labelled = detect(batch);
          } catch (error) {
            subscriber.error(error);
            return;
          }
          subscriber.next(labelled);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}

/** Labels a batch; the labels go into new arrays unless others are given. */
export type PhaseDetector = (batch: ModelBatch, into?: Partial<RunArrays>) => ModelBatch;

interface DetectorState {
  coarse: CoarsePhase | null;
  cycle: number;
  /** Sharpness of the row before. */
  before: number;
}

/** The same batch by batch, for one run: give it all batches of the run in order. */
export function createPhaseDetector(options: { readonly delta?: number } = {}): PhaseDetector {
  const state: DetectorState = { coarse: null, cycle: 0, before: Number.POSITIVE_INFINITY };
  let started = false;

  return (batch, into = {}) => {
    const { run, length } = batch;
    if (!started) {
      started = true;
      const saved = resumedState(run, STAGE);
      if (saved) {
        state.coarse = saved.wordOrNull('coarse', COARSE);
        state.cycle = saved.number('cycle');
        state.before = saved.number('before');
      }
    }
    const { eta } = run.config;
    const { lambda1, lambda2, covariance } = run.config.moments;
    const threshold = 2 / eta;
    const tolerated = (2 + (options.delta ?? run.config.delta)) / eta;
    const solution =
      batch.columns.gfs_sharpness && batch.columns.balance
        ? { gfs_sharpness: batch.columns.gfs_sharpness, balance: batch.columns.balance }
        : solutionColumns(batch);
    const columns = {
      ...batch.columns,
      sharpness: batch.columns.sharpness ?? sharpnessColumn(batch),
      ...solution,
    };
    const { alpha, beta1, beta2, sharpness, gfs_sharpness } = columns;
    const phase = into.phase ?? new Uint8Array(length);
    const cycles = into.cycle ?? new Int32Array(length);

    let { coarse, cycle, before } = state;

    for (let i = 0; i < length; i++) {
      const s = sharpness[i]!;
      const over = s >= threshold;
      if (coarse === null) {
        coarse = over ? 'edge-of-stability' : 'progressive-sharpening';
        if (over) cycle = 1;
      } else if (over && before < threshold) {
        cycle++;
      }
      before = s;

      if (coarse === 'progressive-sharpening' && over) coarse = 'edge-of-stability';
      if (coarse === 'convergence') {
        if (s > tolerated) coarse = 'edge-of-stability';
      } else {
        const end = gfs_sharpness[i]!;
        if (s <= tolerated && end <= tolerated && s >= (1 - KAPPA) * end) coarse = 'convergence';
      }

      cycles[i] = cycle;
      if (coarse === 'edge-of-stability') {
        const a = alpha[i]!;
        const b1 = beta1[i]!;
        const b2 = beta2[i]!;
        const p = a * b1;
        const r = a * b2 - 1;
        const gradAlpha = b1 * (lambda1 * p + covariance * r) + b2 * (covariance * p + lambda2 * r);
        phase[i] = a * gradAlpha < 0 ? EOS_SHARPENING : EOS_SELF_STABILIZATION;
      } else {
        phase[i] = coarse === 'convergence' ? CONVERGENCE : PROGRESSIVE_SHARPENING;
      }
    }
    Object.assign(state, { coarse, cycle, before });
    return withState({ ...batch, columns: { ...columns, phase, cycle: cycles } }, STAGE, () => ({
      coarse,
      cycle,
      before,
    }));
  };
}
