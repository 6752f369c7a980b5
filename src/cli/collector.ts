import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' | 'major'; readonly execution: 'sync' }) => void;

/** Batches between two collections: about 10 MB of arrays. */
const EVERY = 16;

/**
 * Asks V8 to collect garbage where it would not think of it: arrays lie outside its heap, and some 60 MB of dead ones
 * pile up before it looks.
 */
export interface Collector {
  /**
   * A batch has passed and is garbage. A minor collection every few batches takes less than 1 ms and costs no speed,
   * since the same memory is used again while it is in the caches.
   */
  batchPassed(): void;
  /** A flush is done. Its copies of the rows have lived too long for a minor collection. */
  flushed(): void;
}

export function createCollector(): Collector {
  let batches = 0;
  let gc: Collect | undefined;
  const collect: Collect = (options) => {
    gc ??= exposed();
    gc(options);
  };
  return {
    batchPassed() {
      if (++batches % EVERY === 0) collect({ type: 'minor', execution: 'sync' });
    },
    flushed() {
      collect({ type: 'major', execution: 'sync' });
    },
  };
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
