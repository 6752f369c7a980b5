// A thread of the bare kernel: each n-th run of the sweep, its summary thrown away.
import { parentPort, workerData } from 'node:worker_threads';
import { runToResult } from '../src/pipeline/sweep/run-result.ts';
import { openSweep, type SweepSpec } from '../src/pipeline/sweep/sweep.ts';

const { spec, index, of } = workerData as { spec: SweepSpec; index: number; of: number };
const sweep = openSweep(spec);
let steps = 0;
for (let i = index; i < sweep.runs; i += of)
  steps += runToResult(sweep.config(i))!.summary.last_step + 1;
parentPort!.postMessage(steps);
