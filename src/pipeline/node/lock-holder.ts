import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process was started: tells it from a later one with the same number. */
  readonly started: string | null;
  /** This start of this machine, whatever its name. */
  readonly boot: string | null;
  /** In which namespace the number and the start time hold: containers have their own. */
  readonly space: string | null;
  /** Whether the kernel locks the file as well, as long as the process lives. */
  readonly kernel: boolean;
  /** Different for each lock. */
  readonly token: string;
}

/** This process, with a new token. */
export async function ourselves(kernel: boolean): Promise<Holder> {
  return {
    pid: process.pid,
    host: hostname(),
    started: (await startOf(process.pid)) ?? null,
    boot: await bootId(),
    space: await spaceId(),
    kernel,
    token: randomUUID(),
  };
}

/** What a lock says; undefined where it was cut off. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, started = null, boot = null, space = null, token = '' } = value;
    if (
      !Number.isSafeInteger(pid) ||
      pid! <= 0 ||
      typeof host !== 'string' ||
      typeof token !== 'string'
    )
      return undefined;
    return { pid: pid!, host, started, boot, space, kernel: value.kernel === true, token };
  } catch {
    return undefined;
  }
}

/** Where a holder is, seen from here. */
export type Whereabouts = 'here' | 'another namespace' | 'another machine';

export async function whereabouts({ boot, space, host }: Holder): Promise<Whereabouts> {
  if (boot === null || boot !== (await bootId())) return 'another machine';
  const same = host === hostname() && space !== null && space === (await spaceId());
  return same ? 'here' : 'another namespace';
}

/**
 * Whether the process that holds a lock may still run. Only proof counts as death: what cannot be
 * known lives.
 *
 * @param held whether the kernel says that somebody has the lock; undefined where it does not say
 */
export async function mayLive(holder: Holder, held: boolean | undefined): Promise<boolean> {
  // A kernel knows of its own locks alone, and nobody but who let it lock the file.
  const released = holder.kernel && held === false;
  if (held) return true;
  switch (await whereabouts(holder)) {
    case 'another machine':
      return true;
    case 'another namespace':
      return !released;
    case 'here': {
      const runs = await isRunning(holder);
      return runs ?? !released;
    }
  }
}

/** Undefined where a process has the number, and nobody tells us which. */
async function isRunning({ pid, started }: Holder): Promise<boolean | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  if (now === null) return false;
  return now === undefined || started === null ? undefined : now === started;
}

/**
 * When a process was started, in ticks since the machine was; null of one that ends, undefined
 * where nobody says.
 */
async function startOf(pid: number): Promise<string | null | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything; the fields behind it are numbers.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie writes nothing any more.
    return fields[0] === 'Z' ? null : fields[19];
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string | null> {
  try {
    if (process.platform === 'darwin') {
      const asked = promisify(execFile)('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']);
      return (await asked).stdout.trim() || null;
    }
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null;
  }
}

async function spaceId(): Promise<string | null> {
  if (process.platform === 'darwin') return 'all';
  try {
    const pids = await readlink('/proc/self/ns/pid');
    // Start times are told by the clock of the reader's own namespace.
    return `${pids} ${await readlink('/proc/self/ns/time').catch(() => '')}`.trim();
  } catch {
    return null;
  }
}
