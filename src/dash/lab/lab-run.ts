import type { Checkpoint, Snapshot } from '../../pipeline/core/checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint, summaryAt } from '../../pipeline/core/checkpoint.ts';
import { blocks } from '../../pipeline/core/operator.ts';
import type { Column, Schema } from '../../pipeline/core/schema.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import type { TableSource } from '../load/table.ts';
import { type Block, type History, history } from './history.ts';
import { type LabConfig, labModel } from './lab-models.ts';
import type { LabOptions } from './lab-parameters.ts';

/** The threshold moves with η, so it is a column of a run whose η is changed under way. */
const THRESHOLD: Column = {
  name: 'threshold',
  type: 'DOUBLE',
  symbol: '2/η',
  unit: '1',
  meaning: 'largest sharpness at which the optimizer is stable',
};

/** What a run has before its first row. */
const STEP: Column = { name: 'step', type: 'INT64', symbol: 't', unit: 'steps', meaning: 'step' };

/** Changes that can be taken back. */
const MOST_CHANGES = 100;

/** A run that goes on as long as it is told to, and whose η and momentum may change under way. */
export interface LabRun {
  readonly config: LabConfig;
  /** Step of the last row. */
  readonly step: number;
  /** Step from which on the loss is not finite, or too large; null while it is not. */
  readonly divergedAt: number | null;
  /** Steps behind which something was changed. */
  readonly changes: readonly number[];
  /** Rows that are kept, and how many steps stand between two of them, about. */
  readonly kept: Pick<History, 'rows' | 'stride'>;
  /** A value of the last row; NaN where there is none. */
  last(column: string): number;
  /** The same of a column of words. */
  word(column: string): string;
  /** Computes so many rows more. */
  advance(rows: number): void;
  /**
   * Goes on from here with other parameters of the optimizer.
   * @throws ConfigError naming the first that cannot be used
   */
  change(options: LabOptions): void;
  /** Goes back to where it was before the last change; false where nothing was changed. */
  undo(): boolean;
  /** All that another run needs to go on from here. */
  checkpoint(): string;
  table(): TableSource;
}

interface Change {
  readonly options: LabOptions;
  readonly config: LabConfig;
  readonly at: Checkpoint;
  readonly step: number;
}

/**
 * Starts a run in the digits of the command line: the same source, operators and rows, without an
 * end.
 *
 * @param from a checkpoint of another run, from which this one goes on
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function labRun(options: LabOptions, from?: string): LabRun {
  const model = labModel(options);
  let config = model.resolve(options);
  let start: Checkpoint | undefined = from === undefined ? undefined : decodeCheckpoint(from);
  let after: Snapshot = {};
  let divergedAt: number | null = null;
  let changes: Change[] = [];
  let work: { readonly rows: number; next(): void } | undefined;
  let schema: Schema = [];
  let kept: History | undefined;
  /** The block that came last, and its length. */
  let block: Block = {};
  let length = 0;

  function begin(rows: number) {
    const { source, operators } = model.begin(config, start);
    const all = blocks(source, operators, rows);
    const threshold = new Float64Array(rows).fill(stabilityOf(config).threshold(config.eta));
    return {
      rows,
      next() {
        const { done, value: batch } = all.next();
        if (!done && batch.length > 0) {
          block = { threshold, ...batch.columns };
          length = batch.length;
          schema = 'threshold' in batch.columns ? batch.schema : [...batch.schema, THRESHOLD];
          kept ??= history(schema, 'l1');
          kept.append(block, length);
          after = batch.after ?? after;
        }
        divergedAt = source.run.divergedAt;
      },
    };
  }

  /** From the last row on, for a change of parameters or of the size of blocks. */
  function stand(): void {
    if (Object.keys(after).length > 0) start = decodeCheckpoint(text());
    work = undefined;
  }

  const text = () => encodeCheckpoint(step() + 1, after);
  const last = (column: string) =>
    length > 0 ? (block[column]?.[length - 1] ?? Number.NaN) : (kept?.last(column) ?? Number.NaN);
  const step = () => last('step');

  return {
    get config() {
      return config;
    },
    get step() {
      return step();
    },
    get divergedAt() {
      return divergedAt;
    },
    get changes() {
      return changes.map((change) => change.step);
    },
    get kept() {
      return { rows: kept?.rows ?? 0, stride: kept?.stride ?? 1 };
    },
    last,
    word: (column) => schema.find(({ name }) => name === column)?.words?.[last(column)] ?? '',
    advance(rows) {
      if (divergedAt !== null) return;
      if (work && work.rows !== rows) stand();
      work ??= begin(rows);
      work.next();
    },
    change(said) {
      const next = model.resolve({ ...options, ...said });
      stand();
      if (start) {
        changes = [
          ...changes.slice(1 - MOST_CHANGES),
          { options, config, at: start, step: step() },
        ];
        const { summarize: _, ...stages } = start.stages;
        start = { ...start, stages };
      }
      config = next;
      options = { ...options, ...said };
      divergedAt = null;
    },
    undo() {
      const change = changes.at(-1);
      if (!change) return false;
      changes = changes.slice(0, -1);
      kept?.cut(change.step);
      ({ options, config, at: start } = change);
      length = 0;
      after = {};
      divergedAt = null;
      work = undefined;
      return true;
    },
    checkpoint: text,
    table() {
      const end = { interrupted: divergedAt === null, divergedAt };
      const summary = summaryAt(after, end);
      return (kept ?? history([STEP], 'step')).table({
        // It has no end: the number of steps would be taken for one.
        'eos.config': JSON.stringify({ ...config, steps: undefined }),
        ...(kept && kept.stride > 1 ? { 'eos.peaks': 'kept' } : {}),
        'eos.changes': changes.map((change) => change.step).join(','),
        ...(summary ? { 'eos.summary': JSON.stringify(withoutEnd(summary)) } : {}),
      });
    },
  };
}

/** That it stands says nothing of a run that has no end. */
function withoutEnd(summary: object): object {
  const { warnings = [] } = summary as { readonly warnings?: readonly { readonly kind: string }[] };
  return { ...summary, warnings: warnings.filter(({ kind }) => kind !== 'interrupted') };
}
