import { type FolderSweep, isCancelled, type SweepFolder } from './folder.ts';
import { threadPool } from './thread-pool.ts';

export interface EngineRequest {
  readonly folder: SweepFolder;
  readonly place: FolderSweep;
  readonly missing: readonly number[];
  readonly signal: AbortSignal;
  /** Steps of all missing parts. */
  readonly totalSteps: number;
  /** Called a few times a second with the steps taken so far. */
  readonly progress: (steps: number) => void;
}

export interface EngineResult {
  /** Parts that were computed. */
  readonly made: number;
  readonly cancelled: boolean;
}

const TICK = 200;

/**
 * Computes parts in threads of this process, a few more under way than there are threads, so that
 * none ever waits.
 */
export async function runLocally(
  request: EngineRequest & { readonly threads: number },
): Promise<EngineResult> {
  const { folder, place, missing, signal, progress, threads } = request;
  const pool = threadPool(folder, Math.min(threads, missing.length));
  let cancelled = false;
  let ended = false;
  let made = 0;
  let next = 0;
  const onAbort = () => pool.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setInterval(() => {
    progress(pool.steps());
    isCancelled(folder).then((there) => {
      if (!there || ended) return;
      cancelled = true;
      pool.stop();
    });
  }, TICK);

  const lane = async () => {
    while (next < missing.length && !signal.aborted && !cancelled) {
      if (await pool.make(place, missing[next++]!)) made++;
    }
  };
  try {
    await Promise.all(Array.from({ length: 2 * pool.threads }, lane));
    progress(pool.steps());
  } finally {
    ended = true;
    clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    pool.stop();
    await pool.close();
  }
  return { made, cancelled };
}
