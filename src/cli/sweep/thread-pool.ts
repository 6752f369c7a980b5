import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { ConfigError } from '../../pipeline/config.ts';
import type { FolderSweep, SweepFolder } from './folder.ts';

export interface PartTask {
  readonly sweep: string;
  readonly part: number;
}

export interface PartOutcome {
  readonly part: number;
  /** False where it was given up or failed. */
  readonly done: boolean;
  readonly error?: {
    readonly message: string;
    readonly code: string | undefined;
    readonly path: string | undefined;
    readonly parameter: string | undefined;
  };
}

export interface ThreadData {
  readonly path: string;
  readonly control: SharedArrayBuffer;
}

/** Threads that compute parts of the sweeps of a folder. */
export interface ThreadPool {
  readonly threads: number;
  /** Computes and commits a part; false where the pool was stopped meanwhile. */
  make(place: FolderSweep, part: number): Promise<boolean>;
  /** Steps that all threads have taken so far. */
  steps(): number;
  /** Asks the threads to give up what they are at; they do between two batches. */
  stop(): void;
  close(): Promise<void>;
}

export function defaultThreads(): number {
  return availableParallelism();
}

export function threadPool(folder: SweepFolder, threads: number): ThreadPool {
  const control = new SharedArrayBuffer(16);
  const stop = new Int32Array(control, 0, 1);
  const steps = new BigInt64Array(control, 8, 1);
  const pool = new Piscina<PartTask, PartOutcome>({
    filename: new URL('./part-thread.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    workerData: { path: folder.path, control } satisfies ThreadData,
  });
  // What goes wrong in a thread also rejects the task that it was at.
  pool.on('error', () => {});
  return {
    threads,
    async make({ sweep }, part) {
      const { done, error } = await pool.run({ sweep: sweep.id, part });
      if (error) throw revived(error);
      return done;
    },
    steps: () => Number(Atomics.load(steps, 0)),
    stop: () => {
      Atomics.store(stop, 0, 1);
    },
    close: () => pool.destroy(),
  };
}

function revived({ message, code, path, parameter }: NonNullable<PartOutcome['error']>): Error {
  if (parameter !== undefined) return new ConfigError(parameter, message.slice(parameter.length + 2));
  return Object.assign(new Error(message), code === undefined ? {} : { code, path });
}
