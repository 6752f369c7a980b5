import { plural } from '../../format.ts';
import { edgeAlpha } from '../../models/minimal/surrogate.ts';
import { type Check, doesNotApply, notReached } from '../check.ts';
import { atEdge } from '../run-table.ts';

/**
 * Below this part of its largest value, what is left of L̂ is the rounding of its residual squared.
 */
const ROUNDING = 1e-24;
/** Steps of β₂ of no more than this part of it are rounding, and L̂ stands still. */
const STANDSTILL = 8 * Number.EPSILON;

/**
 * L̂ falls all the way through the edge of stability, while L itself spikes. A step moves β₂
 * towards 1/α, and L̂ is of its distance from ±1/α̂: both are the same way as long as αβ₂ and ±α̂β₂
 * are on the same side of 1, which they stay once the run is in the valley (0 < αβ₂ < 1, ±α̂β₂ <
 * 1). A start beyond the edge may lie beyond its minimum, though; those steps do not count.
 */
export const surrogateFalls: Check = {
  name: 'surrogate-falls',
  statement:
    'the surrogate loss L̂ falls at every step of the edge of stability from where αβ₂ and ' +
    '±α̂β₂ are on the same side of 1',
  needs: ['l_hat', 'phase', 'alpha', 'beta2'],
  descent: true,
  separated: true,
  noCovariance: true,
  edge: true,
  run(table) {
    const surrogate = table.column('l_hat');
    const phase = table.column('phase');
    const [alpha, beta2] = [table.column('alpha'), table.column('beta2')];
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta, table.stability);
    const inOrder = (row: number) => sameSide(alpha[row]!, beta2[row]!, alphaHat);
    const scale = surrogate.reduce((max, value) => Math.max(max, value), 0);
    const edge: number[] = [];
    let steps = 0;
    let beyond = 0;
    const rises: number[] = [];
    for (let i = 1; i < table.length; i++) {
      if (!atEdge(phase[i]!) || !atEdge(phase[i - 1]!)) continue;
      if (!(inOrder(i - 1) && inOrder(i)) || alpha[i]! * alpha[i - 1]! < 0) {
        beyond++;
        continue;
      }
      if (Math.abs(beta2[i]! - beta2[i - 1]!) <= STANDSTILL * Math.abs(beta2[i]!)) continue;
      steps++;
      edge[edge.length === 0 ? 0 : 1] = table.step[i]!;
      if (!(surrogate[i]! < surrogate[i - 1]!) && surrogate[i]! > ROUNDING * scale)
        rises.push(table.step[i]!);
    }
    if (steps === 0 && beyond > 0)
      return doesNotApply('the run is beyond its minimum (αβ₂ > 1) in all its steps at the edge');
    if (steps === 0)
      return notReached('there is no step at the edge of stability in which β₂ moves yet');
    const notes = [
      ...(rises.length > 0 ? [`the first rise is at step ${rises[0]}`] : []),
      ...(beyond > 0 ? [`${plural(beyond, 'step')} beyond the minimum left out`] : []),
    ];
    return {
      verdict: rises.length === 0 ? 'holds' : 'fails',
      measured: rises.length,
      steps: rises.length > 0 ? [rises[0]! - 1, rises[0]!] : [edge[0]!, edge.at(-1)!],
      predicted: 0,
      margin: -rises.length,
      text: {
        measured: `${plural(rises.length, 'rise')} in ${plural(steps, 'step')}`,
        predicted: 'no rise',
        margin: '',
      },
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
      details: { rises: rises.slice(0, 20) },
    };
  },
};

function sameSide(alpha: number, beta2: number, alphaHat: number): boolean {
  return alpha * beta2 - 1 < 0 === Math.sign(alpha) * alphaHat * beta2 - 1 < 0;
}
