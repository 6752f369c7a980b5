import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { lastValueFrom, type MonoTypeOperatorFunction, type Observable, tap } from 'rxjs';
import type { Batch } from '../pipeline/core/batch.ts';
import { duration, plural, rate } from '../pipeline/format.ts';
import { parseNumber } from '../pipeline/models/minimal/config.ts';
import { type FileTarget, fileTarget, openTargets, PARTIAL } from '../pipeline/node/file-target.ts';
import { JOURNAL } from '../pipeline/node/journal.ts';
import {
  detectMeasuredPhases,
  type MeasuredEvent,
} from '../pipeline/operators/detect-measured-phases.ts';
import { relateToThreshold } from '../pipeline/operators/relate-to-threshold.ts';
import type { SeriesOptions } from '../pipeline/phases/measured/detector.ts';
import type { DurabilityOptions } from '../pipeline/sinks/table-sink.ts';
import type { GivenColumns } from '../pipeline/sources/training-log/column-names.ts';
import { type EtaSchedule, parseEta } from '../pipeline/sources/training-log/eta-schedule.ts';
import { LogError } from '../pipeline/sources/training-log/log-error.ts';
import { LOG_FORMATS, type LogFormat } from '../pipeline/sources/training-log/sniff.ts';
import {
  type LogConfig,
  type LogOptions,
  type LogRun,
  logConfig,
  logRows,
} from '../pipeline/sources/training-log/training-log.ts';
import { logEventLines } from './detect-lines.ts';
import { EXIT, UsageError } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { checkOutput } from './output-file.ts';
import { ReaderGone, watchPipes } from './pipes.ts';
import { reading } from './reader/reading.ts';
import { runFileMetadata } from './run-file.ts';
import { createProgress, styles } from './terminal.ts';

export interface DetectRequest {
  readonly log: string;
  /** Further files of the same run, joined on the step. */
  readonly others?: readonly string[];
  readonly eta: string | undefined;
  readonly columns: GivenColumns;
  readonly format: string | undefined;
  readonly stride: number | undefined;
  readonly run: number | undefined;
  readonly follow: boolean;
  /** What ends the following at the end of the log. */
  readonly until?: AbortSignal;
  readonly optimizer: string | undefined;
  readonly beta: number | undefined;
  readonly dampening?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly threshold?: string | undefined;
  readonly pattern?: string | undefined;
  readonly band: number | undefined;
  readonly detector: { readonly [K in keyof SeriesOptions]?: number | undefined };
  readonly out: string | undefined;
  readonly arrow: string | undefined;
  /** Milliseconds after which rows are safe from a crash, and shown by who follows the file. */
  readonly flushEvery: number;
  readonly force: boolean;
  readonly logFormat: 'text' | 'json';
  readonly quiet: boolean;
}

/** Carries out `eos detect`; resolves with the exit code. */
export async function detectRun(request: DetectRequest): Promise<number> {
  // A detection makes short-lived objects by the row: in the nursery that other commands make do
  // with, collecting them would take a quarter of its time. Later versions are told neither.
  if (Number.parseInt(process.versions.node, 10) < 25)
    setFlagsFromString('--semi-space-growth-factor=2');
  const options: LogOptions = {
    eta: await etaOf(request.eta),
    columns: definedOf(request.columns),
    format: formatOf(request.format),
    stride: request.stride,
    run: request.run,
    optimizer: request.optimizer,
    beta: request.beta,
    dampening: request.dampening,
    weightDecay: request.weightDecay,
    expression: request.threshold,
    pattern: request.pattern,
    band: request.band,
    detector: definedOf(request.detector),
    secondRun: request.follow ? 'end' : 'refuse',
  };
  if (request.follow && request.log === '-') {
    throw new UsageError(
      '--follow: standard input is followed anyway; name a file, or leave the flag out',
    );
  }
  const name = request.log === '-' ? 'stdin' : request.log;
  const config = logConfig(name, options);
  const files = await outputFiles(request, config);

  const say = !request.quiet && request.logFormat === 'text';
  const progress = createProgress(0);
  const paint = styles(process.stderr);
  const start = performance.now();
  let rows = 0;
  let done: MeasuredEvent | undefined;
  const show = (event: MeasuredEvent) => {
    if (request.quiet) return;
    if (request.logFormat === 'json') process.stdout.write(`${JSON.stringify(event)}\n`);
    else for (const line of logEventLines(event, paint)) progress.line(line);
  };
  const interrupt = onInterrupt(() => {
    if (say) progress.line('interrupted: closing the files (once more to end at once)');
  });
  const pipes = watchPipes(files.length === 0);

  try {
    const input = await reading().openLog([request.log, ...(request.others ?? [])], {
      follow: request.follow,
      ...(request.until && { until: request.until }),
      signal: interrupt.signal,
      onWait: () => {
        if (say) progress.line(`waiting for ${name}`);
      },
    });
    const targets = await openTargets(files.map(({ path }) => fileTarget(path)));
    const sinks = await Promise.all(
      files.map((file, i) => sinkOf(file, targets[i]!, request.flushEvery, show)),
    );
    const labelled: Observable<Batch<unknown, LogRun>> = logRows(input, options, {
      signal: interrupt.signal,
    }).pipe(
      tap(pipes.check),
      relateToThreshold(),
      // The run is done when its files are closed, not before.
      detectMeasuredPhases((event) => {
        if (event.event === 'done') done = event;
        else show(event);
      }),
    );
    const written = sinks.reduce((stream, sink) => stream.pipe(sink), labelled);
    await lastValueFrom(written.pipe(tap(({ length }) => (rows += length))), {
      defaultValue: undefined,
    });
    if (done) show(done);
    if (say) {
      const seconds = (performance.now() - start) / 1000;
      const took = `${plural(rows, 'row')} in ${duration(seconds)}`;
      const speed = `${rate(rows / seconds)} rows/s`;
      for (const { path } of files) progress.line(`wrote ${path}: ${took}, ${speed}`);
    }
    await pipes.settled();
    return interrupt.exitCode() ?? EXIT.done;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done;
    const code = interrupt.exitCode();
    // Its reader was let go of before it had opened the log.
    if (error instanceof LogError && code !== undefined) return code;
    if (error instanceof LogError) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  } finally {
    progress.stop();
    interrupt.release();
    pipes.release();
    // A pipe that nobody reads any more must not keep the process alive.
    if (request.log === '-') process.stdin.destroy();
  }
}

interface OutputFile {
  readonly flag: 'out' | 'arrow';
  readonly path: string;
}

async function outputFiles(request: DetectRequest, config: LogConfig): Promise<OutputFile[]> {
  const { out, arrow, force, log } = request;
  const files: OutputFile[] = [];
  if (out !== undefined) files.push({ flag: 'out', path: out });
  if (arrow !== undefined) files.push({ flag: 'arrow', path: arrow });
  if (out !== undefined && arrow !== undefined && resolve(out) === resolve(arrow)) {
    throw new UsageError(
      `--arrow: ${arrow} is the Parquet file already; give the Arrow file another name`,
    );
  }
  for (const { flag, path } of files) {
    if (log !== '-' && resolve(path) === resolve(log)) {
      throw new UsageError(`--${flag}: ${path} is the log itself; give another name`);
    }
    if (log === '-' && !force) await refuseLeftover(flag, path);
    await checkOutput(flag, path, await asFound(path, config, request), { force });
  }
  return files;
}

/**
 * What came through a pipe cannot be read again: rows that are left of it must not be written over.
 */
async function refuseLeftover(flag: string, path: string): Promise<void> {
  const partial = path + PARTIAL;
  if (!(await stat(partial + JOURNAL).catch(() => undefined))) return;
  throw new UsageError(
    `--${flag}: ${partial} holds rows of a detection that did not end; get them with eos ` +
      'recover, or --force to lose them',
  );
}

/** What a log itself says of its run. */
const TOLD = ['framework', 'preconditioned', 'eigenvalues', 'told'] as const;
const TOLD_OF_THE_OPTIMIZER: readonly (keyof LogConfig)[] = [
  'optimizer',
  'beta',
  'threshold',
  'dampening',
  'weight_decay',
  'threshold_expression',
];

/**
 * The configuration with what an earlier detection found in the log, so that the same command can
 * be repeated.
 */
async function asFound(
  path: string,
  config: LogConfig,
  { optimizer, beta, dampening, weightDecay, threshold }: DetectRequest,
): Promise<LogConfig> {
  const metadata = (await runFileMetadata(path + PARTIAL)) ?? (await runFileMetadata(path));
  try {
    const stored = JSON.parse(metadata?.['eos.config'] ?? '{}') as Partial<LogConfig>;
    const { format, eta } = stored;
    const known = config.eta !== null || config.eta_schedule !== null;
    const given = [optimizer, beta, dampening, weightDecay, threshold];
    const told = given.every((option) => option === undefined) ? TOLD_OF_THE_OPTIMIZER : [];
    const said = [...TOLD, ...told].filter((name) => stored[name] !== undefined);
    return {
      ...config,
      format: format ?? null,
      eta: known ? config.eta : (eta ?? null),
      ...Object.fromEntries(said.map((name) => [name, stored[name]])),
    };
  } catch {
    return config;
  }
}

async function sinkOf(
  { flag, path }: OutputFile,
  target: FileTarget,
  flushEvery: number,
  show: (event: MeasuredEvent) => void,
): Promise<MonoTypeOperatorFunction<Batch<unknown, LogRun>>> {
  const durability: DurabilityOptions = {
    flushEvery,
    onFlush: (flushed) => show({ event: 'flush', file: path, ...flushed }),
  };
  if (flag === 'arrow') {
    const { arrowSink } = await import('../pipeline/formats/arrow/arrow-sink.ts');
    return arrowSink(target, durability);
  }
  const { parquetSink } = await import('../pipeline/formats/parquet/parquet-sink.ts');
  return parquetSink(target, durability);
}

async function etaOf(text: string | undefined): Promise<EtaSchedule | undefined> {
  if (text === undefined) return undefined;
  if (Number.isNaN(parseNumber(text)) && (await stat(text).catch(() => undefined))?.isFile()) {
    const content = await readFile(text, 'utf8');
    return parseEta(content.includes('\n') ? content : `${content}\n`);
  }
  return parseEta(text);
}

function formatOf(text: string | undefined): LogFormat | undefined {
  if (text === undefined) return undefined;
  const format = LOG_FORMATS.find((known) => known === text);
  if (format) return format;
  throw new UsageError(`--format: '${text}' is none of ${LOG_FORMATS.join(', ')}`);
}

function definedOf<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
