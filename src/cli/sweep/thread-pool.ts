import { mkdir } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import { ownProgram } from '../package-root.ts';
import { type FolderSweep, partPath, type SweepFolder } from './folder.ts';
import { commitFile } from './part-file.ts';

export interface PartTask {
  readonly sweep: string;
  readonly part: number;
}

/** What became of a part: its file; none where it was given up or failed. */
export interface PartOutcome {
  readonly bytes?: Uint8Array;
  readonly error?: {
    readonly message: string;
    readonly code: string | undefined;
    readonly path: string | undefined;
    /** The parameter of a `ConfigError`: its class does not survive the way between threads. */
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

/** A task, and whoever waits for what becomes of it. */
interface Job {
  readonly task: PartTask;
  resolve(outcome: PartOutcome): void;
  reject(error: Error): void;
}

export function threadPool(folder: SweepFolder, threads: number): ThreadPool {
  const control = new SharedArrayBuffer(16);
  const stop = new Int32Array(control, 0, 1);
  const steps = new BigInt64Array(control, 8, 1);
  const waiting: Job[] = [];
  const idle: Thread[] = [];
  const all = Array.from({ length: threads }, () => startThread({ path: folder.path, control }));
  idle.push(...all);

  const next = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const thread = idle.pop()!;
      thread.run(waiting.shift()!, () => {
        idle.push(thread);
        next();
      });
    }
  };
  const run = (task: PartTask) =>
    new Promise<PartOutcome>((resolve, reject) => {
      waiting.push({ task, resolve, reject });
      next();
    });

  return {
    threads,
    async make({ sweep }, part) {
      const { bytes, error } = await run({ sweep: sweep.id, part });
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
    async close() {
      await Promise.all(all.map((thread) => thread.end()));
    },
  };
}

interface Thread {
  run(job: Job, done: () => void): void;
  end(): Promise<void>;
}

function startThread(workerData: ThreadData): Thread {
  let worker: Worker | undefined;
  let current: { readonly job: Job; readonly done: () => void } | undefined;
  const settle = (use: (job: Job) => void) => {
    const settled = current;
    current = undefined;
    if (!settled) return;
    use(settled.job);
    settled.done();
  };
  const start = () => {
    const started = new Worker(ownProgram('sweep/part-thread'), { workerData });
    started.on('message', (outcome: PartOutcome) => settle((job) => job.resolve(outcome)));
    // A thread that has failed, for want of memory say, is gone; the next task gets a new one.
    const lost = (error: Error) => {
      if (worker === started) worker = undefined;
      settle((job) => job.reject(error));
    };
    started.on('error', lost);
    started.on('exit', () => lost(new Error('a thread has ended in the middle of its work')));
    return started;
  };
  worker = start();
  return {
    run(job, done) {
      current = { job, done };
      worker ??= start();
      worker.postMessage(job.task);
    },
    async end() {
      await worker?.terminate();
    },
  };
}

function revived({ message, code, path, parameter }: NonNullable<PartOutcome['error']>): Error {
  if (parameter !== undefined)
    return new ConfigError(parameter, message.slice(parameter.length + 2));
  return Object.assign(new Error(message), code === undefined ? {} : { code, path });
}
