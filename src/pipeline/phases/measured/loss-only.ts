import type { SeriesPhase } from './phase-spans.ts';
import type { Spike } from './spikes.ts';

/** Rows within which rises of the loss are counted. */
const WINDOW = 64;
/** A steady loss is at the edge once this share of the steps of a window rises. */
const RISING_SHARE = 0.25;
/** Rows at least without a rise before the edge counts as left, or with the loss at rest before it counts as flat. */
const LEAST_QUIET = 256;
/** … and the loss fell to this share of its first value. */
const SPENT_SHARE = 0.01;
/** A loss within this share of its first value is flat. */
const FLAT_SHARE = 0.01;

export interface LossVerdict {
  readonly phase: SeriesPhase;
  readonly since: number;
  readonly confidence: number;
}

/** Phases from the loss alone: far less than with the sharpness, and with little confidence. */
export interface LossOnly {
  /** The phase that begins with this row, if one does. */
  next(step: number, loss: number, spike: Spike | null): LossVerdict | null;
}

/**
 * What the loss alone can tell. Full-batch gradient descent lowers it steadily until it reaches the edge: a spike, or
 * rises among steps that were steady before, is then the edge (confidence 0.6). A loss that rises from its first step
 * on and comes down again was a catapult (0.6). A loss that falls steadily for twice as long as the edge had lasted,
 * to a hundredth of its first value, has left it for convergence (0.5). Of sharpening nothing can be said: `descent` is any steady fall.
 */
export function createLossOnly(): LossOnly {
  const rises = new Uint8Array(WINDOW);
  let phase: SeriesPhase | null = null;
  let seen = 0;
  let recent = 0;
  let steady = 0;
  let wasSteady = false;
  let first = Number.NaN;
  let before = Number.NaN;
  let onset = Number.NaN;
  let lastRise = 0;

  function enter(next: SeriesPhase, since: number, confidence: number): LossVerdict {
    phase = next;
    return { phase: next, since, confidence };
  }

  return {
    next(step, loss, spike) {
      if (!Number.isFinite(loss)) return null;
      const rise = loss > before ? 1 : 0;
      recent += rise - rises[seen % WINDOW]!;
      rises[seen % WINDOW] = rise;
      before = loss;
      seen++;
      steady = rise ? 0 : steady + 1;
      if (rise) lastRise = step;
      if (seen >= WINDOW && recent === 0) wasSteady = true;

      if (seen === 1) {
        first = loss;
        return enter('descent', step, 0.5);
      }
      if (seen === 2 && loss > first * 1.1) return enter('catapult', Number.NEGATIVE_INFINITY, 0.6);
      if (phase === 'catapult') return spike || loss < first ? enter('descent', step, 0.5) : null;
      if (phase === 'edge-of-stability') {
        const spent = loss <= SPENT_SHARE * first;
        const quiet = spent && steady >= LEAST_QUIET && step - lastRise > 2 * (lastRise - onset);
        return quiet ? enter('convergence', lastRise, 0.5) : null;
      }
      if (spike || (wasSteady && recent >= RISING_SHARE * WINDOW)) {
        const since = spike ? spike.step : step;
        if (Number.isNaN(onset)) onset = since;
        return enter('edge-of-stability', since, 0.6);
      }
      if (phase === 'descent' && seen === LEAST_QUIET && Math.abs(loss / first - 1) < FLAT_SHARE) {
        return enter('flat', Number.NEGATIVE_INFINITY, 0.6);
      }
      if (phase === 'flat' && Math.abs(loss / first - 1) > 2 * FLAT_SHARE)
        return enter('descent', step, 0.6);
      return null;
    },
  };
}
