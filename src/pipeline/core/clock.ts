/** Wall time as the source sees it; another one can be given to make time run as one likes. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Resolves after so many milliseconds (at once for none), or as soon as the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Lets timers, signals and input have their turn. */
  yield(): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep(milliseconds, signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, milliseconds));
      signal?.addEventListener('abort', wake, { once: true });
      if (signal?.aborted) wake();
    });
  },
  yield() {
    return new Promise((resolve) => {
      // A message channel is the quickest way to the back of the queue in browsers, where
      // setTimeout waits 4 ms.
      if (typeof setImmediate === 'function') {
        setImmediate(resolve);
        return;
      }
      turns ??= openTurns();
      turns.next(resolve);
    });
  },
};

let turns: ReturnType<typeof openTurns> | undefined;

/**
 * The back of the queue by one channel for all: one that nothing refers to while its message is
 * under way might be collected, and whoever waits for it would wait for ever.
 */
function openTurns() {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return {
    next(resolve: () => void) {
      waiting.push(resolve);
      port2.postMessage(null);
    },
  };
}
