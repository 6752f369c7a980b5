import { blocks } from '../core/operator.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
import { classifySharpness } from '../operators/classify-sharpness.ts';
import { detectPhases } from '../operators/detect-phases.ts';
import { summarize } from '../operators/summarize.ts';
import { descentRows } from '../sources/descent/descent-rows.ts';
import { type KernelResult, summarizeDescents, takesRun } from './summary-kernel.ts';

/** What a sweep keeps of a run. */
export interface RunResult {
  readonly config: RunConfig;
  /** The very summary that `eos stream` writes into the run's file. */
  readonly summary: RunSummary;
  /** Sharpness S of the last row. */
  readonly finalSharpness: number;
  /** S∞(θ₀): sharpness of the minimum where gradient flow from the start would end. */
  readonly startSolutionSharpness: number;
}

/** Rows a block: small enough to stay in a core's own cache, and of no influence on any digit. */
const ROWS = 1024;

/** A run of several, and what it took. */
export interface TimedResult<R = RunResult> {
  readonly result: R;
  readonly seconds: number;
  /** Rows of the run that `proceed` was told of. */
  readonly told: number;
}

/**
 * Runs gradient descent to its end and keeps the summary alone, in the digits of the stream's,
 * without files and without a stream.
 *
 * @param proceed asked now and then with the rows since; false gives the run up
 * @returns undefined where the run was given up
 */
export function runToResult(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): RunResult | undefined {
  for (const { result } of runsToResults([config], proceed)) return result;
  return undefined;
}

/**
 * `runToResult` of many runs, in their order; several are under way at a time.
 *
 * @param configs read as there is room for another run
 * @param proceed asked now and then with the rows of all since; false gives up what is under way
 */
export function* runsToResults(
  configs: Iterable<RunConfig>,
  proceed: (rows: number) => boolean = () => true,
): Generator<TimedResult> {
  const done = new Map<number, TimedResult>();
  let stopped = false;
  const goesOn = (rows: number) => {
    stopped ||= !proceed(rows);
    return !stopped;
  };
  let next = 0;
  function* inOrder(): Generator<TimedResult> {
    for (let result = done.get(next); result; result = done.get(++next)) {
      done.delete(next);
      yield result;
    }
  }
  for (const { index, config, result, seconds, told } of summarizeDescents(taken(), goesOn)) {
    if (result) done.set(index, { result: runResult(config, result), seconds, told });
    else generalWay(index, config, told);
    yield* inOrder();
  }
  yield* inOrder();

  /** Those runs that the kernel takes; the others are done on the way. */
  function* taken(): Generator<{ readonly index: number; readonly config: RunConfig }> {
    let index = 0;
    for (const config of configs) {
      if (stopped) return;
      if (takesRun(config)) yield { index, config };
      else generalWay(index, config, 0);
      index++;
    }
  }

  function generalWay(index: number, config: RunConfig, before: number): void {
    const start = performance.now();
    let told = before;
    const result = summarizeRows(config, (rows) => {
      told += rows;
      return goesOn(rows);
    });
    if (!result) return;
    const seconds = (performance.now() - start) / 1000;
    done.set(index, { result: runResult(config, result), seconds, told });
  }
}

function runResult(config: RunConfig, { summary, finalSharpness }: KernelResult): RunResult {
  const [alpha, beta1, beta2] = config.init;
  const start = balance({ alpha, beta1, beta2 });
  const startSolutionSharpness = solutionSharpness(start, config.moments, spectrum(config.moments));
  return { config, summary, finalSharpness, startSolutionSharpness };
}

/** The summary of any run: the stream's own source and operators as a plain loop. */
function summarizeRows(
  config: RunConfig,
  proceed: (rows: number) => boolean,
): KernelResult | undefined {
  const rows = descentRows(config);
  const chain = [classifySharpness(), detectPhases(), summarize()];
  let finalSharpness = Number.NaN;
  for (const { columns, length } of blocks(rows, chain, ROWS)) {
    if (length > 0) finalSharpness = columns.sharpness![length - 1]!;
    if (!rows.ended && !proceed(length)) return undefined;
  }
  return { summary: rows.run.summary!, finalSharpness };
}
