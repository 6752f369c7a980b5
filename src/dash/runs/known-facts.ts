import { tableClient } from '../load/client.ts';
import { runFacts } from './facts.ts';
import type { KnownRun } from './key-figures.ts';
import type { ListedRun } from './run-list.ts';

/** Reads the metadata of runs that are listed and not open, one after the other, for the table. */
export function knownFacts(changed: () => void): {
  of(listed: ListedRun): KnownRun | undefined;
} {
  const known = new Map<string, KnownRun | 'underway' | 'unreadable'>();
  const queue: ListedRun[] = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
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
      changed();
    }
    client.close();
    working = false;
  }

  return {
    of(listed) {
      const found = known.get(listed.name);
      if (found === undefined) {
        known.set(listed.name, 'underway');
        queue.push(listed);
        if (!working) void work();
      }
      return typeof found === 'object' ? found : undefined;
    },
  };
}
