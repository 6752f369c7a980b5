import { concat, defer, ignoreElements, type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Batch } from '../../core/batch.ts';
import type { Run } from '../../core/run.ts';
import { columnsToWrite } from '../../sinks/table-sink.ts';
import { runMetadata } from '../run-metadata.ts';
import { RecordBatchStreamWriter } from './apache-arrow.ts';
import { arrowEncoder, ByteCollector } from './arrow-format.ts';

/**
 * Hands each batch on as a piece of an Arrow IPC stream, for a reader at the other end of a pipe.
 * What the run was told stands in the schema, which comes first; its summary does not exist by
 * then. The source waits for the reader.
 *
 * @param names columns to write; all that are there for null
 */
export function arrowStream<C, R extends Run>(
  names: readonly string[] | null,
  write: (bytes: Uint8Array) => Promise<void>,
): MonoTypeOperatorFunction<Batch<C, R>> {
  return (source) =>
    defer(() => {
      const bytes = new ByteCollector();
      const writer = new RecordBatchStreamWriter();
      let encode: ReturnType<typeof arrowEncoder> | undefined;
      let work: Promise<void> = Promise.resolve();
      const rows = source.pipe(
        tap((batch) => {
          const schema = columnsToWrite(batch, names);
          if (!encode) {
            const { 'eos.summary': _, ...metadata } = runMetadata(batch.run, undefined, false);
            encode = arrowEncoder(schema, metadata);
            writer.reset(bytes, encode.schema);
          }
          const arrays = batch.columns as Readonly<Record<string, never>>;
          writer.write(
            encode.batch({
              length: batch.length,
              columns: schema.map(({ name }) => arrays[name]!),
            }),
          );
          const piece = bytes.take();
          work = work.then(() => write(piece));
          batch.run.hold(work);
        }),
      );
      const end = defer(async () => {
        await work;
        writer.finish();
        await write(bytes.take());
      });
      return concat(rows, end.pipe(ignoreElements()));
    });
}
