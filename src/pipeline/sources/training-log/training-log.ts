import { Observable } from 'rxjs';
import type { Batch } from '../../core/batch.ts';
import { aNumber, aText, being, choosing, wholeFrom } from '../../core/guard.ts';
import { isPlain } from '../../core/is-plain.ts';
import { ConfigError } from '../../core/parameters.ts';
import { startRun } from '../../core/run.ts';
import type { Column, ColumnArray } from '../../core/schema.ts';
import { stabilityThreshold, type ThresholdOptions } from '../../optimizers/thresholds.ts';
import { MEASURED_COLUMNS, MEASUREMENT_COLUMNS } from '../../phases/measured/columns.ts';
import { SERIES_DEFAULTS, type SeriesOptions } from '../../phases/measured/detector.ts';
import type { MeasuredRun, MeasuredSummary } from '../../phases/measured/summary.ts';
import { NOT_FINITE } from './cell.ts';
import { doubtsOf, type GivenColumns } from './column-names.ts';
import { createEtaLookup, type EtaSchedule } from './eta-schedule.ts';
import { type FeedOptions, feed, type LogInput, type LogSource } from './feed.ts';
import { createTally, LogError, SecondRunError, type Tally } from './log-error.ts';
import { createOrderedRows } from './order-rows.ts';
import { AT, type RowBlock, type RowField } from './row-block.ts';
import type { RunHeader } from './run-header.ts';
import { LOG_FORMATS, type LogFormat } from './sniff.ts';
import { createThresholdCheck } from './threshold-check.ts';

/** What a caller may say of a log. */
export interface LogOptions extends ThresholdOptions {
  /** Wins over a column of the log, and that over `params.eta` of a JSON document. */
  readonly eta?: EtaSchedule | undefined;
  readonly columns?: GivenColumns | undefined;
  readonly format?: LogFormat | undefined;
  /** Regular expression with groups named step, loss, sharpness and eta, for lines of text. */
  readonly pattern?: string | undefined;
  /** Steps between rows that do not say their step; 1 unless given. */
  readonly stride?: number | undefined;
  /** Which of several runs in the log to take, from 1. */
  readonly run?: number | undefined;
  /**
   * What to do where a second run begins and none was chosen: refuse the log (the default), or end
   * with the first.
   */
  readonly secondRun?: 'refuse' | 'end' | undefined;
  /** Half-width of the regime `edge` around ratio 1. */
  readonly band?: number | undefined;
  readonly detector?: Partial<SeriesOptions> | undefined;
}

/** Every parameter of a detection, as used. */
export interface LogConfig {
  readonly source: 'training-log';
  readonly log: string;
  readonly format: LogFormat | null;
  /** The one learning rate of the run; null where it is a schedule, a column or unknown. */
  readonly eta: number | null;
  readonly eta_schedule: EtaSchedule | null;
  readonly optimizer: string;
  readonly beta: number;
  readonly threshold: string;
  readonly dampening: number;
  readonly weight_decay: number;
  /** The threshold as it was given; null where it is the optimizer's. */
  readonly threshold_expression: string | null;
  readonly columns: GivenColumns;
  readonly run: number | null;
  readonly band: number;
  readonly delta: number;
  readonly detector: SeriesOptions;
  /** Whether the log says that its sharpness is that of the preconditioned Hessian. */
  readonly preconditioned?: boolean;
  readonly eigenvalues?: number;
  /** Whether steps are known to be made by mini-batches. */
  readonly batches?: boolean;
  /** What the log tells of its measurements besides the sharpness: columns of the file. */
  readonly told?: readonly string[];
  /** What the training ran in, where the log says it. */
  readonly framework?: string;
}

export interface LogRun extends MeasuredRun {
  config: LogConfig;
  readonly tally: Tally;
}

/**
 * Key of what has been left out of a log, in the metadata of a file whose detection has not ended.
 */
export const SKIPPED_KEY = 'eos.skipped';
/** … and of which of its columns was taken as what. */
export const TAKEN_KEY = 'eos.taken';

const LOG_ORDER = MEASURED_COLUMNS.flatMap(({ name }) =>
  name === 'sharpness' ? [name, ...MEASUREMENT_COLUMNS.map((column) => column.name)] : [name],
);

/** A detection before its first row. */
export function startLogRun(config: LogConfig, tally: Tally = createTally()): LogRun {
  const { stability } = stabilityThreshold({
    optimizer: config.optimizer,
    beta: config.beta,
    dampening: config.dampening,
    weightDecay: config.weight_decay,
    expression: config.threshold_expression ?? undefined,
  });
  return {
    ...startRun<LogConfig, MeasuredSummary>(config, stability, LOG_ORDER),
    title: config.log,
    rereadable: true,
    tally,
    warnings: [],
    metadata: (ended) =>
      ended
        ? {}
        : {
            [SKIPPED_KEY]: JSON.stringify(tally.entries),
            [TAKEN_KEY]: JSON.stringify(tally.columns),
          },
  };
}

export type LogColumns = Readonly<Record<string, ColumnArray>> & {
  readonly step: Float64Array;
  readonly eta: Float64Array;
  readonly loss: Float64Array;
  readonly sharpness: Float64Array;
};

export type LogBatch = Batch<LogColumns, LogRun>;

/**
 * The whole configuration of a detection. Format and learning rate may yet be found in the log.
 * @throws ConfigError
 */
export function logConfig(log: string, options: LogOptions): LogConfig {
  const threshold = stabilityThreshold(options);
  const detector = { ...SERIES_DEFAULTS, ...options.detector };
  const etas = options.eta?.etas ?? [];
  return {
    source: 'training-log',
    log,
    format: null,
    eta: etas.length === 1 ? etas[0]! : null,
    eta_schedule: options.eta && etas.length > 1 ? options.eta : null,
    optimizer: threshold.optimizer,
    beta: threshold.beta,
    threshold: threshold.formula,
    dampening: options.dampening ?? 0,
    weight_decay: options.weightDecay ?? 0,
    threshold_expression: options.expression ?? null,
    columns: options.columns ?? {},
    run: options.run ?? null,
    band: options.band ?? 0.05,
    delta: detector.delta,
    detector,
  };
}

export interface LogSourceOptions {
  /** Ends the run as if the log ended here. */
  readonly signal?: AbortSignal | undefined;
}

/** What the log itself gives; operators add the rest. */
const SOURCE_COLUMNS = MEASURED_COLUMNS.filter(({ name }) =>
  ['step', 'eta', 'loss', 'sharpness'].includes(name),
);

/** Rows a batch, at least, while more are at hand. */
const BATCH = 8192;
/** Milliseconds without new bytes after which the rows that wait are passed on. */
const IDLE = 15;
/** … and the longest that any of them waits while bytes keep coming. */
const LONGEST_WAIT = 40;
/** A log can be read again: what is safe of it needs no state of any stage. */
const AFTER = {};

/**
 * The rows of a training log, in order, as batches with `step`, `eta`, `loss` and `sharpness`. A
 * cold Observable: each subscription reads the input once. Rows are passed on in large batches
 * while bytes come fast, and after 40 ms at most, so that a live log is followed line by line.
 *
 * Errors with a `LogError` that names the line where the log cannot be used; lines that can be left
 * out are counted in `run.tally`.
 */
export function trainingLog(
  input: LogInput,
  options: LogOptions = {},
  sourceOptions: LogSourceOptions = {},
): Observable<LogBatch> {
  checkLog(input, options, sourceOptions);
  return logRows(input, options, sourceOptions);
}

const LOG_OPTIONS = choosing({
  columns: being('an object of names of columns', isPlain),
  eta: being("a schedule; give parseEta('0.1')", (eta) => Array.isArray(Object(eta).etas)),
  format: being(`one of ${LOG_FORMATS.join(', ')}`, (format) =>
    LOG_FORMATS.some((known) => known === format),
  ),
  optimizer: aText,
  beta: aNumber,
  dampening: aNumber,
  weightDecay: aNumber,
  expression: aText,
  pattern: aText,
  band: aNumber,
  detector: being('an object of options of the detector', isPlain),
  run: wholeFrom(1),
  secondRun: aText,
  stride: wholeFrom(1),
});

const LOG_SOURCE_OPTIONS = choosing({
  signal: being('an AbortSignal', (signal) => typeof Object(signal).aborted === 'boolean'),
});

function checkLog(input: unknown, options: unknown, sourceOptions: unknown): void {
  const { name, chunks }: { readonly name?: unknown; readonly chunks?: object } = Object(input);
  if (typeof name !== 'string' || typeof chunks !== 'object' || !(Symbol.asyncIterator in chunks))
    throw new TypeError(
      'trainingLog: the input is not a log; give { name, chunks }, bytes as they come, or ' +
        'openLog() of eos-stream/node',
    );
  LOG_OPTIONS('trainingLog: options', options);
  LOG_SOURCE_OPTIONS('source', sourceOptions);
}

/** The same of a log that may be read elsewhere. */
export function logRows(
  input: LogSource,
  options: LogOptions,
  { signal }: LogSourceOptions,
): Observable<LogBatch> {
  const asked = logConfig(input.name, options);

  return new Observable((subscriber) => {
    const run = startLogRun({ ...asked });
    const { tally } = run;
    const rows = createOrderedRows(tally, { stride: options.stride ?? 1, run: options.run });
    const lookup = options.eta ? createEtaLookup(options.eta) : null;
    let eta = Number.NaN;
    let passed = 0;
    const found = { loss: false, sharpness: false };
    const thresholds = createThresholdCheck();
    let schema: readonly Column[] | undefined;
    /** Whether the optimizer is stochastic gradient descent, by an option or by the log. */
    let sgd = /^sgd$/i.test(options.optimizer ?? '');
    /** Whether eos_watch wrote the log, which measures later than it begins. */
    let watched = false;

    /** Takes over what the log says of its run, where no option says it. */
    function configure(said: RunHeader): void {
      const { eta: rate, preconditioned, framework, eigenvalues, ...header } = said;
      const known = Object.entries({ preconditioned, framework, eigenvalues });
      Object.assign(
        run.config,
        Object.fromEntries(known.filter(([, value]) => value !== undefined)),
      );
      watched = framework !== undefined;
      if (rate !== undefined && !lookup) {
        eta = rate;
        Object.assign(run.config, { eta });
      }
      const { optimizer, beta, weightDecay, dampening, expression } = options;
      const given = [optimizer, beta, weightDecay, dampening, expression];
      if (header.optimizer === undefined || given.some((option) => option !== undefined)) return;
      sgd = /^sgd$/i.test(header.optimizer);
      try {
        const own = stabilityThreshold(header);
        Object.assign(run.config, {
          optimizer: own.optimizer,
          beta: own.beta,
          threshold: own.formula,
          dampening: header.dampening ?? 0,
          weight_decay: header.weightDecay ?? 0,
          threshold_expression: header.expression ?? null,
        });
        Object.assign(run, { stability: startLogRun(run.config).stability });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        run.warnings.push({
          kind: 'columns',
          step: 0,
          message:
            `the threshold of ${header.optimizer} is not known: 2/η is used; give it with ` +
            '--threshold',
        });
      }
    }

    const feeding: FeedOptions = {
      format: options.format,
      pattern: options.pattern,
      given: options.columns ?? {},
      said: configure,
      found({ format, eta: documentEta }) {
        Object.assign(run.config, { format });
        if (lookup || documentEta === null) return;
        eta = documentEta;
        Object.assign(run.config, { eta });
      },
    };
    const work =
      'feed' in input ? input.feed(rows, tally, feeding) : feed(input, rows, tally, feeding);

    const emit = async (all: boolean) => {
      for (;;) {
        const block = rows.take(all);
        if (!block) return;
        passed += block.length;
        const columns = columnsOf(block);
        schema ??= begin();
        subscriber.next({
          run,
          length: block.length,
          schema,
          columns,
          after: AFTER,
        });
        await run.ready();
        if (subscriber.closed) return;
      }
    };

    /**
     * The columns of the file: what the log is known to tell of its measurements belongs to them.
     */
    function begin(): readonly Column[] {
      const told = toldColumns(tally, watched);
      if (told.length > 0) Object.assign(run.config, { told: told.map(({ name }) => name) });
      // What PyTorch calls SGD may take all samples; who names it here, or logs batches, does not.
      const named = /^sgd$/i.test(options.optimizer ?? '');
      if (named || tally.columns.batch_sharpness !== undefined)
        Object.assign(run.config, { batches: true });
      return [...SOURCE_COLUMNS, ...told];
    }

    /** Of gradient descent with batches it is the batch sharpness that settles at the threshold. */
    function comparesBatches(): boolean {
      const { batch_sharpness: batch } = tally.columns;
      if (batch === undefined || options.columns?.sharpness !== undefined) return false;
      if (tally.columns.sharpness !== undefined && run.config.optimizer !== 'gd') return false;
      tally.column('sharpness', batch);
      return true;
    }

    function columnsOf({ length, line, columns }: RowBlock): LogColumns {
      const step = columns[AT.step]!;
      const loss = columns[AT.loss]!;
      const etas = columns[AT.eta]!;
      const sharpness = columns[comparesBatches() ? AT.batch_sharpness : AT.sharpness]!;
      const measured: Partial<Record<RowField, Float64Array>> = {
        sharpness_error: columns[AT[errorOf(tally)]]!,
        // "l1" alone may be any sum of absolute values.
        ...((watched || tally.columns.edge_directions !== undefined) && {
          l1: columns[AT.l1]!,
          l1_leading: columns[AT.l1_leading]!,
          edge_directions: columns[AT.edge_directions]!,
        }),
      };
      for (const [name, values] of Object.entries(measured))
        for (let i = 0; i < length; i++) {
          if (Number.isNaN(values[i]!) || (values[i]! >= 0 && values[i] !== NOT_FINITE)) continue;
          tally.value(`${name} is not a number from 0 up`, line[i]!);
          values[i] = Number.NaN;
        }
      for (let i = 0; i < length; i++) {
        if (!Number.isNaN(loss[i]!)) found.loss = true;
        if (!Number.isNaN(sharpness[i]!)) found.sharpness = true;
        if (lookup) etas[i] = lookup(step[i]!);
        else if (etas[i]! >= 0 && etas[i]! < Number.POSITIVE_INFINITY) eta = etas[i]!;
        else {
          if (!Number.isNaN(etas[i]!))
            tally.value('learning rate is not a number from 0 up', line[i]!);
          etas[i] = eta;
        }
        if (sharpness[i] === NOT_FINITE) {
          sharpness[i] = Number.NaN;
          tally.value('sharpness is not a finite number', line[i]!);
        }
        if (loss[i] === NOT_FINITE) tally.value('loss is not a finite number', line[i]!);
        if (Number.isNaN(etas[i]!) && !Number.isNaN(sharpness[i]!)) {
          throw new LogError(
            'the learning rate is not known; give it with --eta 0.01, a schedule --eta ' +
              '0:0.1,1000:0.01, or a column --eta-col NAME',
            line[i]!,
          );
        }
      }
      thresholds.look(columns[AT.threshold]!, etas, step, length, run.stability);
      return { step, eta: etas, loss, sharpness, ...measured };
    }

    const endOfRun = (error: unknown) => {
      if (!(error instanceof SecondRunError) || options.secondRun !== 'end') throw error;
      run.warnings.push({
        kind: 'second-run',
        step: error.line ?? 0,
        message: `${error.message}: ended before it`,
      });
      return 'ended' as const;
    };

    const read = async () => {
      const aborted = new Promise<'aborted'>((resolve) => {
        if (signal?.aborted) resolve('aborted');
        else signal?.addEventListener('abort', () => resolve('aborted'), { once: true });
      });
      let next = work.next();
      let waitingSince = Number.NaN;
      for (;;) {
        const got = await (rows.ready >= 0
          ? orIdle(next, aborted)
          : Promise.race([next, aborted])
        ).catch(endOfRun);
        if (subscriber.closed) return;
        if (got === 'aborted') {
          run.interrupted = true;
          break;
        }
        if (got === 'idle') {
          waitingSince = Number.NaN;
          await emit(true);
          continue;
        }
        if (got === 'ended' || got.done) break;
        next = work.next();
        next.catch(() => {});
        if (rows.ready < 1) continue;
        const now = performance.now();
        if (Number.isNaN(waitingSince)) waitingSince = now;
        if (rows.ready >= BATCH || now - waitingSince > LONGEST_WAIT) {
          waitingSince = Number.NaN;
          await emit(false);
        }
        if (subscriber.closed) return;
      }
      rows.end();
      await emit(true);
      if (!run.interrupted) {
        if (passed === 0) throw nothingUsable(tally);
        for (const field of ['loss', 'sharpness'] as const) {
          const asked = options.columns?.[field];
          if (asked !== undefined && !found[field]) {
            throw new LogError(
              `nothing stands at ${asked} (asked for as the ${field}) in any line`,
            );
          }
        }
      }
      const doubts = doubtsOf(tally.columns, options.columns ?? {});
      for (const message of [...doubts, ...thresholds.doubts(tally.columns.threshold, run.config)])
        run.warnings.push({ kind: 'columns', step: 0, message });
      const sharpness = options.columns?.sharpness ?? tally.columns.sharpness;
      if (sgd && sharpness && !/batch/i.test(sharpness))
        run.warnings.push({
          kind: 'columns',
          step: 0,
          message:
            'with batches it is the batch sharpness that settles at 2/η (arXiv:2412.20553), and ' +
            `λ_max below it: what ${sharpness} says of the edge is not sure`,
        });
      if (!subscriber.closed) subscriber.complete();
    };

    read().catch((error: unknown) => subscriber.error(error));
    return () => {
      // The reader may be waiting for bytes that never come; it is let go, not waited for.
      work.return(undefined).catch(() => {});
    };
  });
}

/** The field that is the error bar of what is compared. */
function errorOf({ columns }: Tally): 'sharpness_error' | 'batch_sharpness_error' {
  return /batch/i.test(columns.sharpness ?? '') ? 'batch_sharpness_error' : 'sharpness_error';
}

function toldColumns(tally: Tally, watched: boolean): readonly Column[] {
  const { columns } = tally;
  const { l1, l1_leading, edge_directions } = columns;
  const told = {
    sharpness_error: columns[errorOf(tally)],
    ...(edge_directions !== undefined && { l1, l1_leading, edge_directions }),
  };
  return MEASUREMENT_COLUMNS.filter(
    ({ name }) => watched || (told as Tally['columns'])[name] !== undefined,
  );
}

function nothingUsable(tally: Tally): LogError {
  const [first] = tally.entries;
  if (!first) return new LogError('it holds no rows');
  return new LogError(
    `${first.reason}; the log holds not a single row that can be used (name its columns with ` +
      '--loss-col and --sharpness-col, its format with --format)',
    first.first_line,
  );
}

/** The next piece of work, or `idle` where it takes its time. */
async function orIdle<T>(
  next: Promise<T>,
  aborted: Promise<'aborted'>,
): Promise<T | 'idle' | 'aborted'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<'idle'>((resolve) => {
    timer = setTimeout(resolve, IDLE, 'idle');
  });
  try {
    return await Promise.race([next, aborted, idle]);
  } finally {
    clearTimeout(timer);
  }
}
