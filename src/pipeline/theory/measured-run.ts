import type { Prediction } from './predict.ts';
import { atEdge, firstCrossing, type RunTable, wholeCycles } from './run-table.ts';

/** What is predicted of a run, as measured on it, as far as it goes. */
export function measured(table: RunTable): Omit<Prediction, 'reason'> {
  const ratio = table.column('sharpness').map((s) => table.stability.ratio(s, table.config.eta));
  const crossing = firstCrossing(table);
  const edge = table.everyStep ? table.column('phase') : undefined;
  const edgeRows = edge ? edge.reduce((n, code) => n + (atEdge(code) ? 1 : 0), 0) : 0;
  const ended = edge !== undefined && crossing >= 0 && !atEdge(edge[table.length - 1]!);
  return {
    first_crossing: crossing < 0 ? null : table.step[crossing]!,
    edge_steps: ended ? edgeRows : null,
    convergence_time: convergenceTime(table),
    cycles: wholeCycles(table).map(([from, to]) => ({
      first_step: table.step[from]!,
      period: table.step[to]! - table.step[from]!,
      overshoot: ratio.subarray(from, to).reduce((most, x) => Math.max(most, x), 0) - 1,
    })),
  };
}

function convergenceTime(table: RunTable): number | null {
  const { delta, epsilon, eta } = table.config;
  const [loss, sharpness] = [table.column('loss'), table.column('sharpness')];
  const tolerated = table.stability.threshold(eta, delta);
  let row = table.length;
  while (row > 0 && loss[row - 1]! <= epsilon && sharpness[row - 1]! <= tolerated) row--;
  return row < table.length && table.divergedAt === null ? table.step[row]! : null;
}
