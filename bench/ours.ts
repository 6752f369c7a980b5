// Our pipeline on the same work as its peers.
//
//   node ours.js W1 STEPS LAMBDA2        every column of a run, no file: the loop alone
//   node ours.js W1-rx STEPS LAMBDA2     the same through the pipeline
// node ours.js W3 STEPS LAMBDA2 RUNS   many runs, one after the other, only each run's summary kept
import type { ColumnArray } from '../src/pipeline/core/schema.ts';
import {
  classifySharpness,
  compiledDescent,
  detectPhases,
  flowSolution,
  type ModelBatch,
  type RunConfig,
  runBlocks,
  splitLoss,
} from '../src/pipeline/index.ts';
import { runsToResults } from '../src/pipeline/sweep/run-result.ts';
import { openSweep, sweepSpec } from '../src/pipeline/sweep/sweep.ts';
import { PROBES, report, startClock } from './protocol.ts';

/** The values at the probed steps, kept while the blocks pass. */
function probe(steps: number): {
  look(batch: ModelBatch): void;
  readonly check: Record<string, number>;
} {
  const check: Record<string, number> = {};
  return {
    check,
    look({ length, columns }) {
      const first = columns.step[0]!;
      for (const step of [...PROBES, steps]) {
        if (step < first || step >= first + length) continue;
        for (const [name, values] of Object.entries<ColumnArray>(columns)) {
          if (name !== 'step') check[`${step}.${name}`] = values[step - first]!;
        }
      }
    },
  };
}

/** The loop alone: one block of arrays, used again. */
function kernelColumns(steps: number, lambda2: number): Record<string, number> {
  const { look, check } = probe(steps);
  for (const block of runBlocks({ preset: 'paper', lambda2, steps })) look(block);
  return check;
}

/** The same through RxJS. */
async function pipelineColumns(steps: number, lambda2: number): Promise<Record<string, number>> {
  const { look, check } = probe(steps);
  await compiledDescent({ preset: 'paper', lambda2, steps })
    .pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases())
    .forEach(look);
  return check;
}

/** Learning rates and starts, each with each. */
function* sweepConfigs(runs: number, steps: number, lambda2: number): Generator<RunConfig> {
  const etas = Array.from({ length: 100 }, (_, i) => 1 / (12 + 0.48 * i));
  const weights = Array.from({ length: 100 }, (_, i) => 0.2 + 0.004 * i);
  const grid = openSweep(
    sweepSpec({
      preset: 'paper',
      lambda2: String(lambda2),
      eta: etas.join(','),
      init: weights.map((weight) => `${weight},0.1,${weight}`).join(';'),
      steps: String(steps),
    }),
  );
  for (let i = 0; i < runs; i++) yield grid.config((i % 100) * 100 + (Math.floor(i / 100) % 100));
}

/** Sums over all runs of each part of their summaries. */
function sweep(runs: number, steps: number, lambda2: number): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (name: string, value: number) => {
    sums[name] = (sums[name] ?? 0) + value;
  };
  for (const { result } of runsToResults(sweepConfigs(runs, steps, lambda2))) {
    const { summary } = result;
    const edge = summary.phases.filter(({ phase }) => phase === 'edge-of-stability');
    add('first_crossing', summary.first_crossing ?? -1);
    add('cycles', summary.cycles);
    add('diverged_at', summary.diverged_at ?? -1);
    add('convergence_time', summary.convergence_time.step ?? -1);
    add('phases', summary.phases.length);
    for (const { first_step } of summary.phases) add('phase_starts', first_step);
    for (const { first_step, last_step } of edge) add('edge_steps', last_step - first_step + 1);
    add('max_sharpness_ratio', summary.max_sharpness_ratio);
    add('final_loss', summary.final_loss);
    add('l_hat_slope', summary.l_hat_slope ?? 0);
    add('mean_l1_in_eos', summary.mean_l1_in_eos ?? 0);
    add('mean_l1_predicted', summary.mean_l1_predicted ?? 0);
  }
  return sums;
}

const [work, steps, lambda2] = [
  process.argv[2] ?? '',
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const runs = Number(process.argv[5] ?? 1);
const columns = work === 'W1-rx' ? pipelineColumns : kernelColumns;
const compute =
  work === 'W3' ? (n: number) => sweep(n, steps, lambda2) : () => columns(steps, lambda2);
// Let the compiler see the loops first, as the other contenders do: JAX compiles and takes W3
// whole.
if (work === 'W3') sweep(runs, steps, lambda2);
else await columns(200_000, lambda2);
const taken = startClock();
const check = await compute(runs);
report({ work, ...taken(), steps: runs * steps, check });
