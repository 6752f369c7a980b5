import { envelope } from '../../pipeline/formats/envelope.ts';
import { spectrum } from '../../pipeline/models/minimal/moments.ts';
import { balanceChange, solutionRiseBound } from '../../pipeline/models/minimal/theory.ts';
import { type RunTable, wholeCycles } from '../../pipeline/theory/run-table.ts';
import { curve, grids, level, stepAxis } from './curves.ts';
import { bounded } from './cut.ts';
import { COLUMNS, type FigureSpec, tooShort } from './figure.ts';
import { near, range } from './plane.ts';
import { glued, parameters, plain, tick } from './words.ts';

/** Gradient-flow-solution sharpness between an upper and a lower bound. */
export const figure3: FigureSpec = {
  number: 3,
  preset: 'figure3',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness', 'gfs_sharpness', 'balance'],
  unfit: (table) =>
    tooShort(table) ??
    (table.everyStep ? undefined : 'its bounds take every step, and the run is thinned'),
  draw(table, theme, plot) {
    const { step } = table;
    const threshold = 2 / table.config.eta;
    const end = table.column('gfs_sharpness');
    const { upper, lower } = solutionBounds(table);
    const cycles = wholeCycles(table);
    const first = cycles[1]?.[0] ?? 0;
    const last = cycles[4]?.[1] ?? table.length - 1;
    const zoom = (column: Float64Array) => column.subarray(first, last);
    const panel = (title: string, part: (column: Float64Array) => Float64Array, zero: boolean) => {
      const axis = boundedAxis(part(end), [part(lower), part(upper)], zero ? [0, threshold] : []);
      const within = { y: axis.domain };
      return {
        title,
        legend: [
          { label: 'S∞', color: theme.blue, kind: 'line' },
          { label: 'upper bound', color: theme.orange, kind: 'line', dash: '7 4' },
          { label: 'lower bound', color: theme.green, kind: 'line', dash: '2 3' },
          ...(zero
            ? [{ label: '2/η', color: theme.text, kind: 'line', dash: '6 4', width: 1.6 } as const]
            : []),
        ] as const,
        options: {
          x: stepAxis(part(step)),
          y: { label: 'sharpness S∞ of the flow’s minimum', zero, nice: true, ...axis },
          marks: [
            ...grids(plot, theme),
            band(part(step), part(lower), part(upper), within.y),
            curve(plot, part(step), part(end), { color: theme.blue, width: 2.4, within }),
            curve(plot, part(step), part(upper), {
              color: theme.orange,
              width: 1.6,
              dash: '7 4',
              within,
            }),
            curve(plot, part(step), part(lower), {
              color: theme.green,
              width: 1.8,
              dash: '2 3',
              within,
            }),
            ...(zero ? level(plot, threshold, '', theme) : []),
          ],
        },
      };
    };
    const band = (
      x: Float64Array,
      low: Float64Array,
      high: Float64Array,
      range?: readonly [number, number],
    ) => {
      const rows = [...new Set([...envelope(x, low, COLUMNS), ...envelope(x, high, COLUMNS)])].sort(
        (a, b) => a - b,
      );
      return plot.areaY(rows, {
        x: (row) => x[row],
        y1: (row) => bounded(low[row]!, range),
        y2: (row) => bounded(high[row]!, range),
        fill: theme.shade,
        clip: 'frame',
      });
    };
    return {
      title:
        cycles.length > 0 &&
        cycles.every(([from, to]) => end[to]! < end[from]!) &&
        table.divergedAt === null
          ? 'Each spike lowers the sharpness of the minimum ahead'
          : 'Sharpness of the minimum ahead',
      caption: glued(
        `${parameters(table)}; 2/η = ${plain(threshold)}. S∞ is the sharpness of the minimum that gradient flow from step t would reach${table.divergedAt === null ? '' : `; the run diverges at step ${table.divergedAt}`}. From ${cycles.length > 0 ? 'one upward crossing of 2/η' : 'the start, or an upward crossing of 2/η,'} to the next${cycles.length > 0 ? '' : ', or the end,'} it lies between its value at the former plus what second-order creep allows since (upper bound) and its value at the latter less what creep allows until then (lower bound).${runsAway([end, upper, lower]) ? ' What lies beyond the frame is cut off.' : ''}`,
      ),
      panels: [
        panel('Whole run', (column) => column, true),
        ...(cycles.length < 2
          ? []
          : [
              panel(
                `Steps ${step[first]!.toLocaleString('en-US')} to ${step[last - 1]!.toLocaleString('en-US')}`,
                zoom,
                false,
              ),
            ]),
      ],
    };
  },
};

/** Whether some values are far from the others of their column, so that an axis leaves them out. */
function runsAway(columns: readonly Float64Array[]): boolean {
  return columns.some((column) => near(column).length < column.length);
}

/**
 * Of a value axis: nothing where the bounds are about as far apart as what they bound is, so that all is shown; else,
 * where a run blows up and its bounds with it, the range of what they bound.
 */
function boundedAxis(
  end: Float64Array,
  bounds: readonly Float64Array[],
  also: readonly number[],
): { readonly domain?: [number, number]; readonly tickFormat?: typeof tick } {
  const [low, high] = range([near(end), also]);
  const room = high - low;
  const far = [end, ...bounds].some((bound) =>
    bound.some((value) => value > high + room || value < low - room),
  );
  // What stands still must not fill the panel with its rounding.
  const least = 1e-3 * Math.max(Math.abs(low), Math.abs(high));
  if (high - low < least) return { domain: [low - least, high + least] };
  return {
    ...(far ? { domain: [low, high] } : {}),
    ...(high >= 1e5 ? { tickFormat: tick } : {}),
  };
}

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
  const threshold = 2 / eta;
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
