import { count } from '../format.ts';
import { TRUSTED_DIGITS } from '../models/minimal/agreement.ts';
import { type Check, type CheckResult, doesNotApply, type Finding } from './check.ts';
import { balanceLaw } from './checks/balance.ts';
import { constrainedShadow } from './checks/constrained.ts';
import { convergencePhase } from './checks/convergence-phase.ts';
import { cycleL1 } from './checks/cycle-l1.ts';
import { decayRate } from './checks/decay-rate.ts';
import { excursions } from './checks/excursions.ts';
import { finalSharpness } from './checks/final-sharpness.ts';
import { globalConvergence } from './checks/global-convergence.ts';
import { gradientFlowEnd } from './checks/gradient-flow.ts';
import { meanL1 } from './checks/mean-l1.ts';
import { progressiveSharpening } from './checks/progressive-sharpening.ts';
import { solutionSharpness } from './checks/solution-sharpness.ts';
import { surrogateFalls } from './checks/surrogate-falls.ts';
import { notSeparated } from './premise.ts';
import { firstCrossing, type RunTable } from './run-table.ts';

/** Every check, in the order in which they are told. */
export const CHECKS: readonly Check[] = [
  globalConvergence,
  progressiveSharpening,
  excursions,
  surrogateFalls,
  decayRate,
  meanL1,
  cycleL1,
  solutionSharpness,
  balanceLaw,
  gradientFlowEnd,
  constrainedShadow,
  convergencePhase,
  finalSharpness,
];

/** Holds every statement against a run. */
export function verifyRun(table: RunTable): readonly CheckResult[] {
  const until = trustedUntil(table);
  return CHECKS.map((check) => {
    const finding = applicable(check, table) ?? check.run(table);
    const applies = finding.verdict !== 'does not apply';
    const columns = applies ? check.needs.filter((name) => !table.stored(name)) : [];
    return {
      name: check.name,
      statement: check.statement,
      ...finding,
      ...doubted(finding, until),
      recomputed: [...columns, ...(applies && check.recomputes ? [check.recomputes] : [])],
    };
  });
}

/** The last step before digits fall under those that are trusted; undefined where they never do. */
function trustedUntil(table: RunTable): number | undefined {
  if (!table.stored('digits')) return undefined;
  const row = table.column('digits').findIndex((digits) => digits < TRUSTED_DIGITS);
  return row > 0 ? table.step[row]! - 1 : undefined;
}

/** A mark of numbers that depend on rows which are rounding. */
function doubted({ steps, note }: Finding, until: number | undefined): { note?: string } {
  if (until === undefined || !steps || steps[1] <= until) return {};
  const mark = `digits not true: it depends on steps beyond ${count(until)}`;
  return { note: note ? `${note}; ${mark}` : mark };
}

/** Why a check does not apply to a run at all; undefined where it does. */
function applicable(check: Check, table: RunTable): Finding | undefined {
  const { divergedAt } = table;
  if (divergedAt !== null)
    return doesNotApply(
      `theory is of runs that stay bounded, and this one diverges at step ${count(divergedAt)}`,
    );
  if (check.everyStep && !table.everyStep) {
    return doesNotApply(
      'this takes every step from 0 on, and the file has only some (written with --every?)',
    );
  }
  const { optimizer, formula } = table.stability;
  if (check.descent && optimizer !== 'gd')
    return doesNotApply(`it is for plain gradient descent, and this run is of ${optimizer}`);
  const missing = check.needs.filter((name) => !table.has(name));
  if (missing.length > 0) {
    return doesNotApply(
      `the file has no ${missing.join(', ')}, and it does not follow from what it has`,
    );
  }
  if (check.oscillates && neverOscillates(table))
    return doesNotApply(
      'β₁ is 0 at the start, and neither a floor nor a covariance ever moves it: nothing ' +
        'oscillates, and the run stands or ends where any start beside it would not',
    );
  const { covariance } = table.config.moments;
  if (check.noCovariance && covariance !== 0) {
    return doesNotApply(`the formula is for covariance 0, and here it is ${covariance}`);
  }
  const problem = check.separated ? notSeparated(table.config.moments) : undefined;
  if (problem) return doesNotApply(problem);
  if (check.edge && table.has('sharpness') && firstCrossing(table) < 0) {
    return doesNotApply(`S never comes to ${formula}`);
  }
  return undefined;
}

function neverOscillates({ config: { init, floor, moments } }: RunTable): boolean {
  return init[1] === 0 && floor === 0 && moments.covariance === 0;
}
