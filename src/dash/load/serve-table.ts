import type { Call, Reply } from './protocol.ts';
import { type OpenTable, tableApi } from './queries.ts';
import { OtherReaderError, RunFileError } from './table.ts';

/** The part of a worker's global scope that is needed here. */
export interface WorkerScope {
  postMessage(message: Reply, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Call>) => void): void;
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/**
 * Serves one run file from a worker: decoding never blocks the page, and a file that makes it hang
 * is let go with it.
 */
export function serveTable(scope: WorkerScope, openTable: OpenTable): void {
  serve(
    scope,
    tableApi(openTable, (bytes) => scope.postMessage({ bytes })),
  );
}

/** Answers the calls that come to a worker by these methods. */
export function serve(scope: WorkerScope, api: object): void {
  scope.addEventListener('message', async ({ data: call }) => {
    if ('ping' in call) {
      scope.postMessage({ pong: call.ping });
      return;
    }
    try {
      const method = (api as Methods)[call.method]!;
      scope.postMessage({ id: call.id, value: await method(...call.args) });
    } catch (error) {
      if (error instanceof OtherReaderError) {
        scope.postMessage({ id: call.id, other: true });
        return;
      }
      const message = error instanceof Error ? error.message : String(error);
      scope.postMessage({
        id: call.id,
        error: error instanceof RunFileError ? message : `the file cannot be read (${message})`,
      });
    }
  });
}
