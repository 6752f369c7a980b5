import { count, percent } from '../../pipeline/format.ts';
import type { PredictedCycle, Prediction } from '../../pipeline/theory/predict.ts';

type Found = Omit<Prediction, 'reason'>;

/** Cycles that are listed: the first and the last of them. */
const LISTED = 5;

/** A prediction as a table, beside what was measured where there is a run. */
export function predictionLines(predicted: Prediction, found?: Found): string[] {
  if (predicted.reason !== undefined) return [`no prediction: ${predicted.reason}`];
  const rows: string[][] = [
    ['', 'predicted', ...(found ? ['measured', 'error'] : [])],
    row('first crossing of 2/η', predicted.first_crossing, found?.first_crossing, 'never'),
    row('steps at the edge', predicted.edge_steps, found?.edge_steps, 'none'),
    row('T(δ, ε)', predicted.convergence_time, found?.convergence_time, 'not known'),
    row('whole cycles', predicted.cycles.length, found?.cycles.length, ''),
  ];
  for (const k of listed(predicted.cycles.length)) {
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

function listed(length: number): readonly number[] {
  const all = Array.from({ length }, (_, k) => k);
  return length <= 2 * LISTED ? all : [...all.slice(0, LISTED), ...all.slice(-LISTED)];
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
