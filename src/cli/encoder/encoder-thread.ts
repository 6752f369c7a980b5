import { parentPort, workerData } from 'node:worker_threads';
import type { EncodedGroup, GroupTask } from '../../pipeline/formats/parquet/hyparquet.ts';
import { ByteWriter } from '../../pipeline/formats/parquet/hyparquet-writer-parts.ts';
import { groupRoom, writeRowGroup } from '../../pipeline/formats/parquet/parquet-chunk.ts';
import { packerOf } from '../../pipeline/formats/parquet/parquet-compression.ts';
import type { EncoderData } from './encoder.ts';

// Runs in a thread beside a long run.

const { columns, compression } = workerData as EncoderData;
const packer = packerOf(compression);
const writer = new ByteWriter();

parentPort!.on('message', ({ rows, offset, outlined }: GroupTask) => {
  writer.index = 0;
  writer.offset = offset;
  const room = groupRoom(rows);
  if (writer.buffer.byteLength < room) {
    // It takes any buffer; what did not fit would be copied on its way, but get there.
    writer.buffer = new SharedArrayBuffer(room) as unknown as ArrayBuffer;
    writer.view = new DataView(writer.buffer);
  }
  const group = writeRowGroup(writer, columns, rows, packer, { outlined });
  const encoded: EncodedGroup = { bytes: writer.getBytes(), group };
  parentPort!.postMessage(encoded);
});
parentPort!.postMessage('ready');
