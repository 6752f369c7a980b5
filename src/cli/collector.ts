import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' | 'major'; readonly execution: 'sync' }) => void;

/** Batches between two minor collections: about 10 MB of arrays. */
const MINOR = 16;

/** Batches between two major ones, which find what the minor ones happened to meet alive. One takes some 5 ms. */
const MAJOR = 64 * MINOR;

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
  /** A flush is done. Its copies of the rows have lived too long for a minor collection: the next is a major one. */
  flushed(): void;
}

export function createCollector(): Collector {
  let batches = 0;
  let afterFlush = false;
  let gc: Collect | undefined;
  return {
    batchPassed() {
      batches++;
      const major = afterFlush || batches % MAJOR === 0;
      if (!major && batches % MINOR !== 0) return;
      gc ??= exposed();
      gc({ type: major ? 'major' : 'minor', execution: 'sync' });
      afterFlush = false;
    },
    flushed() {
      afterFlush = true;
    },
  };
}

function exposed(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
