import { tableClient } from '../load/client.ts';
import { runFacts } from './facts.ts';
import type { KnownRun } from './key-figures.ts';
import type { ListedRun } from './run-list.ts';

/** So many are read at once. */
const AT_ONCE = 4;
/** The table is drawn this seldom while they are, in milliseconds. */
const TOLD_EVERY = 1000;

export interface KnownFacts {
  of(listed: ListedRun): KnownRun | undefined;
  /** Comes once these are read. */
  all(listed: readonly ListedRun[]): Promise<void>;
}

/** Reads the metadata of runs that are listed and not open, for the table. */
export function knownFacts(changed: () => void): KnownFacts {
  const known = new Map<string, KnownRun | 'underway' | 'unreadable'>();
  const queue: ListedRun[] = [];
  const waiting: (() => void)[] = [];
  let working = 0;
  let toldAt = 0;

  function tell(): void {
    const now = performance.now();
    if (now - toldAt < TOLD_EVERY && queue.length > 0) return;
    toldAt = now;
    changed();
  }

  async function work(): Promise<void> {
    working++;
    let client = tableClient(() => {});
    for (let listed = queue.shift(); listed; listed = queue.shift()) {
      try {
        const info = await client.open(listed.origin);
        known.set(listed.name, {
          info,
          facts: runFacts(info.metadata),
          writing: listed.writing ?? false,
        });
      } catch {
        // Its row says nothing; who opens the run is told what is wrong with it.
        known.set(listed.name, 'unreadable');
        client.close();
        client = tableClient(() => {});
      }
      tell();
    }
    client.close();
    working--;
    if (working > 0) return;
    changed();
    for (const done of waiting.splice(0)) done();
  }

  function of(listed: ListedRun): KnownRun | undefined {
    const found = known.get(listed.name);
    if (found === undefined) {
      known.set(listed.name, 'underway');
      queue.push(listed);
      if (working < AT_ONCE) void work();
    }
    return typeof found === 'object' ? found : undefined;
  }

  return {
    of,
    async all(listed) {
      for (const each of listed) of(each);
      if (working > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
