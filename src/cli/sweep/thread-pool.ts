import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { ConfigError } from '../../pipeline/models/minimal/config.ts';
import { type FolderSweep, partPath, type SweepFolder } from './folder.ts';
import { commitFile } from './part-file.ts';

export interface PartTask {
  readonly sweep: string;
  readonly part: number;
}

export interface PartOutcome {
  readonly part: number;
  /** Its file; none where it was given up or failed. */
  readonly bytes?: Uint8Array;
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
  /** Computes a part and commits it by one rename; false where the pool was stopped meanwhile. */
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
      const { bytes, error } = await pool.run({ sweep: sweep.id, part });
      if (error) throw revived(error);
      if (!bytes) return false;
      // Here rather than in the thread: that one computes while the disk is waited for.
      await mkdir(folder.summary, { recursive: true });
      await commitFile(folder, partPath(folder, sweep, part), bytes);
      return true;
    },
    steps: () => Number(Atomics.load(steps, 0)),
    stop: () => {
      Atomics.store(stop, 0, 1);
    },
    close: () => pool.destroy(),
  };
}

function revived({ message, code, path, parameter }: NonNullable<PartOutcome['error']>): Error {
  if (parameter !== undefined)
    return new ConfigError(parameter, message.slice(parameter.length + 2));
  return Object.assign(new Error(message), code === undefined ? {} : { code, path });
}
