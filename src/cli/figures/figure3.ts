import { extent, type Look, niceDomain } from '../../dash/plots/draw.ts';
import { linesPlot } from '../../dash/plots/lines.ts';
import { near } from '../../dash/plots/plane.ts';
import { count, formatNumber } from '../../pipeline/format.ts';
import { spectrum } from '../../pipeline/models/minimal/moments.ts';
import { balanceChange, solutionRiseBound } from '../../pipeline/models/minimal/theory.ts';
import { type RunTable, wholeCycles } from '../../pipeline/theory/run-table.ts';
import { type FigureSpec, type Panel, tooShort } from './figure.ts';
import { linePair, linePoints, thresholdOf } from './run-lines.ts';
import { cutOff, glued, parameters } from './words.ts';

/** Gradient-flow-solution sharpness between an upper and a lower bound. */
export const figure3: FigureSpec = {
  number: 3,
  preset: 'figure3',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness', 'gfs_sharpness', 'balance'],
  unfit: (table) =>
    tooShort(table) ??
    (table.everyStep ? undefined : 'its bounds take every step, and the run is thinned'),
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
    const runsAway = [end, upper, lower].some((column) => near(column).length < column.length);
    return {
      title: held
        ? 'Each spike lowers the sharpness of the minimum ahead'
        : 'Sharpness of the minimum ahead',
      caption: glued(
        `${parameters(table)}; ${table.stability.formula} = ${formatNumber(threshold, 4)}. S∞ is the sharpness of the minimum that gradient flow from step t would reach${table.divergedAt === null ? '' : `; the run diverges at step ${count(table.divergedAt)}`}. From ${cycles.length > 0 ? `one upward crossing of ${table.stability.formula}` : `the start, or an upward crossing of ${table.stability.formula},`} to the next${cycles.length > 0 ? '' : ', or the end,'} it lies between its value at the former plus what second-order creep allows since (upper bound) and its value at the latter less what creep allows until then (lower bound).${cutOff(runsAway)}`,
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
 * Bounds of the gradient-flow-solution sharpness S∞ between crossings of 2/η.
 *
 * In one step S∞ rises by no more than b(t) = Λ·g'(Q_t + q₊)·q₊ + λ₂·(Q_t − Q_{t+1})₊, where q = η²((∂α)² − ‖∂β‖²) is
 * the change of the balance and g(Q) = α∞² (see `solutionRiseBound`). Summed from a crossing c on,
 *
 *     S∞(t) ≤ S∞(c) + Σ_{s=c}^{t−1} b(s)                                (upper bound)
 *
 * and the same inequality from t to the next crossing d, solved for S∞(t),
 *
 *     S∞(t) ≥ S∞(d) − Σ_{s=t}^{d−1} b(s)                                (lower bound).
 *
 * Creep is of second order in η, so both are stairs, and S∞ steps down from one to the other at each spike. The start
 * of the run and its end count as crossings. Every step must be there.
 */
export function solutionBounds(table: RunTable): { upper: Float64Array; lower: Float64Array } {
  const { config, length } = table;
  const { eta, moments } = config;
  const axes = spectrum(moments);
  const [alpha, beta1, beta2] = [
    table.column('alpha'),
    table.column('beta1'),
    table.column('beta2'),
  ];
  const end = table.column('gfs_sharpness');
  const balance = table.column('balance');
  const creep = new Float64Array(length);
  for (let i = 0; i + 1 < length; i++) {
    const q = balanceChange({ alpha: alpha[i]!, beta1: beta1[i]!, beta2: beta2[i]! }, moments, eta);
    creep[i + 1] =
      creep[i]! + solutionRiseBound(balance[i]!, balance[i + 1]!, q, moments, axes, end[i]!);
  }
  const sharpness = table.column('sharpness');
  const threshold = thresholdOf(table);
  const knots = [0];
  for (let i = 1; i < length; i++)
    if (sharpness[i - 1]! < threshold && sharpness[i]! >= threshold) knots.push(i);
  if (knots.at(-1) !== length - 1) knots.push(length - 1);

  const upper = new Float64Array(length);
  const lower = new Float64Array(length);
  for (let k = 0; k + 1 < knots.length; k++) {
    const from = knots[k]!;
    const to = knots[k + 1]!;
    for (let i = from; i < to; i++) {
      upper[i] = end[from]! + creep[i]! - creep[from]!;
      lower[i] = end[to]! - (creep[to]! - creep[i]!);
    }
  }
  upper[length - 1] = lower[length - 1] = end[length - 1]!;
  return { upper, lower };
}
