import { count, percent } from '../../pipeline/format.ts';
import type { PredictedCycle, Prediction } from '../../pipeline/theory/predict.ts';

/** What is predicted of a run, as measured on it. */
export type Found = Omit<Prediction, 'reason'>;

/**
 * A prediction as a table, beside what was measured where there is a run.
 * @param most so many of the first cycles and of the last ones are listed
 */
export function predictionLines(predicted: Prediction, found?: Found, most = 5): string[] {
  if (predicted.reason !== undefined) return [`no prediction: ${predicted.reason}`];
  const rows: string[][] = [
    ['', 'predicted', ...(found ? ['measured', 'error'] : [])],
    row('first crossing of 2/η', predicted.first_crossing, found?.first_crossing, 'never'),
    row('steps at the edge', predicted.edge_steps, found?.edge_steps, 'none'),
    row('T(δ, ε)', predicted.convergence_time, found?.convergence_time, 'not known'),
    row('whole cycles', predicted.cycles.length, found?.cycles.length, ''),
  ];
  for (const k of listed(predicted.cycles.length, most)) {
    const cycle = predicted.cycles[k]!;
    const own = found?.cycles[k];
    const name = `cycle ${k + 1}, from t = ${count(cycle.first_step)}`;
    rows.push(row(`${name}: period`, cycle.period, found && (own?.period ?? null), ''));
    rows.push([
      `${name}: overshoot`,
      percent(cycle.overshoot),
      ...(found ? [own ? percent(own.overshoot) : '–', errorOf(cycle, own)] : []),
    ]);
  }
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((cells) => cells[c]!.length)));
  return rows.map((cells) =>
    cells
      .map((text, c) => (c === 0 ? text.padEnd(widths[c]!) : text.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
}

function listed(length: number, most: number): readonly number[] {
  const all = Array.from({ length }, (_, k) => k);
  return length <= 2 * most ? all : [...all.slice(0, most), ...all.slice(-most)];
}

function row(
  label: string,
  predicted: number | null,
  own: number | null | undefined,
  none: string,
): string[] {
  const cells = [label, predicted === null ? none : count(predicted)];
  if (own === undefined) return cells;
  const error = predicted === null || own === null || own === 0 ? '' : percent(predicted / own - 1);
  return [...cells, own === null ? '–' : count(own), error];
}

function errorOf(predicted: PredictedCycle, own: PredictedCycle | undefined): string {
  return own ? percent(predicted.overshoot / own.overshoot - 1) : '';
}
