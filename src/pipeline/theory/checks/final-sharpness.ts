import { PHASES } from '../../models/minimal/columns.ts';
import { type Check, digits } from '../check.ts';
import { stuckOver } from '../evidence.ts';

const CONVERGENCE = PHASES.indexOf('convergence');

/** Where gradient descent ends, the sharpness is no more than it can hold. */
export const finalSharpness: Check = {
  name: 'final-sharpness',
  statement: 'the run ends with S ≤ (2 + δ)/η, or as much over the threshold of its optimizer',
  needs: ['sharpness', 'phase'],
  oscillates: true,
  run(table) {
    const { delta, eta } = table.config;
    const tolerated = table.stability.threshold(eta, delta);
    const last = table.column('sharpness')[table.length - 1]!;
    const converged = table.column('phase')[table.length - 1] === CONVERGENCE;
    const below = last <= tolerated;
    const stuck = below ? undefined : stuckOver(table, tolerated);
    const verdict = stuck || (converged && !below) ? 'fails' : converged ? 'holds' : 'not reached';
    const note = stuck ?? (verdict === 'not reached' ? 'the run has not converged' : undefined);
    return {
      verdict,
      measured: last,
      predicted: tolerated,
      margin: tolerated - last,
      steps: [table.lastStep, table.lastStep],
      text: {
        measured: digits(last),
        predicted: `at most ${digits(tolerated)}`,
        margin:
          verdict === 'not reached'
            ? ''
            : `${digits(Math.abs(tolerated - last))} ${below ? 'below' : 'over'}`,
      },
      ...(note ? { note } : {}),
    };
  },
};
