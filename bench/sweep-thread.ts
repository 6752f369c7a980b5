// A thread of the bare kernel: each n-th run of the sweep, its summary thrown away; of networks the
// rows alone.
import { parentPort, workerData } from 'node:worker_threads';
import { blocks } from '../src/pipeline/core/operator.ts';
import {
  type NetworkConfig,
  networkOptions,
  setupNetwork,
} from '../src/pipeline/models/network/config.ts';
import { networkRows } from '../src/pipeline/sources/descent/network-descent.ts';
import { type AnySpec, type AnySweep, openAnySweep } from '../src/pipeline/sweep/any-sweep.ts';
import { SWEEP_READS } from '../src/pipeline/sweep/network-result.ts';
import { runsToResults } from '../src/pipeline/sweep/run-result.ts';

const { spec, index, of } = workerData as { spec: AnySpec; index: number; of: number };
const sweep: AnySweep = openAnySweep(spec);
let steps = 0;
if (sweep.model === 'minimal') {
  for (const { result } of runsToResults(configs(sweep))) steps += result.summary.last_step + 1;
} else {
  for (const config of configs(sweep))
    for (const { length } of blocks(rowsOf(config), [], 1024)) steps += length;
}
parentPort!.postMessage(steps);

/** As in a sweep: without checkpoints, and without columns that nobody reads. */
function rowsOf(config: NetworkConfig) {
  return networkRows(setupNetwork(networkOptions(config)), {}, false, SWEEP_READS);
}

function* configs<C>({ runs, config }: { readonly runs: number; config(index: number): C }) {
  for (let i = index; i < runs; i += of) yield config(i);
}
