import { blocks } from '../../pipeline/core/operator.ts';
import { findDynamics } from '../../pipeline/dynamics/index.ts';
import type { TableSource } from '../load/table.ts';
import { type History, history } from './history.ts';
import { labModel } from './lab-models.ts';
import type { LabRun } from './lab-run.ts';

/**
 * Rows of a block: a step of gradient flow takes much longer than one of gradient descent, and one
 * of a network longer still.
 */
const ROWS = { minimal: 64, mlp: 1 } as const;

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
 * Starts a dynamics at the point of a run.
 * @throws ConfigError where it is not defined for such a run
 */
export function companion(name: string, { config, origin }: LabRun): Companion {
  const { model } = config;
  const begun = labModel({ model }).beside(findDynamics(name)!, config, origin);
  const rows = model === 'minimal' ? ROWS.minimal : ROWS.mlp;
  const all = blocks(begun.source, begun.operators, rows);
  const own: object = begun.source.run.config;
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
