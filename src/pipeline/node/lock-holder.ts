import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Who holds a lock. `started` and `boot` tell a process from a later one with the same number. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string | null;
  readonly boot: string | null;
  /** Different for each lock. */
  readonly token: string;
}

/** This process, with a new token. */
export async function ourselves(): Promise<Holder> {
  return {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
    boot: await bootId(),
    token: randomUUID(),
  };
}

/** What a lock says; undefined where it was cut off. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, started = null, boot = null, token = '' } = value;
    if (
      !Number.isSafeInteger(pid) ||
      pid! <= 0 ||
      typeof host !== 'string' ||
      typeof token !== 'string'
    )
      return undefined;
    return { pid: pid!, host, started, boot, token };
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs; of one on another machine nobody here can tell, so that it counts as running. */
export async function isAlive({ pid, host, started, boot }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  if (boot !== (await bootId()) || !isRunning(pid)) return false;
  return started === null || started === (await startOf(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process was started, in ticks since the machine was; null where the system does not say, or it is no more. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything; the fields behind it are numbers.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie writes nothing any more.
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

async function bootId(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null;
  }
}
