import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { lastValueFrom, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { count, duration, fileSize, plural, rate } from '../pipeline/format.ts';
import type { EncoderOf } from '../pipeline/formats/parquet/hyparquet.ts';
import type { Compression, Metadata, TableFormat } from '../pipeline/formats/table-format.ts';
import type { RunConfig } from '../pipeline/models/minimal/config.ts';
import type { ModelRun } from '../pipeline/models/minimal/run.ts';
import { type FileTarget, fileTarget, openTargets, PARTIAL } from '../pipeline/node/file-target.ts';
import { JOURNAL } from '../pipeline/node/journal.ts';
import type { MeasuredEvent } from '../pipeline/operators/detect-measured-phases.ts';
import { thin } from '../pipeline/operators/thin.ts';
import { stabilityOf } from '../pipeline/optimizers/index.ts';
import type { RunEvent } from '../pipeline/sinks/phase-log.ts';
import { checkOwnParameters, findTraining } from '../pipeline/sources/trainings/index.ts';
import type {
  Runs,
  Training,
  TrainingBatch,
  TrainingConfig,
  TrainingEvent,
} from '../pipeline/sources/trainings/training.ts';
import { loadDataOf } from './data-file.ts';
import type { DynamicsFile } from './dynamics-files.ts';
import { describeError, EXIT, UsageError } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { checkOutput } from './output-file.ts';
import { type Pipes, ReaderGone, watchPipes } from './pipes.ts';
import type { ResumedFile, ResumePlan, WholeRun } from './resume.ts';
import { ALSO_KEY } from './run-file.ts';
import type { TrainingOptions } from './run-options.ts';
import { createProgress, fold, type Styles, styles, timedLines } from './terminal.ts';
import type { SaidWeights, WeightsRequest } from './weights-file.ts';

export interface StreamRequest extends SaidWeights {
  readonly options: TrainingOptions;
  readonly out: string | undefined;
  readonly arrow: string | undefined;
  /** Names of dynamics to write into files of their own. */
  readonly also: readonly string[];
  readonly writer: 'hyparquet' | 'parquetjs-lite';
  readonly compression: Compression | undefined;
  readonly logFormat: 'text' | 'json';
  readonly pace: number | undefined;
  readonly quiet: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
  /** Milliseconds after which rows are safe from a crash. */
  readonly flushEvery: number;
  /** File of a run that is to be continued; `options` then say no more than the step to go to. */
  readonly resume: string | undefined;
}

/** Carries out `eos stream`; resolves with the exit code. */
export async function streamRun(request: StreamRequest): Promise<number> {
  const plan = await resumePlan(request);
  const options = plan?.options ?? request.options;
  const training = findTraining(options);
  checkOwnParameters(training, options);
  await loadDataOf(options);
  const runs = await training.open();
  const config = runs.resolve(options);
  if (plan?.whole) {
    const { also, weights } = plan;
    return finishAlongside({ ...request, also }, weights, config, runs, plan.whole);
  }
  const files = plan?.files.map(resumedOutput) ?? (await outputFiles(request, config));
  const noted = files.some(({ flag }) => flag === 'out') ? (plan?.also ?? []) : [];
  const also = request.also.length > 0 ? request.also : noted;
  const weights = plan ? plan.weights : await saidWeights(request);
  const alongside = await filesAlongside({ ...request, also }, weights, config, runs, files).catch(
    async (error: unknown) => {
      for (const { target } of plan?.files ?? []) await target.lock?.release();
      throw error;
    },
  );

  await tellSize(request, config, runs, files[0]?.path);
  const pipe = watchPipes(files.length === 0);
  const say = !request.quiet && request.logFormat === 'text';
  const progress = createProgress(config.steps);
  const paint = styles(process.stderr);
  const linesOf = await linesFor(training, config, paint);
  const events = request.out === STDOUT ? process.stderr : process.stdout;
  const start = performance.now();
  let rows = plan?.checkpoint?.rows ?? 0;
  let firstStep: number | undefined;
  let lastStep = 0;
  let done: TrainingEvent | undefined;

  const show = (event: TrainingEvent) => {
    if (request.quiet) return;
    if (request.logFormat === 'json') events.write(`${JSON.stringify(event)}\n`);
    else for (const line of linesOf(event)) progress.line(line);
  };
  const lines = timedLines(config.steps, (line) => {
    if (!process.stderr.isTTY) progress.line(line);
  });
  const interrupt = onInterrupt(() => {
    if (say) progress.line('interrupted: closing the files (once more to end at once)');
  });

  try {
    const targets = await openTargets(
      files.map(({ path, resumed }) => fileTarget(path, resumed?.target)),
    );
    const sinks = await Promise.all(
      files.map((file, i) =>
        sinkOf(file, targets[i]!, config, request, (flushed) => {
          show({ event: 'flush', file: file.path, ...flushed });
        }),
      ),
    );
    const source = {
      signal: interrupt.signal,
      ...(plan?.checkpoint ? { resume: plan.checkpoint } : {}),
      ...(request.pace === undefined ? {} : { pace: request.pace }),
    };
    const report = (event: TrainingEvent) => {
      // The run is done when its files are closed, not before.
      if (event.event === 'done') done = event;
      else show(event);
    };
    // Sinks copy what they keep.
    const steps = runs.rows(config, source, true).pipe(
      tap(pipe.check),
      tap(({ run }) => noteAlongside(run, alongside.noted)),
      tap(({ length, columns: { step }, run }) => {
        if (length > 0) {
          firstStep ??= step[0]!;
          lastStep = step[length - 1]!;
        }
        if (!say) return;
        const note = precisionNote(run);
        progress.update(lastStep + 1, note);
        lines.update(lastStep + 1, note);
      }),
      runs.pipeline(config, report, plan?.pipeline),
    );
    const thinned = plan?.pipeline ? steps : steps.pipe(thin(config.every));
    const streamed =
      request.out === STDOUT ? thinned.pipe(await arrowStdout(config, pipe)) : thinned;
    const written = sinks.reduce((stream, sink) => stream.pipe(sink), streamed);
    await lastValueFrom(written.pipe(tap(({ length }) => (rows += length))));
    progress.stop();
    if (done) show(done);
    if (say) {
      const seconds = (performance.now() - start) / 1000;
      const made = firstStep === undefined ? 0 : lastStep + 1 - firstStep;
      const speed = `${rate(made / seconds)} steps/s`;
      for (const { path } of files)
        progress.line(`wrote ${path}: ${plural(rows, 'row')} in ${duration(seconds)} (${speed})`);
    }
    await writeAlongside(alongside, interrupt.signal, say ? progress.line : undefined);
    await pipe.settled();
    return interrupt.exitCode() ?? EXIT.done;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done;
    throw await withRecovery(error, files);
  } finally {
    progress.stop();
    interrupt.release();
    pipe.release();
  }
}

/** Writes what an interrupt has kept from being written beside a run that is whole. */
async function finishAlongside(
  request: StreamRequest,
  weights: WeightsRequest | undefined,
  config: TrainingConfig,
  runs: Runs,
  { path, writer, compression }: WholeRun,
): Promise<number> {
  const run = { flag: 'out', path, writer, compression } as const;
  const alongside = await filesAlongside(request, weights, config, runs, [run]);
  const say = !request.quiet && request.logFormat === 'text';
  const { line } = createProgress(config.steps);
  const interrupt = onInterrupt(() => {});
  try {
    await writeAlongside(alongside, interrupt.signal, say ? line : undefined);
    return interrupt.exitCode() ?? EXIT.done;
  } finally {
    interrupt.release();
  }
}

async function writeAlongside(
  { files }: Alongside,
  signal: AbortSignal,
  say: ((line: string) => void) | undefined,
): Promise<void> {
  for (const { path, write } of files) {
    if (signal.aborted) return;
    const rows = await write(signal);
    if (rows !== undefined) say?.(`wrote ${path}: ${plural(rows, 'row')}`);
  }
}

/** What is said of arithmetic of many bits beside how far it is. */
export function precisionNote(run: object): string | undefined {
  const { bits = null, again } = run as Partial<ModelRun>;
  if (bits === null) return undefined;
  const anew = typeof again === 'number' ? `, again from the start: at step ${count(again)}` : '';
  return `${bits} bits${anew}`;
}

/**
 * Tells how large a run will be and how long it takes: of a dry run always, else where it is large.
 */
async function tellSize(
  { dryRun, quiet, logFormat, compression, out }: StreamRequest,
  config: TrainingConfig,
  runs: Runs,
  path: string | undefined,
): Promise<void> {
  const { estimateRun, mayBeLarge, sizeWarning } = await import('./run-estimate.ts');
  const width = config.columns?.length ?? runs.schema(config).length;
  if (
    quiet ||
    logFormat === 'json' ||
    out === STDOUT ||
    !(dryRun || (path && mayBeLarge(config, width)))
  )
    return;
  const estimate = await estimateRun(runs, config, compression);
  const { rows, bytes, seconds } = estimate;
  const text = dryRun
    ? `would write ${plural(rows, 'row')}, about ${fileSize(bytes)}, in ${duration(seconds)}`
    : await sizeWarning(estimate, path!);
  if (text !== undefined) for (const line of fold(text, 0)) process.stderr.write(`${line}\n`);
}

/** How the events of a model's runs are told in words. */
async function linesFor(
  { phases }: Training,
  config: TrainingConfig,
  paint: Styles,
): Promise<(event: TrainingEvent) => readonly string[]> {
  if (phases === 'exact') {
    const { eventLines } = await import('./log-lines.ts');
    const { formula } = stabilityOf(config);
    const predicts = (config as unknown as RunConfig).moments.covariance === 0;
    return (event) => eventLines(event as RunEvent, paint, formula, predicts);
  }
  const { logEventLines } = await import('./detect-lines.ts');
  return (event) => logEventLines(event as MeasuredEvent, paint);
}

async function saidWeights(request: StreamRequest): Promise<WeightsRequest | undefined> {
  if (request.weights === undefined && request.weightsEvery === undefined) return undefined;
  return (await import('./weights-file.ts')).weightsRequest(request);
}

/** The name that stands for standard output. */
const STDOUT = '-';

/** Writes rows to standard output as an Arrow stream. */
async function arrowStdout(
  { columns }: TrainingConfig,
  { print }: Pipes,
): Promise<MonoTypeOperatorFunction<TrainingBatch>> {
  const { arrowStream } = await import('../pipeline/formats/arrow/arrow-stream-sink.ts');
  return arrowStream(columns, print);
}

interface OutputFile {
  readonly flag: 'out' | 'arrow';
  readonly path: string;
  readonly writer: StreamRequest['writer'];
  readonly compression: Compression | undefined;
  /** Where its rows end, if it is continued. */
  readonly resumed?: ResumedFile;
}

async function resumePlan({
  resume,
  arrow,
  options,
  weights,
  weightsEvery,
}: StreamRequest): Promise<ResumePlan | undefined> {
  if (resume === undefined) return undefined;
  const { planResume } = await import('./resume.ts');
  const names = arrow === undefined ? [resume] : [resume, arrow];
  return planResume(names, options.steps, { weights, weightsEvery });
}

function resumedOutput(resumed: ResumedFile): OutputFile {
  const { kind, path, writer, start } = resumed;
  const compression = start.state.kind === 'parquet' ? start.state.compression : undefined;
  return { flag: kind === 'arrow' ? 'arrow' : 'out', path, writer, compression, resumed };
}

/** An error that ended the run, with how to get back what had been written by then. */
async function withRecovery(error: unknown, files: readonly OutputFile[]): Promise<unknown> {
  const { line, code } = describeError(error);
  if (code !== EXIT.failure) return error;
  const left: string[] = [];
  for (const { path } of files) {
    if (await stat(path + PARTIAL + JOURNAL).catch(() => undefined)) left.push(path + PARTIAL);
  }
  if (left.length === 0) return error;
  return new Error(
    `${line}; what had been written is safe: eos recover ${left.join(', eos recover ')}`,
  );
}

async function outputFiles(
  { out, arrow, dryRun, force, writer, compression }: StreamRequest,
  config: TrainingConfig,
): Promise<OutputFile[]> {
  if (dryRun) return [];
  if (out === undefined) {
    throw new UsageError(
      '--out: no file was named; give --out FILE.parquet, or --dry-run to write none',
    );
  }
  if (compression !== undefined && compression !== 'none' && writer !== 'hyparquet')
    throw new UsageError(`--compression: only hyparquet packs numbers, not ${writer}`);
  await formatOf(writer, compression).catch((error: unknown) => {
    throw new UsageError(`--${(error as Error).message}`);
  });
  if (arrow !== undefined && resolve(out) === resolve(arrow)) {
    throw new UsageError(
      `--arrow: ${arrow} is the Parquet file already; give the Arrow file another name`,
    );
  }
  if (out === STDOUT && process.stdout.isTTY)
    throw new UsageError('--out: standard output is a terminal; lead it into a program or a file');
  const how = { writer, compression };
  const files: OutputFile[] = out === STDOUT ? [] : [{ flag: 'out', path: out, ...how }];
  if (arrow !== undefined) files.push({ flag: 'arrow', path: arrow, ...how });
  for (const { flag, path } of files) await checkOutput(flag, path, config, { force });
  return files;
}

/** The file of a run says what is written beside it, for whoever continues it. */
function noteAlongside(run: TrainingBatch['run'], noted: Metadata): void {
  if (told.has(run)) return;
  told.add(run);
  const own = run.metadata?.bind(run);
  run.metadata = (ended) => ({ ...own?.(ended), ...noted });
}

const told = new WeakSet<TrainingBatch['run']>();

interface Alongside {
  readonly files: readonly DynamicsFile[];
  /** What the file of the run says of them. */
  readonly noted: Metadata;
}

/** The files that are written behind the run: dynamics beside it, and its weights. */
async function filesAlongside(
  request: StreamRequest,
  weights: WeightsRequest | undefined,
  config: TrainingConfig,
  runs: Runs,
  outputs: readonly OutputFile[],
): Promise<Alongside> {
  const { also, out, arrow, force, dryRun, resume, compression } = request;
  const { chosenDynamics, planDynamicsFiles } = await import('./dynamics-files.ts');
  const chosen = chosenDynamics(also);
  const main = outputs.find(({ flag }) => flag === 'out');
  if (chosen.length > 0 && !dryRun && (!main || out === STDOUT))
    throw new UsageError(
      '--also: each dynamics goes into a file of its own; give --out FILE.parquet',
    );
  const replace = { force, lengthened: resume !== undefined };
  const files: (DynamicsFile & { readonly flag: string })[] = [];
  if (main && !dryRun) {
    const format = await formatOf(main.writer, main.compression);
    const planned = await planDynamicsFiles(chosen, runs, config, main.path, format, replace);
    files.push(...planned.map((file) => ({ ...file, flag: 'also' })));
  }
  let noted: Metadata =
    files.length > 0 ? { [ALSO_KEY]: JSON.stringify(files.map(({ name }) => name)) } : {};
  if (weights) {
    const { notedWeights, planWeightsFile } = await import('./weights-file.ts');
    const packing = main ? main.compression : compression;
    const file = await planWeightsFile(weights, runs, config, packing, replace);
    if (!dryRun) files.push({ ...file, flag: 'weights' });
    if (main) noted = { ...noted, ...notedWeights(weights, main.path) };
  }
  const taken = new Map<string, string>(outputs.map(({ flag, path }) => [resolve(path), flag]));
  if (arrow !== undefined) taken.set(resolve(arrow), 'arrow');
  for (const { path, flag } of files) {
    const other = taken.get(resolve(path));
    if (other !== undefined)
      throw new UsageError(
        flag === 'also'
          ? `--also: ${path} is the Arrow file already; give the Arrow file another name`
          : `--weights: ${path} is that of --${other} already; give another name`,
      );
    taken.set(resolve(path), flag);
  }
  return { files, noted };
}

async function sinkOf(
  { flag, writer, compression, resumed }: OutputFile,
  target: FileTarget,
  config: TrainingConfig,
  { flushEvery }: StreamRequest,
  onFlush: (flushed: { readonly rows: number; readonly step: number }) => void,
): Promise<MonoTypeOperatorFunction<TrainingBatch>> {
  const { columns } = config;
  const options = { columns, flushEvery, onFlush, ...(resumed ? { from: resumed.start } : {}) };
  if (flag === 'arrow') {
    const { arrowSink } = await import('../pipeline/formats/arrow/arrow-sink.ts');
    return arrowSink(target, options);
  }
  const { parquetSink } = await import('../pipeline/formats/parquet/parquet-sink.ts');
  const rows = config.steps / config.every - (resumed?.start.rows ?? 0);
  const encoderOf =
    rows >= LONG_RUN && availableParallelism() > 1
      ? (await import('./encoder/encoder.ts')).startEncoder
      : undefined;
  const format = await formatOf(writer, compression, encoderOf);
  return parquetSink(target, { ...options, format });
}

/** Rows from which on a thread that encodes them takes less time than it takes to start. */
const LONG_RUN = 2_000_000;

/** What encodes the Parquet files of a run. */
async function formatOf(
  writer: StreamRequest['writer'],
  compression: Compression | undefined,
  encoderOf?: EncoderOf,
): Promise<TableFormat> {
  if (writer === 'parquetjs-lite')
    return (await import('../pipeline/node/parquetjs.ts')).parquetjsFormat;
  const { hyparquetFormat } = await import('../pipeline/formats/parquet/hyparquet.ts');
  return hyparquetFormat(compression, encoderOf);
}
