import { extent, type Look, niceDomain } from '../../dash/plots/draw.ts';
import { linesPlot } from '../../dash/plots/lines.ts';
import { near } from '../../dash/plots/plane.ts';
import { count, formatNumber } from '../../pipeline/format.ts';
import { spectrum } from '../../pipeline/models/minimal/moments.ts';
import { solutionAlphaSquared } from '../../pipeline/models/minimal/solution.ts';
import { type RunTable, wholeCycles } from '../../pipeline/theory/run-table.ts';
import { type FigureSpec, type Panel, tooShort } from './figure.ts';
import { linePair, linePoints, thresholdOf } from './run-lines.ts';
import { cutOff, glued, parameters } from './words.ts';

/** Gradient-flow-solution sharpness between an upper and a lower bound. */
export const figure3: FigureSpec = {
  number: 3,
  preset: 'figure3',
  needs: ['alpha', 'sharpness', 'gfs_sharpness', 'balance'],
  unfit: (table) => tooShort(table),
  draw(table, theme) {
    const { step } = table;
    const threshold = thresholdOf(table);
    const end = table.column('gfs_sharpness');
    const { upper, lower } = solutionBounds(table);
    const cycles = wholeCycles(table);
    const first = cycles[1]?.[0] ?? 0;
    const last = cycles[4]?.[1] ?? table.length - 1;
    const panel = (title: string, from: number, to: number, whole: boolean): Panel => {
      const part = (column: Float64Array) => column.subarray(from, to);
      const [low, high] = linePair(part(step), part(lower), part(upper));
      const values = extent([
        near(part(end)),
        ...[low.y, high.y].map(near),
        whole ? [threshold] : [],
      ]);
      return {
        title,
        legend: [
          { label: 'S∞', color: theme.solution, kind: 'line', width: 3 },
          { label: 'upper bound', color: theme.oscillating, kind: 'line', dash: '7 4' },
          { label: 'lower bound', color: theme.convergent, kind: 'line', dash: '2 3' },
        ],
        draw: (look: Look) =>
          linesPlot(
            {
              label: 'sharpness S∞ of the flow’s minimum',
              log: false,
              steps: [step[from]!, step[to - 1]!],
              values: niceDomain(values),
              between: { low, high },
              lines: [
                { points: linePoints(part(step), part(end)), color: theme.solution, width: 2 },
                { points: high, color: theme.oscillating, dash: '7 4' },
                { points: low, color: theme.convergent, dash: '2 3', width: 1.6 },
              ],
              level: whole
                ? {
                    value: threshold,
                    label: `${table.stability.formula} = ${formatNumber(threshold, 4)}`,
                  }
                : undefined,
            },
            look,
          ).svg,
      };
    };
    const held =
      cycles.length > 0 &&
      cycles.every(([from, to]) => end[to]! < end[from]!) &&
      table.divergedAt === null;
    const diverges =
      table.divergedAt === null ? '' : `; the run diverges at step ${count(table.divergedAt)}`;
    const runsAway = [end, upper, lower].some((column) => near(column).length < column.length);
    return {
      title: held
        ? 'Each spike lowers the sharpness of the minimum ahead'
        : 'Sharpness of the minimum ahead',
      caption: glued(
        `${parameters(table)}; ${table.stability.formula} = ${formatNumber(threshold, 4)}. S∞ ` +
          'is the sharpness of the minimum that gradient flow from step t would reach' +
          `${diverges}. ` +
          'Both bounds are this project’s own, not those of the paper’s theorem, and know only ' +
          'the steps so far: what S∞ could still rise to by second-order creep, as of the last ' +
          `upward crossing of ${table.stability.formula} (upper bound), and ` +
          `${table.stability.formula}, to which it must still fall, since no sharper minimum is ` +
          `stable (lower bound).${cutOff(runsAway)}`,
      ),
      panels: [
        panel('Whole run', 0, table.length, true),
        ...(cycles.length < 2
          ? []
          : [
              panel(
                `Steps ${count(step[first]!)} to ${count(step[last - 1]!)}`,
                first,
                last,
                false,
              ),
            ]),
      ],
    };
  },
};

/**
 * Causal bounds of the gradient-flow-solution sharpness S∞: each takes only the steps up to its
 * own. They are this project's, not those of the paper's theorem.
 *
 * What S∞ can still rise: a step raises α∞² = g(Q) by no more than q₊ ≤ η²(∂α)², and while α goes
 * up to α∞ the steps η|∂α| = ηλ₂|β₂(1 − αβ₂)| ≤ ηλ₂/(4|α|) add up to |α∞| − |α|. So from step t on
 *
 *     S∞ ≤ S∞(t) + Λ·ηλ₂/(4|α|)·(|α∞| − |α|)₊
 *
 * up to the next spike, which lowers it by more; it is said at the start and at each upward
 * crossing of 2/η, where a spike begins (upper bound). What it must still fall to: gradient descent
 * stays at no minimum sharper than 2/η, so that min(S∞(t), 2/η) is the most that can be left in the
 * end (lower bound).
 */
export function solutionBounds(table: RunTable): { upper: Float64Array; lower: Float64Array } {
  const { config, length } = table;
  const { eta, moments } = config;
  const { large } = spectrum(moments);
  const threshold = thresholdOf(table);
  const end = table.column('gfs_sharpness');
  const balance = table.column('balance');
  const alpha = table.column('alpha');
  const sharpness = table.column('sharpness');
  const [upper, lower] = [new Float64Array(length), new Float64Array(length)];
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) {
    const crosses = i === 0 || (sharpness[i - 1]! < threshold && sharpness[i]! >= threshold);
    // Where the run is thrown out S∞ rises with it, and what was said no longer binds.
    if (crosses || end[i]! > most) {
      const size = Math.abs(alpha[i]!);
      const way = Math.max(0, Math.sqrt(solutionAlphaSquared(balance[i]!)) - size);
      most = end[i]! + (way === 0 ? 0 : (large * eta * moments.lambda2 * way) / (4 * size));
    }
    upper[i] = most;
    lower[i] = Math.min(end[i]!, threshold);
  }
  return { upper, lower };
}
