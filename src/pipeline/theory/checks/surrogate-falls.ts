import { type Check, notReached, plural } from '../check.ts';
import { atEdge } from '../run-table.ts';

/** Below this part of its largest value, what is left of L̂ is the rounding of its residual squared. */
const ROUNDING = 1e-24;

/** L̂ falls all the way through the edge of stability, while L itself spikes. */
export const surrogateFalls: Check = {
  name: 'surrogate-falls',
  statement: 'the surrogate loss L̂ falls at every step of the edge of stability',
  needs: ['l_hat', 'phase'],
  noCovariance: true,
  edge: true,
  run(table) {
    const surrogate = table.column('l_hat');
    const phase = table.column('phase');
    const scale = surrogate.reduce((max, value) => Math.max(max, value), 0);
    let steps = 0;
    const rises: number[] = [];
    for (let i = 1; i < table.length; i++) {
      if (!atEdge(phase[i]!) || !atEdge(phase[i - 1]!)) continue;
      steps++;
      if (!(surrogate[i]! < surrogate[i - 1]!) && surrogate[i]! > ROUNDING * scale) rises.push(table.step[i]!);
    }
    if (steps === 0) return notReached('the edge of stability has only just begun');
    return {
      verdict: rises.length === 0 ? 'holds' : 'fails',
      measured: rises.length,
      predicted: 0,
      margin: -rises.length,
      text: {
        measured: `${plural(rises.length, 'rise')} in ${plural(steps, 'step')}`,
        predicted: 'no rise',
        margin: '',
      },
      ...(rises.length > 0 ? { note: `the first rise is at step ${rises[0]}` } : {}),
      details: { rises: rises.slice(0, 20) },
    };
  },
};
