import { count, plural } from '../../format.ts';
import { flowEnd } from '../../models/minimal/flow.ts';
import type { Theta } from '../../models/minimal/loss.ts';
import { spectrum } from '../../models/minimal/moments.ts';
import { sharpness } from '../../models/minimal/sharpness.ts';
import { balance, solutionAlphaSquared } from '../../models/minimal/solution.ts';
import { type Check, digits, doesNotApply, round } from '../check.ts';
import type { RunTable } from '../run-table.ts';

const POINTS = 9;
const TOLERANCE = 1e-8;

/** Put back onto its balance, a flow would end at the closed form however wrong its way. */
const UNPROJECTED = { tolerance: 1e-13, project: false };

/**
 * Gradient flow, integrated from points of the run, ends where the closed form says, with the
 * sharpness in the file. The integrator is left to itself here, so that its end point is evidence:
 * nothing puts it back onto its balance.
 */
export const gradientFlowEnd: Check = {
  name: 'gradient-flow',
  statement:
    `gradient flow from ${POINTS} points of the run ends at α∞² = (Q + √(Q² + 4))/2, with ` +
    'sharpness S∞ (within 1e-8, or 1e-8·‖θ‖² where that is more)',
  needs: ['alpha', 'beta1', 'beta2', 'gfs_sharpness'],
  recomputes: 'gradient flow from 9 points',
  run(table) {
    const rows = spread(table.length, POINTS);
    const ends = rows.map((row) => endOf(table, row));
    const reached = ends.filter((end) => end !== undefined);
    const saddles = ends.length - reached.length;
    if (reached.length === 0)
      return doesNotApply('every one of the points lies on the stable set of the saddle');
    const worst = reached.reduce((a, b) => (b.error > a.error ? b : a));
    return {
      verdict: worst.error <= TOLERANCE ? 'holds' : 'fails',
      measured: worst.error,
      predicted: 0,
      margin: TOLERANCE - worst.error,
      text: {
        measured: `${digits(worst.error)} off at most`,
        predicted: 'the closed form',
        margin: `${round(TOLERANCE)} allowed`,
      },
      steps: [worst.step, worst.step],
      note:
        `worst from step ${count(worst.step)}` +
        (saddles > 0 ? `; ${plural(saddles, 'point')} lead to the saddle` : ''),
      details: { points: reached },
    };
  },
};

function endOf(
  table: RunTable,
  row: number,
): ({ step: number; error: number } & Theta) | undefined {
  const { moments } = table.config;
  const theta = {
    alpha: table.column('alpha')[row]!,
    beta1: table.column('beta1')[row]!,
    beta2: table.column('beta2')[row]!,
  };
  const { outcome, theta: end } = flowEnd(theta, moments, undefined, UNPROJECTED);
  if (outcome === 'saddle') return undefined;
  const alpha = Math.sign(end.alpha) * Math.sqrt(solutionAlphaSquared(balance(theta)));
  const point = Math.max(
    Math.abs(end.alpha - alpha) / Math.max(1, Math.abs(alpha)),
    Math.abs(end.beta1),
    Math.abs(end.beta2 - 1 / alpha) / Math.max(1, 1 / Math.abs(alpha)),
  );
  const measured = sharpness(end, spectrum(moments));
  const sharp = Math.abs(table.column('gfs_sharpness')[row]! / measured - 1);
  // What the integrator loses of the balance is relative to the squares of which it is the
  // difference.
  const squares = theta.alpha * theta.alpha + theta.beta1 * theta.beta1 + theta.beta2 * theta.beta2;
  const error =
    outcome === 'minimum'
      ? Math.max(point, sharp) / Math.max(1, squares)
      : Number.POSITIVE_INFINITY;
  return { step: table.step[row]!, error, ...end };
}

/** So many rows from the first to the last, as evenly as they go. */
export function spread(length: number, count: number): readonly number[] {
  const rows = Array.from({ length: count }, (_, k) =>
    Math.round((k * (length - 1)) / (count - 1)),
  );
  return [...new Set(rows)];
}
