import { bytesOf } from '../core/base64.ts';
import { COARSE_PHASES } from '../models/minimal/coarse-phases.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { startResidual, TINY } from '../models/minimal/descend.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { rowContext } from '../models/minimal/row-agreement.ts';
import { sharpness } from '../models/minimal/sharpness.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import { type RunSummary, summaryOf, type Tally } from '../models/minimal/summary.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';
import { gd } from '../optimizers/gd.ts';
import { KERNEL_BYTES } from './kernel-bytes.ts';

/** What the WebAssembly module of kernel/ offers; addresses are in bytes. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  start(lane: number, steps: number, ...parameters: number[]): void;
  advance(blocks: number): number;
  numbers(lane: number): number;
  changes(lane: number): number;
  forgetChanges(lane: number): void;
  startShadow(lane: number, ...parameters: number[]): void;
  follow(blocks: number): number;
  trustedUntil(lane: number): number;
}

/** A run in the kernel: its numbers and changes of phase, as they stand in its memory. */
interface Lane {
  readonly kernel: Kernel;
  readonly lane: number;
  readonly numbers: Float64Array;
  readonly changes: Float64Array;
  job: Job | undefined;
}

const LANES = 4;
let compiled: WebAssembly.Module | undefined;
/** Kernels that nobody uses now. */
const idle: Kernel[] = [];

function startKernel(): Kernel {
  compiled ??= new WebAssembly.Module(bytesOf(KERNEL_BYTES));
  return new WebAssembly.Instance(compiled).exports as unknown as Kernel;
}

/** Numbers of a run as they stand in the kernel's memory. */
const NUMBERS = [
  ...['state', 'lastStep', 'steps', 'alpha', 'beta1', 'beta2', 'finalLoss', 'cycles'],
  ...['maxSharpness', 'lastWide', 'lastViolation', 'edgeSteps', 'changes', 'n', 'x0', 'y0'],
  ...['sumX', 'sumY', 'sumXX', 'sumXY', 'sumL1', 'sumPredicted'],
] as const;
const at = Object.fromEntries(NUMBERS.map((name, i) => [name, i])) as Readonly<
  Record<(typeof NUMBERS)[number], number>
>;
const RUNNING = 0;
const DIVERGED = 2;
const UNFIT = 3;

/** Of all runs that the kernel takes. */
const STABILITY = gd.stability({});

/** Changes of phase for which there is room. */
const MOST_CHANGES = 1024;

/** Blocks of 64 rows between two questions whether to go on. */
const BLOCKS = 2 ** 14;

/** Runs that are followed once more with their shadows, at once. */
const FOLLOWED = 32;

export interface KernelResult {
  readonly summary: RunSummary;
  /** Sharpness S of the last row. */
  readonly finalSharpness: number;
}

/** A run as it was taken, and what has become of it. */
export interface Summarized {
  /** Number of the run, in the order in which they were taken. */
  readonly index: number;
  readonly config: RunConfig;
  /** Undefined for a run whose β₁ leaves the range of float64: it takes the general way. */
  readonly result: KernelResult | undefined;
  /** Its share of the time, in seconds. */
  readonly seconds: number;
  /** Rows of it that `proceed` was told of. */
  readonly told: number;
}

interface Job {
  readonly index: number;
  readonly config: RunConfig;
  readonly spans: Tally['spans'];
  seconds: number;
  told: number;
}

interface Finished {
  readonly job: Job;
  readonly tally: Tally;
  readonly finalSharpness: number;
  readonly divergedAt: number | null;
  readonly lastWide: number;
  /** Last step at the edge of stability; −1 where there is none. */
  readonly lastEdge: number;
}

/** Below this products of components lose digits to underflow. */
const SCARCE = 2 ** -500;

/**
 * Whether the kernel takes a run: gradient descent in float64 without covariance, λ₁ ≥ 2λ₂, from a
 * start that float64 holds with all digits.
 */
export function takesRun({ precision, optimizer, moments, init }: RunConfig): boolean {
  if (precision !== 'float64' || optimizer !== 'gd') return false;
  if (moments.covariance !== 0 || moments.lambda1 < 2 * moments.lambda2) return false;
  const [alpha, beta1, beta2] = init;
  // Below TINY the source carries β₁ with an exponent of its own, which the kernel does not.
  return !isUnder(alpha, SCARCE) && !isUnder(beta2, SCARCE) && !isUnder(beta1, TINY);
}

function isUnder(value: number, least: number): boolean {
  return value !== 0 && Math.abs(value) < least;
}

/**
 * The summaries of runs, in the digits of the stream's, from a kernel that computes no column, two
 * runs at once; in the order in which they end.
 *
 * @param runs those that the kernel takes, asked for when there is room
 * @param proceed asked now and then with the rows since; false gives all up that is under way
 */
export function* summarizeDescents(
  runs: Iterator<Pick<Job, 'index' | 'config'>>,
  proceed: (rows: number) => boolean,
): Generator<Summarized> {
  const kernel = idle.pop() ?? startKernel();
  try {
    yield* withKernel(kernel, runs, proceed);
  } finally {
    idle.push(kernel);
  }
}

function* withKernel(
  kernel: Kernel,
  runs: Iterator<Pick<Job, 'index' | 'config'>>,
  proceed: (rows: number) => boolean,
): Generator<Summarized> {
  const { buffer } = kernel.memory;
  const lanes = Array.from({ length: LANES }, (_, lane): Lane => {
    const numbers = new Float64Array(buffer, kernel.numbers(lane), NUMBERS.length);
    const changes = new Float64Array(buffer, kernel.changes(lane), 2 * MOST_CHANGES);
    return { kernel, lane, numbers, changes, job: undefined };
  });
  for (const lane of lanes) begin(lane, runs);
  let active = lanes.filter(({ job }) => job);
  let toFollow: Finished[] = [];
  while (active.length > 0 || toFollow.length > 0) {
    if (toFollow.length >= FOLLOWED || active.length === 0) {
      const followed = toFollow;
      toFollow = [];
      if (!trustHorizons(kernel, followed, proceed)) return;
      for (const run of followed) yield summarized(run);
      continue;
    }
    const start = performance.now();
    const early = kernel.advance(BLOCKS);
    const seconds = (performance.now() - start) / 1000 / active.length;
    for (const lane of active) {
      const { numbers } = lane;
      const job = lane.job!;
      job.seconds += seconds;
      takeChanges(lane, job);
      if (numbers[at.state] === RUNNING) continue;
      if (numbers[at.state] === UNFIT) yield { ...job, result: undefined };
      else {
        const run = finished(job, numbers);
        if (run.lastWide >= 0 && run.lastEdge >= 0) toFollow.push(run);
        else yield summarized(run);
      }
      begin(lane, runs);
    }
    if (active.some(({ job }) => !job)) active = lanes.filter(({ job }) => job);
    if (!early && !proceed(rowsSince(active))) return;
  }
}

/** Begins the next run in a lane, if there is one. */
function begin(to: Lane, runs: Iterator<Pick<Job, 'index' | 'config'>>): void {
  const { kernel, lane } = to;
  const { done, value } = runs.next();
  if (done) {
    to.job = undefined;
    // What is far from where anything happens.
    kernel.start(lane, -1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1);
    return;
  }
  const { index, config } = value;
  const { eta, delta, epsilon, floor, steps, moments, init } = config;
  const { lambda1, lambda2 } = moments;
  const [alpha, beta1, beta2] = init;
  kernel.start(
    lane,
    steps,
    eta,
    lambda1,
    lambda2,
    floor,
    epsilon,
    STABILITY.threshold(eta),
    STABILITY.threshold(eta, delta),
    edgeAlpha(lambda1, eta, STABILITY),
    alpha,
    beta1,
    beta2,
    startResidual(alpha, beta2),
  );
  to.job = { index, config, spans: [], seconds: 0, told: 0 };
}

/** Makes spans of the changes of phase that have come since the last time. */
function takeChanges({ kernel, lane, numbers, changes }: Lane, { spans }: Job): void {
  const count = numbers[at.changes]!;
  for (let i = 0; i < count; i++) {
    const step = changes[2 * i]!;
    const last = spans.at(-1);
    if (last) last.last_step = step - 1;
    spans.push({
      phase: COARSE_PHASES[changes[2 * i + 1]!]!,
      first_step: step,
      last_step: step,
    });
  }
  if (count > 0) kernel.forgetChanges(lane);
}

/** Rows of the runs under way of which nobody has been told. */
function rowsSince(lanes: readonly Lane[]): number {
  let rows = 0;
  for (const { job, numbers } of lanes) {
    const step = numbers[at.lastStep]!;
    rows += step - job!.told;
    job!.told = step;
  }
  return rows;
}

function finished(job: Job, numbers: Float64Array): Finished {
  const { config, spans } = job;
  const lastStep = numbers[at.lastStep]!;
  spans.at(-1)!.last_step = lastStep;
  let firstCrossing: number | null = null;
  let lastEdge = -1;
  for (const { phase, first_step, last_step } of spans) {
    if (phase !== 'edge-of-stability') continue;
    firstCrossing ??= first_step;
    lastEdge = last_step;
  }
  const theta = {
    alpha: numbers[at.alpha]!,
    beta1: numbers[at.beta1]!,
    beta2: numbers[at.beta2]!,
  };
  const axes = spectrum(config.moments);
  const end = solutionSharpness(balance(theta), config.moments, axes);
  // Field by field: each run of a sweep comes by.
  const tally: Tally = {
    spans,
    firstCrossing,
    maxSharpness: numbers[at.maxSharpness]!,
    lastViolation: numbers[at.lastViolation]!,
    lastStep,
    finalLoss: numbers[at.finalLoss]!,
    cycles: numbers[at.cycles]!,
    zeroGfsRatio: null,
    lastGfsRatio: STABILITY.ratio(end, config.eta),
    trustedUntil: null,
    n: numbers[at.n]!,
    x0: numbers[at.x0]!,
    y0: numbers[at.y0]!,
    sumX: numbers[at.sumX]!,
    sumY: numbers[at.sumY]!,
    sumXX: numbers[at.sumXX]!,
    sumXY: numbers[at.sumXY]!,
    reference: Number.NaN,
    logReference: 0,
    edgeSteps: numbers[at.edgeSteps]!,
    sumL1: numbers[at.sumL1]!,
    sumPredicted: numbers[at.sumPredicted]!,
  };
  return {
    job,
    tally,
    finalSharpness: sharpness(theta, axes),
    divergedAt: numbers[at.state] === DIVERGED ? lastStep + 1 : null,
    lastWide: numbers[at.lastWide]!,
    lastEdge,
  };
}

function summarized({ job, tally, finalSharpness, divergedAt }: Finished): Summarized {
  const summary = summaryOf(tally, job.config, STABILITY, {
    divergedAt,
    float64ZeroAt: null,
    interrupted: false,
    bits: null,
  });
  const { index, config, seconds, told } = job;
  return { index, config, seconds, told, result: { summary, finalSharpness } };
}

/**
 * Finds for each of the runs the last step before digits fall under three, if they do: they are
 * taken once more with their shadows, up to the last wide swing, and on while that has left fewer
 * digits than what follows may take. @returns whether it was not stopped
 */
function trustHorizons(
  kernel: Kernel,
  runs: readonly Finished[],
  proceed: (rows: number) => boolean,
): boolean {
  const waiting = runs.values();
  const lanes = [0, 1].map((lane) => follow(kernel, lane, waiting.next().value));
  while (lanes[0] || lanes[1]) {
    const start = performance.now();
    const ended = kernel.follow(BLOCKS);
    const seconds = (performance.now() - start) / 1000;
    if (ended === 0 && !proceed(0)) return false;
    const share = lanes[0] && lanes[1] ? seconds / 2 : seconds;
    for (const [lane, run] of lanes.entries()) {
      if (!run) continue;
      run.job.seconds += share;
      if ((ended & (1 << lane)) === 0) continue;
      const trusted = kernel.trustedUntil(lane);
      run.tally.trustedUntil = trusted < 0 ? null : trusted;
      lanes[lane] = follow(kernel, lane, waiting.next().value);
    }
  }
  return true;
}

/** Begins a run with its shadow in a lane, where there is one. */
function follow(kernel: Kernel, lane: number, run: Finished | undefined): Finished | undefined {
  if (!run) {
    // What stays where it is.
    kernel.startShadow(lane, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, 0, 1, 0, -1);
    return undefined;
  }
  const { job, tally, lastWide, lastEdge } = run;
  const { eta, floor, moments, init } = job.config;
  const { edge, limits } = rowContext(job.config, STABILITY);
  const [alpha, beta1, beta2] = init;
  kernel.startShadow(
    lane,
    ...[eta, moments.lambda1, moments.lambda2, floor, edge, ...limits],
    ...[lastWide, lastEdge, tally.lastStep],
    ...[alpha, beta1, beta2, startResidual(alpha, beta2)],
  );
  return run;
}
