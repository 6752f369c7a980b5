import { bytesOf } from '../core/base64.ts';
import { AMPLE_DIGITS, TRUSTED_DIGITS } from '../models/minimal/agreement.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import {
  type DescentState,
  descend,
  initialState,
  startResidual,
  TINY,
} from '../models/minimal/descend.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { sharpness } from '../models/minimal/sharpness.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import {
  COARSE_PHASES,
  emptyTally,
  type RunSummary,
  summaryOf,
  type Tally,
} from '../models/minimal/summary.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';
import { stabilityOf } from '../optimizers/index.ts';
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
  shadows(): number;
}

let compiled: WebAssembly.Module | undefined;

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
const STATE = 0;
const STEP = 1;
const CHANGES = NUMBERS.indexOf('changes');
const RUNNING = 0;
const DIVERGED = 2;
const UNFIT = 3;

/** Numbers of a run with its shadow, of two runs in pairs. */
const SHADOW_STATE = [
  ...['step', 'alpha', 'mantissa', 'beta2', 'residual'],
  ...['shadowAlpha', 'shadowMantissa', 'shadowBeta2', 'agreed'],
] as readonly (keyof DescentState)[];

/** Blocks of 64 rows between two questions whether to go on. */
const BLOCKS = 2 ** 14;

/** Runs that are followed once more with their shadows, at once. */
const FOLLOWED = 8;

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
  /** Step and phase of each change of phase, one behind the other. */
  readonly changes: number[];
  seconds: number;
  told: number;
}

interface Finished extends Job {
  readonly tally: Tally;
  readonly theta: { readonly alpha: number; readonly beta1: number; readonly beta2: number };
  readonly diverged: boolean;
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
  const [alpha, beta1, beta2] = init.map(Math.abs);
  const under = (size: number, least: number) => size !== 0 && size < least;
  // Below TINY the source carries β₁ with an exponent of its own, which the kernel does not.
  return !under(alpha!, SCARCE) && !under(beta2!, SCARCE) && !under(beta1!, TINY);
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
  const kernel = startKernel();
  const jobs = [0, 1, 2, 3].map((lane) => nextJob(kernel, lane, runs));
  let toFollow: Finished[] = [];
  while (jobs.some(Boolean) || toFollow.length > 0) {
    if (toFollow.length >= FOLLOWED || !jobs.some(Boolean)) {
      const followed = toFollow;
      toFollow = [];
      const trusted = trustHorizons(kernel, followed, proceed);
      if (!trusted) return;
      for (const [i, run] of followed.entries())
        yield summarized(run, { ...run.tally, trustedUntil: trusted[i]! });
      continue;
    }
    const start = performance.now();
    const early = kernel.advance(BLOCKS);
    const seconds = (performance.now() - start) / 1000 / jobs.filter(Boolean).length;
    const ended: Job[] = [];
    for (const [lane, job] of jobs.entries()) {
      if (!job) continue;
      job.seconds += seconds;
      const numbers = new Float64Array(kernel.memory.buffer, kernel.numbers(lane), NUMBERS.length);
      const count = 2 * numbers[CHANGES]!;
      job.changes.push(...new Float64Array(kernel.memory.buffer, kernel.changes(lane), count));
      kernel.forgetChanges(lane);
      if (numbers[STATE] === RUNNING) continue;
      ended.push(job);
      if (numbers[STATE] === UNFIT) yield { ...job, result: undefined };
      else {
        const run = finished(job, numbers);
        if (run.lastWide >= 0 && run.lastEdge >= 0) toFollow.push(run);
        else yield summarized(run, run.tally);
      }
      jobs[lane] = nextJob(kernel, lane, runs);
    }
    if (!early && !proceed(rowsSince(kernel, jobs))) return;
  }
}

/** Begins the next run in a lane; undefined where there is none. */
function nextJob(
  kernel: Kernel,
  lane: number,
  runs: Iterator<Pick<Job, 'index' | 'config'>>,
): Job | undefined {
  const { done, value } = runs.next();
  if (done) {
    // What is far from where anything happens.
    kernel.start(lane, -1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1);
    return undefined;
  }
  const { config } = value;
  const { eta, delta, epsilon, floor, steps, moments, init } = config;
  const { lambda1, lambda2 } = moments;
  const stability = stabilityOf(config);
  const [alpha, beta1, beta2] = init;
  kernel.start(
    lane,
    ...[steps, eta, lambda1, lambda2, floor, epsilon],
    ...[stability.threshold(eta), stability.threshold(eta, delta)],
    edgeAlpha(lambda1, eta, stability),
    ...[alpha, beta1, beta2, startResidual(alpha, beta2)],
  );
  return { ...value, changes: [], seconds: 0, told: 0 };
}

/** Rows of the runs under way of which nobody has been told. */
function rowsSince(kernel: Kernel, jobs: readonly (Job | undefined)[]): number {
  let rows = 0;
  for (const [lane, job] of jobs.entries()) {
    if (!job) continue;
    const step = new Float64Array(kernel.memory.buffer, kernel.numbers(lane), STEP + 1)[STEP]!;
    rows += step - job.told;
    job.told = step;
  }
  return rows;
}

function finished(job: Job, numbers: Float64Array): Finished {
  const { config, changes } = job;
  const at = Object.fromEntries(NUMBERS.map((name, i) => [name, numbers[i]!])) as Record<
    (typeof NUMBERS)[number],
    number
  >;
  const spans: Tally['spans'] = [];
  for (let i = 0; i < changes.length; i += 2) {
    const next = changes[i + 2];
    spans.push({
      phase: COARSE_PHASES[changes[i + 1]!]!,
      first_step: changes[i]!,
      last_step: next === undefined ? at.lastStep : next - 1,
    });
  }
  const edges = spans.filter(({ phase }) => phase === 'edge-of-stability');
  const { moments, eta } = config;
  const theta = { alpha: at.alpha, beta1: at.beta1, beta2: at.beta2 };
  const end = solutionSharpness(balance(theta), moments, spectrum(moments));
  const { maxSharpness, lastViolation, lastStep, finalLoss, cycles, edgeSteps } = at;
  const { n, x0, y0, sumX, sumY, sumXX, sumXY, sumL1, sumPredicted } = at;
  return {
    ...job,
    theta,
    diverged: at.state === DIVERGED,
    lastWide: at.lastWide,
    lastEdge: edges.at(-1)?.last_step ?? -1,
    tally: {
      ...emptyTally(),
      spans,
      firstCrossing: edges[0]?.first_step ?? null,
      lastGfsRatio: stabilityOf(config).ratio(end, eta),
      ...{ maxSharpness, lastViolation, lastStep, finalLoss, cycles, edgeSteps },
      ...{ n, x0, y0, sumX, sumY, sumXX, sumXY, sumL1, sumPredicted },
    },
  };
}

function summarized(run: Finished, tally: Tally): Summarized {
  const { index, config, seconds, told, theta, diverged } = run;
  const summary = summaryOf(tally, config, stabilityOf(config), {
    divergedAt: diverged ? tally.lastStep + 1 : null,
    float64ZeroAt: null,
    interrupted: false,
    bits: null,
  });
  const finalSharpness = sharpness(theta, spectrum(config.moments));
  return { index, config, seconds, told, result: { summary, finalSharpness } };
}

/**
 * For each of the runs the last step before digits fall under three, null where they do not: they
 * are taken once more with their shadows, up to the last wide swing, and on to the end of the last
 * edge phase while that has left few digits. Undefined where they are given up.
 */
function trustHorizons(
  kernel: Kernel,
  runs: readonly Finished[],
  proceed: (rows: number) => boolean,
): (number | null)[] | undefined {
  const horizons: (number | null)[] = runs.map(() => null);
  const lanes: (number | undefined)[] = [];
  let next = 0;
  const begin = (lane: number) => {
    const run = runs[next];
    lanes[lane] = run && next++;
    const { eta, floor, moments, init } = run?.config ?? IDLE;
    const [alpha, beta1, beta2] = init;
    kernel.startShadow(
      lane,
      ...[eta, moments.lambda1, moments.lambda2, floor],
      ...[run?.lastWide ?? -1, run?.lastEdge ?? -1],
      ...[alpha, beta1, beta2, startResidual(alpha, beta2)],
    );
  };
  begin(0);
  begin(1);
  while (lanes.some((each) => each !== undefined)) {
    const start = performance.now();
    const ended = kernel.follow(BLOCKS);
    const seconds = (performance.now() - start) / 1000;
    if (ended === 0 && !proceed(0)) return undefined;
    for (const [lane, index] of lanes.entries()) {
      if (index === undefined) continue;
      const run = runs[index]!;
      run.seconds += seconds / lanes.filter((each) => each !== undefined).length;
      const few = (ended & (1 << lane)) !== 0;
      if (few) horizons[index] = horizon(run, shadowedState(kernel, lane, run.config));
      if (few || (ended & (4 << lane)) !== 0) begin(lane);
    }
  }
  return horizons;
}

const IDLE = {
  eta: 1,
  floor: 1,
  moments: { lambda1: 1, lambda2: 1, covariance: 0 },
  init: [0, 1, 0],
} as const;

function shadowedState(kernel: Kernel, lane: number, config: RunConfig): DescentState {
  const count = 2 * SHADOW_STATE.length;
  const pairs = new Float64Array(kernel.memory.buffer, kernel.shadows(), count);
  const numbers = SHADOW_STATE.map((name, i) => [name, pairs[2 * i + lane]!]);
  return { ...initialState(config), ...(Object.fromEntries(numbers) as Partial<DescentState>) };
}

const ROWS = 128;
const rows = {
  step: new Float64Array(ROWS),
  alpha: new Float64Array(ROWS),
  beta1: new Float64Array(ROWS),
  beta2: new Float64Array(ROWS),
  log10_abs_beta1: new Float64Array(ROWS),
  loss: new Float64Array(ROWS),
  l2: new Float64Array(ROWS),
  grad_norm: new Float64Array(ROWS),
  digits: new Int32Array(ROWS),
};

/** Where digits fall under three, from a row on in which they are few. */
function horizon({ config, lastWide, lastEdge }: Finished, state: DescentState): number | null {
  while (state.divergedAt === null && state.step <= lastEdge) {
    const first = state.step;
    const wide = first <= lastWide;
    if (!wide && state.agreed >= AMPLE_DIGITS) return null;
    descend(config, state, Math.min(ROWS, (wide ? lastWide : lastEdge) - first + 1), rows);
    for (let i = 0; i < state.step - first; i++)
      if (rows.digits[i]! < TRUSTED_DIGITS) return first + i - 1;
  }
  return null;
}
