import type { Call, Method, Reply, TableApi } from './protocol.ts';
import { OtherReaderError, RunFileError } from './table.ts';
import LightWorker from './worker-light.ts?worker&inline';

/**
 * A worker that is at work and leaves this many pings unanswered is stuck on a hostile file, or its
 * machine is far too busy, and is stopped. Pings are counted, not time: in a background tab timers
 * sleep, and the worker is not to blame.
 */
const MAX_UNANSWERED = 60;
const PING_MS = 500;

export const METHODS: readonly Method[] = [
  'open',
  'refresh',
  'lines',
  'row',
  'near',
  'intervals',
  'cycles',
  'path',
  'column',
  'extremes',
  'statistics',
  'rows',
  'csv',
];

/** A run file in a worker of its own. */
export interface TableClient extends TableApi {
  close(): void;
}

let ready: Worker | undefined;

/** Starts the worker of the first file, before it is known which that is. */
export function startReader(): void {
  ready = new LightWorker();
}

/**
 * Starts a worker for a file: a small one, which fits most, and a large one where the file turns
 * out to need it.
 */
export function tableClient(onBytes: (bytes: number) => void): TableClient {
  const start = (made: Worker) =>
    connect<TableApi>(made, METHODS, (reply) => {
      if ('bytes' in reply) onBytes(reply.bytes);
    });
  let worker = start(ready ?? new LightWorker());
  ready = undefined;
  let closed = false;
  const api = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (...args: readonly unknown[]) =>
        (worker[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args),
    ]),
  ) as unknown as TableApi;
  return {
    ...api,
    async open(origin) {
      try {
        return await worker.open(origin);
      } catch (error) {
        if (!(error instanceof OtherReaderError) || closed) throw error;
      }
      worker.close();
      const { anyWorker } = await import('./any-worker.ts');
      worker = start(anyWorker());
      if (closed) worker.close();
      return worker.open(origin);
    },
    close() {
      closed = true;
      worker.close();
    },
  };
}

/**
 * Calls these methods of a worker.
 *
 * @param onMessage what the worker tells without being asked
 */
export function connect<Api>(
  worker: Worker,
  methods: readonly string[],
  onMessage: (reply: Reply) => void,
): Api & { close(): void } {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let next = 0;
  let unanswered = 0;
  let dead: string | undefined;

  function stop(reason: string): void {
    dead = reason;
    worker.terminate();
    clearInterval(timer);
    for (const { reject } of waiting.values()) reject(new RunFileError(reason));
    waiting.clear();
  }

  const timer = setInterval(() => {
    if (waiting.size === 0) return;
    if (unanswered >= MAX_UNANSWERED) {
      stop(
        'reading the file took too long, so it was given up (the computer is too busy, or the ' +
          'file was made to hang readers)',
      );
      return;
    }
    unanswered++;
    worker.postMessage({ ping: 1 } satisfies Call);
  }, PING_MS);

  worker.addEventListener('message', ({ data: reply }: MessageEvent<Reply>) => {
    unanswered = 0;
    if (!('id' in reply)) onMessage(reply);
    else {
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('error' in reply) call?.reject(new RunFileError(reply.error));
      else if ('other' in reply) call?.reject(new OtherReaderError());
      else call?.resolve(reply.value);
    }
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    stop(`the file cannot be read (${event.message || 'its reader stopped'})`);
  });

  const call = (method: string, args: readonly unknown[]): Promise<unknown> => {
    if (dead) return Promise.reject(new RunFileError(dead));
    const id = next++;
    worker.postMessage({ id, method, args } satisfies Call);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
  const api = Object.fromEntries(
    methods.map((method) => [method, (...args: unknown[]) => call(method, args)]),
  );
  return { ...(api as Api), close: () => stop('the run was closed') };
}
