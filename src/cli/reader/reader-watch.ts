import { workerData } from 'node:worker_threads';

// A thread of the reader, which ends the whole process where it takes more than it may: whatever its main thread is
// stuck in, and whatever the file that it reads claims.

/** What the two threads of a reader share. */
export interface Watched {
  /** Bytes of memory that the process may take. */
  readonly memory: number;
  /** Microseconds of processor time that it may have taken, in its only place. */
  readonly time: BigInt64Array;
}

/** Milliseconds between two looks. */
const LOOK = 10;

const { memory, time } = workerData as Watched;
const parent = process.ppid;

setInterval(() => {
  // How it ended tells the command why.
  if (process.memoryUsage.rss() > memory) process.kill(process.pid, 'SIGKILL');
  const { user, system } = process.cpuUsage();
  if (user + system > Number(Atomics.load(time, 0))) process.kill(process.pid, 'SIGALRM');
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, LOOK);
