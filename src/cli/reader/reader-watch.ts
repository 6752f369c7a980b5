import { workerData } from 'node:worker_threads';
import { takesTooLong, WAITING } from './limits.ts';

// A thread of the reader, which ends the whole process where it takes more than it may: whatever
// its main thread is stuck in, and whatever the file that it reads claims.

/** What the two threads of a reader share. */
export interface Watched {
  /** Bytes of memory that the process may take. */
  readonly memory: number;
  /** Microseconds of processor time that it may have taken, in its only place. */
  readonly time: BigInt64Array;
}

/**
 * Milliseconds between two looks: of a process that works, and of one that has waited for some of
 * them.
 */
const [LOOK, SELDOM] = [10, 50];
/** Microseconds of processor time between two looks from which on it works. */
const WORK = 2000;
const PATIENCE = 200;

const { memory, time } = workerData as Watched;
const parent = process.ppid;

let before = 0;
let last = performance.now();
/** Milliseconds in which it did not work: on a busy machine, work itself takes long. */
let waited = 0;
/** Looks since it worked last. */
let idle = 0;

function look(): void {
  // How it ended tells the command why.
  if (process.memoryUsage.rss() > memory) process.kill(process.pid, 'SIGKILL');
  const { user, system } = process.cpuUsage();
  const taken = user + system;
  const now = performance.now();
  const works = taken - before > WORK;
  if (taken - before < WAITING * 1000 * (now - last)) waited += now - last;
  if (takesTooLong(taken, Number(Atomics.load(time, 0)), waited))
    process.kill(process.pid, 'SIGALRM');
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  idle = works ? 0 : idle + 1;
  setTimeout(look, idle < PATIENCE ? LOOK : SELDOM);
  before = taken;
  last = now;
}
look();
