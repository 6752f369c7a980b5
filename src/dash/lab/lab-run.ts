import type { Checkpoint, Snapshot, StageState } from '../../pipeline/core/checkpoint.ts';
import { blocks } from '../../pipeline/core/operator.ts';
import type { Column, Schema } from '../../pipeline/core/schema.ts';
import { decodeCheckpoint, encodeCheckpoint, summaryAt } from '../../pipeline/core/stored-state.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import type { TableSource } from '../load/table.ts';
import { MOST_ROWS } from './block-size.ts';
import { type Block, type History, history } from './history.ts';
import { type LabConfig, labModel } from './lab-models.ts';
import { type Change, type LabOptions, type Recipe, withOptions } from './lab-parameters.ts';

/** The threshold moves with η, so it is a column of a run whose η is changed under way. */
const THRESHOLD: Column = {
  name: 'threshold',
  type: 'DOUBLE',
  symbol: 'τ',
  unit: '1',
  meaning: 'largest sharpness at which the optimizer is stable',
};

/** What a run has before its first row. */
const STEP: Column = { name: 'step', type: 'INT64', symbol: 't', unit: 'steps', meaning: 'step' };

/** Changes that can be taken back. */
const MOST_CHANGES = 100;

/** A run that goes on as long as it is told to, and whose optimizer may change under way. */
export interface LabRun {
  readonly config: LabConfig;
  /** How to compute it anew. */
  readonly recipe: Recipe;
  /** Step of the last row. */
  readonly step: number;
  /** Step from which on the loss is not finite, or too large; null while it is not. */
  readonly divergedAt: number | null;
  /** Whether its last change can be taken back. */
  readonly undoable: boolean;
  /** Where it went on from at its last change; undefined where that is its start. */
  readonly origin: Checkpoint | undefined;
  /** The rows of the last block, until the next. */
  readonly rows: { readonly schema: Schema; readonly columns: Block; readonly length: number };
  /** Rows that are kept, and how many steps stand between two of them, about. */
  readonly kept: Pick<History, 'rows' | 'stride'>;
  /** A value of the last row; NaN where there is none. */
  last(column: string): number;
  /** The same of a column of words. */
  word(column: string): string;
  /** Computes so many rows more, at most 4,096. */
  advance(rows: number): void;
  /**
   * Goes on from here with other parameters of the optimizer, or with another optimizer, at the
   * same weights. The row behind the last one is still that of the step before.
   * @throws ConfigError naming the first that cannot be used
   */
  change(options: LabOptions): void;
  /** Goes back to where it was before the last change; false where none is known. */
  undo(): boolean;
  /** All that another run needs to go on from here. */
  checkpoint(): string;
  /** What a file of it would tell of it, if it ended here; undefined before its first row. */
  summary(): object | undefined;
  /** Its rows, with a summary in place of the one as it stands now. */
  table(summary?: object): TableSource;
  /** Ends it: the next runs take its memory, and nothing may be read of its tables any more. */
  release(): void;
}

/** How it stood before a change. */
interface Before {
  readonly options: LabOptions;
  readonly config: LabConfig;
  readonly at: Checkpoint;
  readonly after: Snapshot;
  readonly origin: Checkpoint | undefined;
}

/** A run that has gone on elsewhere: where it stands, and how it came there. */
export interface Fork {
  readonly checkpoint: string;
  readonly recipe: Recipe;
}

/**
 * Starts a run in the digits of the command line: the same source, operators and rows, without an
 * end.
 *
 * @param from another run, from which this one goes on
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function labRun(first: LabOptions, from?: Fork): LabRun {
  const model = labModel(first);
  let options = from ? from.recipe.changes.reduce(changed, first) : first;
  let config = model.resolve(options);
  let start = from && decodeCheckpoint(from.checkpoint);
  let origin = start;
  let after: Snapshot = {};
  let divergedAt: number | null = null;
  let changes: readonly Change[] = from?.recipe.changes ?? [];
  let before: readonly Before[] = [];
  let work: { next(rows: number): void } | undefined;
  let schema: Schema = [];
  let kept: History | undefined;
  /** The block that came last, and its length. */
  let block: Block = {};
  let length = 0;

  function begin(first: number) {
    const { source, operators } = model.begin(config, start);
    const all = blocks(source, operators, MOST_ROWS, first);
    const threshold = new Float64Array(MOST_ROWS).fill(stabilityOf(config).threshold(config.eta));
    return {
      next(rows: number) {
        const { done, value: batch } = all.next(rows);
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

  /** From the last row on, for a change of parameters. */
  function stand(): void {
    after = lasting(after);
    if (Object.keys(after).length > 0) start = decodeCheckpoint(text());
    work = undefined;
  }

  function summary(): object | undefined {
    const found = summaryAt(after, { interrupted: divergedAt === null, divergedAt });
    return found && withoutEnd(found);
  }

  const text = () => encodeCheckpoint(step() + 1, after);
  const last = (column: string) =>
    length > 0 ? (block[column]?.[length - 1] ?? Number.NaN) : (kept?.last(column) ?? Number.NaN);
  const step = () => last('step');

  return {
    get config() {
      return config;
    },
    get recipe() {
      return { options: first, changes };
    },
    get step() {
      return step();
    },
    get divergedAt() {
      return divergedAt;
    },
    get undoable() {
      return before.length > 0;
    },
    get origin() {
      return origin;
    },
    get rows() {
      return { schema, columns: block, length };
    },
    get kept() {
      return { rows: kept?.rows ?? 0, stride: kept?.stride ?? 1 };
    },
    last,
    word: (column) => schema.find(({ name }) => name === column)?.words?.[last(column)] ?? '',
    advance(rows) {
      if (divergedAt !== null) return;
      const size = Math.min(rows, MOST_ROWS);
      work ??= begin(size);
      work.next(size);
    },
    change(said) {
      const now = withOptions(options, said);
      const next = model.resolve(now);
      stand();
      const at = start;
      if (at) {
        // What is changed again before the next step was never used.
        const again = changes.at(-1)?.after === step() && before.length > 0;
        const all = again ? { ...changes.at(-1)!.options, ...said } : said;
        changes = [...(again ? changes.slice(0, -1) : changes), { after: step(), options: all }];
        if (!again)
          before = [...before.slice(1 - MOST_CHANGES), { options, config, at, after, origin }];
        const last = before.at(-1)!;
        const { summarize: _, ...stages } = last.at.stages;
        const going = { ...last.at, stages };
        start = next.optimizer === last.config.optimizer ? going : model.under(next, going);
        origin = start;
      }
      config = next;
      options = now;
      divergedAt = null;
    },
    undo() {
      const last = before.at(-1);
      if (!last) return false;
      kept?.cut(changes.at(-1)!.after);
      before = before.slice(0, -1);
      changes = changes.slice(0, -1);
      ({ options, config, at: start, after, origin } = last);
      length = 0;
      divergedAt = null;
      work = undefined;
      return true;
    },
    // Where nothing was computed since a change, it goes on from what that made of the last row.
    checkpoint: () => (start && !work ? encodeStored(start) : text()),
    summary,
    table(known = summary()) {
      return (kept ?? history([STEP], 'step')).table({
        // It has no end: the number of steps would be taken for one.
        'eos.config': JSON.stringify({ ...config, steps: undefined }),
        ...(kept && kept.stride > 1 ? { 'eos.peaks': 'kept' } : {}),
        'eos.changes': changes.map((change) => change.after).join(','),
        ...(known ? { 'eos.summary': JSON.stringify(known) } : {}),
      });
    },
    release: () => kept?.release(),
  };
}

/** A snapshot without the source that it is of, whose memory it would hold on to. */
const lasting = (after: Snapshot): Snapshot =>
  Object.fromEntries(
    Object.entries(after).map(([name, stage]) => {
      const state = stage.state();
      return [name, { ...stage, state: () => state }];
    }),
  );

const encodeStored = ({ rows, stages }: Checkpoint): string =>
  encodeCheckpoint(
    rows,
    Object.fromEntries(
      Object.entries(stages).map(([name, stage]) => [name, { state: () => stage as StageState }]),
    ),
  );

const changed = (options: LabOptions, change: Change): LabOptions =>
  withOptions(options, change.options);

/** That it stands says nothing of a run that has no end. */
function withoutEnd(summary: object): object {
  const { warnings = [] } = summary as { readonly warnings?: readonly { readonly kind: string }[] };
  return { ...summary, warnings: warnings.filter(({ kind }) => kind !== 'interrupted') };
}
