import { workerData } from 'node:worker_threads';
import { ConfigError } from '../../pipeline/models/minimal/config.ts';
import { readManifest, sweepFolder } from './folder.ts';
import { makePart } from './make-part.ts';
import type { PartOutcome, PartTask, ThreadData } from './thread-pool.ts';

const { path, control } = workerData as ThreadData;
const folder = sweepFolder(path);
const stop = new Int32Array(control, 0, 1);
const steps = new BigInt64Array(control, 8, 1);
const places = readManifest(folder);

/** Runs in a thread of the pool: computes one part. */
export default async function partThread({ sweep, part }: PartTask): Promise<PartOutcome> {
  try {
    const place = (await places).find((each) => each.sweep.id === sweep);
    if (!place) throw new Error(`${folder.manifest} no longer holds sweep ${sweep}`);
    const bytes = await makePart(folder, place, part, {
      proceed(taken) {
        Atomics.add(steps, 0, BigInt(taken));
        return Atomics.load(stop, 0) === 0;
      },
    });
    return bytes ? { part, bytes } : { part };
  } catch (error) {
    // Only a message and a stack survive the way between threads.
    const {
      message,
      code,
      path: at,
      parameter,
    } = error as Error & { code?: string; path?: string; parameter?: string };
    return {
      part,
      error: {
        message,
        code,
        path: at,
        parameter: error instanceof ConfigError ? parameter : undefined,
      },
    };
  }
}
