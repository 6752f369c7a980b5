import { resolve } from 'node:path';
import { lastValueFrom, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { pickColumns } from '../pipeline/columns.ts';
import { type RunConfig, type RunOptions, resolveConfig } from '../pipeline/config.ts';
import { classifySharpness } from '../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../pipeline/operators/split-loss.ts';
import { summarize } from '../pipeline/operators/summarize.ts';
import { thin } from '../pipeline/operators/thin.ts';
import { fileTarget } from '../pipeline/sinks/node/file-target.ts';
import { phaseLog, type RunEvent } from '../pipeline/sinks/phase-log.ts';
import { gradientDescent, type ModelBatch } from '../pipeline/source/gradient-descent.ts';
import { createCollector } from './collector.ts';
import { EXIT, UsageError } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { eventLines } from './log-lines.ts';
import { checkOutput } from './output-file.ts';
import { count, createProgress, duration, rateText, styles } from './terminal.ts';

export interface StreamRequest {
  readonly options: RunOptions;
  readonly out: string | undefined;
  readonly arrow: string | undefined;
  readonly writer: 'hyparquet' | 'parquetjs-lite';
  readonly logFormat: 'text' | 'json';
  readonly pace: number | undefined;
  readonly quiet: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** Carries out `eos stream`; resolves with the exit code. */
export async function streamRun(request: StreamRequest): Promise<number> {
  const config = resolveConfig(request.options);
  const files = await outputFiles(request, config);
  const sinks = await Promise.all(files.map((file) => sinkOf(file, request, config)));

  const pipe = watchPipes();
  const say = !request.quiet && request.logFormat === 'text';
  const progress = createProgress(config.steps);
  const paint = styles(process.stderr);
  const collect = createCollector();
  const start = performance.now();
  let rows = 0;
  let done: RunEvent | undefined;

  const show = (event: RunEvent) => {
    if (request.logFormat === 'json') process.stdout.write(`${JSON.stringify(event)}\n`);
    else if (say) for (const line of eventLines(event, paint)) progress.line(line);
  };
  const interrupt = onInterrupt(() => {
    if (say) progress.line('interrupted: closing the files (once more to end at once)');
  });

  try {
    const steps = gradientDescent(request.options, {
      signal: interrupt.signal,
      ...(request.pace === undefined ? {} : { pace: request.pace }),
    }).pipe(
      tap(pipe.check),
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      phaseLog((event) => {
        // The run is done when its files are closed, not before.
        if (event.event === 'done') done = event;
        else show(event);
      }),
      tap(({ run }) => {
        if (say) progress.update(run.state.step);
        collect();
      }),
    );
    const thinned = steps.pipe(thin(config.every));
    const written = sinks.reduce((stream, sink) => stream.pipe(sink), thinned);
    await lastValueFrom(written.pipe(tap(({ length }) => (rows += length))));
    progress.stop();
    if (done) show(done);
    if (say && done?.event === 'done') {
      const seconds = (performance.now() - start) / 1000;
      const speed = `${rateText((done.last_step + 1) / seconds)} steps/s`;
      for (const { path } of files)
        progress.line(`wrote ${path}: ${count(rows)} rows in ${duration(seconds)} (${speed})`);
    }
    pipe.check();
    return interrupt.exitCode() ?? EXIT.done;
  } finally {
    progress.stop();
    interrupt.release();
    pipe.release();
  }
}

interface OutputFile {
  readonly flag: 'out' | 'arrow';
  readonly path: string;
}

async function outputFiles({ out, arrow, dryRun, force }: StreamRequest, config: RunConfig): Promise<OutputFile[]> {
  if (dryRun) return [];
  if (out === undefined) {
    throw new UsageError('--out: no file was named; give --out FILE.parquet, or --dry-run to write none');
  }
  if (arrow !== undefined && resolve(out) === resolve(arrow)) {
    throw new UsageError(`--arrow: ${arrow} is the Parquet file already; give the Arrow file another name`);
  }
  const files: OutputFile[] = [{ flag: 'out', path: out }];
  if (arrow !== undefined) files.push({ flag: 'arrow', path: arrow });
  for (const { flag, path } of files) await checkOutput(flag, path, config, force);
  return files;
}

async function sinkOf(
  { flag, path }: OutputFile,
  { writer }: StreamRequest,
  config: RunConfig,
): Promise<MonoTypeOperatorFunction<ModelBatch>> {
  const columns = pickColumns(config.columns);
  if (flag === 'arrow') {
    const { arrowSink } = await import('../pipeline/sinks/arrow.ts');
    return arrowSink(fileTarget(path), { columns });
  }
  const { parquetSink } = await import('../pipeline/sinks/parquet.ts');
  if (writer === 'hyparquet') return parquetSink(fileTarget(path), { columns });
  const { parquetjsFormat } = await import('../pipeline/sinks/node/parquetjs.ts');
  return parquetSink(fileTarget(path), { columns, format: parquetjsFormat });
}

/** A reader that goes away ends the run, and nothing half-written stays. */
function watchPipes(): { check: () => void; release: () => void } {
  let broken: Error | undefined;
  const note = (error: Error) => {
    broken ??= error;
  };
  process.stdout.on('error', note);
  process.stderr.on('error', note);
  return {
    check() {
      if (broken) throw broken;
    },
    release() {
      process.stdout.off('error', note);
      process.stderr.off('error', note);
    },
  };
}
