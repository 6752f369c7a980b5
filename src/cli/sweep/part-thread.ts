import { parentPort, workerData } from 'node:worker_threads';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import { readManifest, sweepFolder } from './folder.ts';
import { makePart } from './make-part.ts';
import type { PartOutcome, PartTask, ThreadData } from './thread-pool.ts';

// Runs in a thread of the pool.

const { path, control } = workerData as ThreadData;
const folder = sweepFolder(path);
const stop = new Int32Array(control, 0, 1);
const steps = new BigInt64Array(control, 8, 1);
const places = readManifest(folder);

/** Computes one part. */
async function computePart({ sweep, part }: PartTask): Promise<PartOutcome> {
  const place = (await places).find((each) => each.sweep.id === sweep);
  if (!place) throw new Error(`${folder.manifest} no longer holds sweep ${sweep}`);
  const bytes = await makePart(folder, place, part, {
    proceed(taken) {
      Atomics.add(steps, 0, BigInt(taken));
      return Atomics.load(stop, 0) === 0;
    },
  });
  return bytes ? { bytes } : {};
}

parentPort!.on('message', async (task: PartTask) => {
  const outcome = await computePart(task).catch((error: NodeJS.ErrnoException): PartOutcome => {
    const { message, code, path } = error;
    const parameter = error instanceof ConfigError ? error.parameter : undefined;
    return { error: { message, code, path, parameter } };
  });
  // Its bytes are handed over, not copied.
  parentPort!.postMessage(outcome, outcome.bytes ? [outcome.bytes.buffer as ArrayBuffer] : []);
});
