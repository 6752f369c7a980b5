import { type AnyOperator, blocks } from '../../pipeline/core/operator.ts';
import { findDynamics } from '../../pipeline/dynamics/index.ts';
import type { RunConfig } from '../../pipeline/models/minimal/config.ts';
import type { ModelRun } from '../../pipeline/models/minimal/run.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { type TrajectoryConfig, trajectoryRows } from '../../pipeline/sources/trajectory.ts';
import type { TableSource } from '../load/table.ts';
import { nextPoint } from './change-optimizer.ts';
import { type History, history } from './history.ts';
import type { LabRun } from './lab-run.ts';

/** Rows of a block: a step of gradient flow takes much longer than one of gradient descent. */
const ROWS = 64;

/** A dynamics that goes along with a run, from where that began or was changed last. */
export interface Companion {
  readonly name: string;
  readonly step: number;
  /** Computes some rows more. */
  advance(): void;
  table(): TableSource;
}

/** Whether a dynamics can go along with a run as it is now. */
export function isDefined(name: string, run: LabRun): boolean {
  try {
    companion(name, run);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a dynamics at the point of a run of the minimal model.
 * @throws ConfigError where it is not defined for such a run
 */
export function companion(name: string, { config, origin }: LabRun): Companion {
  const now = config as RunConfig;
  const from = origin && nextPoint(origin);
  const { alpha, beta1, beta2 } = from?.theta ?? {};
  const own: TrajectoryConfig = {
    ...now,
    init: from ? [alpha!, beta1!, beta2!] : now.init,
    dynamics: name,
  };
  const operators = [splitLoss(), classifySharpness(), flowSolution()];
  const rows = trajectoryRows(findDynamics(name)!, own, from?.step);
  const all = blocks<ModelRun>(rows, operators as readonly AnyOperator<ModelRun>[], ROWS);
  let kept: History | undefined;
  const advance = () => {
    const batch = all.next().value;
    if (!batch) return;
    kept ??= history(batch.schema, 'l1');
    kept.append(batch.columns, batch.length);
  };
  advance();
  return {
    name,
    get step() {
      return kept!.last('step');
    },
    advance,
    table: () => kept!.table({ 'eos.config': JSON.stringify({ ...own, steps: undefined }) }),
  };
}
