import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

/** Batches between two collections: about 10 MB of arrays. */
const EVERY = 16;

/**
 * To be called for every batch that has passed. A batch is garbage then, but its arrays lie outside V8's heap, so that
 * V8 lets some 60 MB of them pile up before it looks. A minor collection every few batches takes less than 1 ms, keeps
 * the process as small as it began, and costs no speed, since the same memory is used again while it is in the caches.
 */
export function createCollector(): () => void {
  let batches = 0;
  let collect: Collect | undefined;
  return () => {
    if (++batches % EVERY !== 0) return;
    collect ??= minorCollection();
    collect({ type: 'minor', execution: 'sync' });
  };
}

function minorCollection(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
