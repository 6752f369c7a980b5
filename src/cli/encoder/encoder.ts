import { Worker } from 'node:worker_threads';
import type { ColumnArray } from '../../pipeline/core/schema.ts';
import type { EncodedGroup, EncoderOf } from '../../pipeline/formats/parquet/hyparquet.ts';
import type { Compression, TableColumn } from '../../pipeline/formats/table-format.ts';
import { ownProgram } from '../package-root.ts';

/** What the thread encodes. */
export interface EncoderData {
  readonly columns: readonly TableColumn[];
  readonly compression: Compression;
}

/** A row group that is with the thread. */
interface Pending {
  resolve(group: EncodedGroup): void;
  reject(error: Error): void;
}

/**
 * A thread that encodes row groups, whose arrays and bytes it shares: a buffer that is handed over
 * makes V8 doubt all others. Until it has come up, and where it cannot, it takes none; while it has
 * one it keeps the process alive.
 */
export const startEncoder: EncoderOf = (columns, compression) => {
  const workerData: EncoderData = { columns, compression };
  const thread = new Worker(ownProgram('encoder/encoder-thread'), { workerData });
  thread.unref();
  let ready = false;
  let pending: Pending | undefined;
  const settle = (use: (pending: Pending) => void) => {
    const settled = pending;
    pending = undefined;
    thread.unref();
    if (settled) use(settled);
  };
  const lost = (error: Error) => {
    ready = false;
    settle(({ reject }) => reject(error));
  };
  thread.once('message', () => {
    ready = true;
    thread.on('message', (group: EncodedGroup) => settle(({ resolve }) => resolve(group)));
  });
  thread.on('error', lost);
  thread.on('exit', () => lost(new Error('a thread has ended in the middle of its work')));
  return {
    arrays: (rows) => columns.map(({ type }) => sharedArray(type, rows)),
    encode(task) {
      if (!ready) return undefined;
      return new Promise((resolve, reject) => {
        pending = { resolve, reject };
        thread.ref();
        thread.postMessage(task);
      });
    },
    close() {
      ready = false;
      thread.terminate();
    },
  };
};

/** As `columnArray`, in memory that threads share. */
function sharedArray(type: TableColumn['type'], length: number): ColumnArray {
  if (type === 'INT32') return new Int32Array(new SharedArrayBuffer(4 * length));
  if (type === 'STRING') return new Uint8Array(new SharedArrayBuffer(length));
  return new Float64Array(new SharedArrayBuffer(8 * length));
}
