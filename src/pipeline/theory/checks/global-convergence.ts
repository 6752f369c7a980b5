import { count, plural } from '../../format.ts';
import { type Check, round } from '../check.ts';
import { stuckAbove, stuckOver } from '../evidence.ts';
import type { RunTable } from '../run-table.ts';

const DELTAS = [0.001, 0.01, 0.1];
const EPSILONS = [1e-2, 1e-4, 1e-6, 1e-8];

/**
 * T(δ, ε) of one pair: the first step from which on L ≤ ε and S ≤ (2 + δ)/η to the last; null where
 * there is none.
 */
export interface ConvergenceTime {
  readonly delta: number;
  readonly epsilon: number;
  readonly step: number | null;
  readonly verdict: 'holds' | 'fails' | 'not reached';
}

/**
 * The paper's first theorem on a finite run; the run's own δ and ε decide, the others of the grid
 * are shown.
 */
export const globalConvergence: Check = {
  name: 'global-convergence',
  statement:
    'from a step T(δ, ε) on, L ≤ ε and S ≤ (2 + δ)/η (or as much over the threshold of its ' +
    'optimizer) to the end',
  needs: ['loss', 'sharpness'],
  oscillates: true,
  everyStep: true,
  run(table) {
    const { delta, epsilon, eta } = table.config;
    const grid = convergenceTimes(table, withOwn(DELTAS, delta), withOwn(EPSILONS, epsilon));
    const own = grid.find((cell) => cell.delta === delta && cell.epsilon === epsilon)!;
    const stuck =
      stuckOver(table, table.stability.threshold(eta, delta)) ?? stuckAbove(table, epsilon);
    const label = `T(${round(delta)}, ${round(epsilon)})`;
    return {
      verdict: own.verdict,
      measured: own.step,
      predicted: null,
      margin: own.step === null ? null : table.lastStep - own.step,
      steps: [own.step ?? table.lastStep, table.lastStep],
      text: {
        measured: own.step === null ? `no ${label}` : `${label} = ${count(own.step)}`,
        predicted: `${label} exists`,
        margin: own.step === null ? '' : plural(table.lastStep - own.step, 'step'),
      },
      ...(own.verdict === 'fails' && stuck ? { note: stuck } : {}),
      details: { grid },
    };
  },
};

function withOwn(values: readonly number[], own: number): number[] {
  return [...new Set([...values, own])].sort((a, b) => a - b);
}

/**
 * T(δ, ε) for each pair; one that there is on the run's own steps fails for nothing that may come
 * after them.
 */
export function convergenceTimes(
  table: RunTable,
  deltas: readonly number[],
  epsilons: readonly number[],
): readonly ConvergenceTime[] {
  const loss = table.column('loss');
  const sharpness = table.column('sharpness');
  const diverged = table.divergedAt !== null;
  return deltas.flatMap((delta) => {
    const tolerated = table.stability.threshold(table.config.eta, delta);
    const stuck = stuckOver(table, tolerated);
    return epsilons.map((epsilon): ConvergenceTime => {
      let row = table.length;
      while (row > 0 && loss[row - 1]! <= epsilon && sharpness[row - 1]! <= tolerated) row--;
      if (row < table.length && !diverged)
        return { delta, epsilon, step: table.step[row]!, verdict: 'holds' };
      // A run that can never get there fails, however few steps it has.
      const verdict = stuck || stuckAbove(table, epsilon) ? 'fails' : 'not reached';
      return { delta, epsilon, step: null, verdict };
    });
  });
}
