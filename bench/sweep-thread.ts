// A thread of the bare kernel: each n-th run of the sweep, its summary thrown away.
import { parentPort, workerData } from 'node:worker_threads';
import { runsToResults } from '../src/pipeline/sweep/run-result.ts';
import { openSweep, type SweepSpec } from '../src/pipeline/sweep/sweep.ts';

const { spec, index, of } = workerData as { spec: SweepSpec; index: number; of: number };
const sweep = openSweep(spec);
let steps = 0;
for (const { result } of runsToResults(configs())) steps += result.summary.last_step + 1;
parentPort!.postMessage(steps);

function* configs() {
  for (let i = index; i < sweep.runs; i += of) yield sweep.config(i);
}
