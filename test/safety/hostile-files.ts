import { gzipSync } from 'node:zlib';
import { makeData, RecordBatch, Schema, Struct, tableFromArrays, tableToIPC } from 'apache-arrow';
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { lastValueFrom } from 'rxjs';
import {
  arrowSink,
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  memoryTarget,
  parquetSink,
  splitLoss,
  summarize,
} from '../../src/pipeline/index.ts';
import { hostileForeignArrow, zstdCopies } from './hostile-arrow.ts';

/** A file that means harm, and whether it can be read at all. */
export interface HostileFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PAR1 = Buffer.from('PAR1');
const text = (value: string) => new TextEncoder().encode(value);

export async function runBytes(kind: 'parquet' | 'arrow'): Promise<Buffer> {
  const target = memoryTarget();
  await lastValueFrom(
    gradientDescent({ preset: 'three-phases', steps: 600 }).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      kind === 'parquet' ? parquetSink(target) : arrowSink(target),
    ),
  );
  return Buffer.from(target.bytes());
}

/** A Parquet file of nothing but a footer. */
function footerAlone(thrift: Uint8Array, claimed = thrift.length): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(claimed);
  return Buffer.concat([PAR1, thrift, length, PAR1]);
}

/** The run with another footer. */
export function withFooter(seed: Buffer, change: (footer: FileMetaData) => void): Uint8Array {
  const footer = parquetMetadata(new Uint8Array(seed));
  const body = seed.subarray(0, seed.length - footer.metadata_length - 8);
  change(footer);
  const writer = new ByteWriter();
  writer.appendBytes(body);
  writeMetadata(writer, footer);
  writer.appendUint32(0x31524150);
  return writer.getBytes().slice();
}

/** The run whose table claims a billion columns. */
function withRootChildren(seed: Buffer): Uint8Array {
  const at = seed.lastIndexOf('root') + 'root'.length;
  const { length } = parquetMetadata(new Uint8Array(seed)).schema;
  // Field 5, a 32-bit number: the columns without the root.
  if (seed[at] !== 0x15 || seed[at + 1] !== 2 * (length - 1))
    throw new Error('the seed has changed: say where its columns are counted');
  const billion = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x08]);
  const file = Buffer.concat([seed.subarray(0, at + 1), billion, seed.subarray(at + 2)]);
  file.writeUInt32LE(file.readUInt32LE(file.length - 8) + billion.length - 1, file.length - 8);
  return file;
}

/** The run whose column has this as its only page. */
export function withPage(
  seed: Buffer,
  column: string,
  page: Uint8Array,
  codec?: 'ZSTD',
): Uint8Array {
  const footer = parquetMetadata(new Uint8Array(seed));
  const body = seed.subarray(0, seed.length - footer.metadata_length - 8);
  const meta = footer.row_groups[0]!.columns.find(
    ({ meta_data }) => meta_data!.path_in_schema[0] === column,
  )!.meta_data!;
  const writer = new ByteWriter();
  writer.appendBytes(body);
  if (codec) meta.codec = codec;
  meta.data_page_offset = BigInt(body.length);
  delete meta.dictionary_page_offset;
  meta.total_compressed_size = BigInt(page.length);
  writer.appendBytes(page);
  writeMetadata(writer, footer);
  writer.appendUint32(0x31524150);
  return writer.getBytes().slice();
}

/** A page header in Thrift's compact protocol, and its body. */
export function dataPage(
  values: number,
  encoding: number,
  body: Uint8Array,
  unpacked = body.length,
): Uint8Array {
  const writer = new ByteWriter();
  const i32 = (delta: number, value: number) => {
    writer.appendUint8((delta << 4) | 5);
    writer.appendZigZag(value);
  };
  i32(1, 0);
  i32(1, unpacked);
  i32(1, body.length);
  writer.appendUint8((2 << 4) | 12);
  i32(1, values);
  i32(1, encoding);
  i32(1, 3);
  i32(1, 3);
  writer.appendUint8(0);
  writer.appendUint8(0);
  writer.appendBytes(body);
  return writer.getBytes().slice();
}

const PLAIN = 0;
const DELTA = 5;
const RLE_DICTIONARY = 8;

export async function hostileParquet(): Promise<HostileFile[]> {
  const seed = await runBytes('parquet');
  const first = ({ row_groups }: FileMetaData) => row_groups[0]!.columns[1]!.meta_data!;
  const file = (name: string, bytes: Uint8Array): HostileFile => ({
    name: `${name}.parquet`,
    bytes,
  });
  const snappy = Buffer.concat([
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x61]),
    Buffer.alloc(3000, 0xfe),
  ]);
  return [
    file('empty', new Uint8Array()),
    file('magic', PAR1),
    file('magic twice', Buffer.concat([PAR1, PAR1, PAR1])),
    file('wrong magic', Buffer.concat([Buffer.from('PARE'), seed.subarray(4)])),
    file('cut in the middle', seed.subarray(0, seed.length / 2)),
    file('cut in the footer', seed.subarray(0, -20)),
    file('footer longer than the file', footerAlone(new Uint8Array(8), 2 ** 32 - 1)),
    file('nested a million deep', footerAlone(Buffer.alloc(1_000_000, 0x1c))),
    file(
      'lists of lists',
      footerAlone(Buffer.concat([Buffer.from([0x19]), Buffer.alloc(1_000_000, 0x19)])),
    ),
    file(
      'endless number',
      footerAlone(Buffer.concat([Buffer.from([0x16]), Buffer.alloc(2_000_000, 0xff)])),
    ),
    file(
      'list of billions',
      footerAlone(Buffer.from([0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f])),
    ),
    file(
      'millions of structs',
      footerAlone(
        Buffer.concat([
          Buffer.from([0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x0e]),
          Buffer.alloc(31_000_000),
        ]),
      ),
    ),
    file(
      'rows',
      withFooter(seed, (footer) => (footer.num_rows = 2n ** 60n)),
    ),
    file(
      'rows everywhere',
      withFooter(seed, (footer) => {
        footer.num_rows = 2n ** 40n;
        footer.row_groups[0]!.num_rows = 2n ** 40n;
        for (const { meta_data } of footer.row_groups[0]!.columns)
          meta_data!.num_values = 2n ** 40n;
      }),
    ),
    file(
      'sixteen million rows',
      withFooter(seed, (footer) => {
        footer.num_rows = 16_000_000n;
        footer.row_groups[0]!.num_rows = 16_000_000n;
        for (const { meta_data } of footer.row_groups[0]!.columns)
          meta_data!.num_values = 16_000_000n;
      }),
    ),
    file(
      'negative rows',
      withFooter(seed, (footer) => (footer.row_groups[0]!.num_rows = -1n)),
    ),
    file(
      'row groups',
      withFooter(seed, (footer) => {
        footer.row_groups = Array.from({ length: 20_000 }, () => footer.row_groups[0]!);
        footer.num_rows = 20_000n * footer.row_groups[0]!.num_rows;
      }),
    ),
    file(
      'columns',
      withFooter(seed, ({ schema }) => {
        schema[0]!.num_children = 100_017;
        for (let i = 0; i < 100_000; i++)
          schema.push({ name: `c${i}`, type: 'DOUBLE', repetition_type: 'REQUIRED' });
      }),
    ),
    file(
      'children of children',
      withFooter(seed, ({ schema }) => {
        schema[0]!.num_children!++;
        for (let i = 0; i < 5_000; i++)
          schema.push({ name: 'c', num_children: 1, repetition_type: 'REQUIRED' });
        schema.push({ name: 'd', type: 'DOUBLE', repetition_type: 'REQUIRED' });
      }),
    ),
    file('more children than columns', withRootChildren(seed)),
    file(
      'offset outside',
      withFooter(seed, (footer) => (first(footer).data_page_offset = 2n ** 50n)),
    ),
    file(
      'size outside',
      withFooter(seed, (footer) => (first(footer).total_compressed_size = 2n ** 50n)),
    ),
    file(
      'values',
      withPage(seed, 'sharpness_ratio', dataPage(2 ** 31 - 1, PLAIN, new Uint8Array(64))),
    ),
    file('no values', withPage(seed, 'sharpness_ratio', dataPage(0, PLAIN, new Uint8Array(64)))),
    file(
      'run of billions',
      withPage(
        seed,
        'sharpness_ratio',
        dataPage(601, RLE_DICTIONARY, Uint8Array.of(2, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0)),
      ),
    ),
    file(
      'bits of nothing',
      withPage(
        seed,
        'sharpness_ratio',
        dataPage(601, RLE_DICTIONARY, Uint8Array.of(200, 0xff, 0xff, 0xff, 0xff, 0x0f, 0)),
      ),
    ),
    file(
      'endless delta',
      withPage(seed, 'step', dataPage(601, DELTA, Buffer.alloc(1_000_000, 0xff))),
    ),
    file(
      'deltas in no blocks',
      withPage(seed, 'step', dataPage(601, DELTA, Uint8Array.of(0, 0, 0, 0, 0, 0))),
    ),
    file('bomb', withPage(seed, 'sharpness_ratio', dataPage(601, PLAIN, snappy, 2 ** 31 - 1))),
    file(
      'copies',
      withPage(seed, 'sharpness_ratio', dataPage(601, PLAIN, zstdCopies(1 << 20), 1 << 20), 'ZSTD'),
    ),
    file('smaller bomb', withPage(seed, 'sharpness_ratio', dataPage(601, PLAIN, snappy, 2 ** 26))),
    file(
      'absurd names',
      withFooter(seed, ({ schema, row_groups, key_value_metadata }) => {
        const absurd = `\u001b[2J\n\r${'x'.repeat(5_000_000)}`;
        schema[1]!.name = absurd;
        row_groups[0]!.columns[0]!.meta_data!.path_in_schema = [absurd];
        key_value_metadata!.push({ key: 'eos.summary', value: '['.repeat(2_000_000) });
      }),
    ),
    file(
      'config of another kind',
      withFooter(seed, (footer) => {
        footer.key_value_metadata = [
          {
            key: 'eos.config',
            value: '{"eta":{"valueOf":1},"steps":[],"lambda1":"NaN","init":"x"}',
          },
          { key: 'eos.summary', value: '{"phases":[{"phase":{}}],"cycles":"many","warnings":7}' },
          { key: 'eos.checkpoint', value: '{"rows":1e99,"stages":null}' },
        ];
      }),
    ),
    file(
      'columns of wrong types',
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'step', data: ['a', 'b', 'c'], type: 'STRING' },
            { name: 'loss', data: [true, false, true], type: 'BOOLEAN' },
            { name: 'sharpness', data: [null, 1, null], type: 'DOUBLE' },
            {
              name: 'sharpness_ratio',
              data: ['\u0000', '\u001b[31m', 'x'.repeat(1_000_000)],
              type: 'STRING',
            },
            { name: 'phase', data: Int32Array.of(1, 2, 3) },
          ],
        }),
      ),
    ),
  ];
}

export async function hostileArrow(): Promise<HostileFile[]> {
  const seed = await runBytes('arrow');
  const file = (name: string, bytes: Uint8Array): HostileFile => ({ name: `${name}.arrow`, bytes });
  const suffix = (length: number) => {
    const end = Buffer.alloc(10);
    end.writeInt32LE(length);
    end.write('ARROW1', 4);
    return end;
  };
  const footerLength = seed.readInt32LE(seed.length - 10);
  const footerAt = seed.length - 10 - footerLength;
  /** Every 32-bit word of the footer that could be a length, made a huge one. */
  const spoiled = [8, 40, 80, 160, 320].map((at) => {
    const copy = Buffer.from(seed);
    for (let i = at; i + 4 <= footerLength; i += 400)
      copy.writeInt32LE(0x3fffffff, footerAt + (i & ~3));
    return copy;
  });
  const claims = new Schema([]);
  const wide = new RecordBatch(
    claims,
    makeData({ type: new Struct([]), length: 2 ** 30, nullCount: 0, children: [] }),
  );
  return [
    file('empty', text('ARROW1')),
    file('magic twice', text('ARROW1\0\0ARROW1')),
    file('cut', seed.subarray(0, seed.length / 2)),
    file(
      'footer longer than the file',
      Buffer.concat([seed.subarray(0, 100), suffix(2 ** 31 - 1)]),
    ),
    file('negative footer', Buffer.concat([seed.subarray(0, 100), suffix(-5)])),
    file('footer of zeros', Buffer.concat([text('ARROW1\0\0'), Buffer.alloc(4096), suffix(4096)])),
    file(
      'footer of ones',
      Buffer.concat([text('ARROW1\0\0'), Buffer.alloc(4096, 0xff), suffix(4096)]),
    ),
    ...spoiled.map((bytes, i) => file(`lengths ${i}`, bytes)),
    file('rows without columns', tableToIPC(tableFromArrays({}).concat() ?? wide, 'file')),
    file(
      'columns of wrong types',
      tableToIPC(
        tableFromArrays({
          step: ['a', 'b'],
          loss: [true, false],
          phase: Int32Array.of(1, 2),
          sharpness_ratio: ['\u001b[2J', 'y'],
        }),
        'file',
      ),
    ),
    ...hostileForeignArrow(),
  ];
}

/** Logs for `eos detect`. */
export function hostileLogs(): HostileFile[] {
  const file = (name: string, bytes: Uint8Array | string): HostileFile => ({
    name,
    bytes: typeof bytes === 'string' ? text(bytes) : bytes,
  });
  return [
    file('empty.csv', ''),
    file('one line.csv', 'x'.repeat(20_000_000)),
    file('columns.csv', `step,loss,${'x,'.repeat(1_000_000)}\n1,2,${'3,'.repeat(1_000_000)}`),
    file('quotes.csv', `step,loss\n1,"${'""'.repeat(5_000_000)}`),
    file('nul.csv', new Uint8Array(5_000_000)),
    file('deep.json', '['.repeat(5_000_000)),
    file('deep.ndjson', `${'{"loss":'.repeat(200_000)}1${'}'.repeat(200_000)}\n`),
    file('numbers.ndjson', `{"step":${'9'.repeat(1_000_000)},"loss":1}\n`),
    file(
      'keys.ndjson',
      `{"__proto__":{"step":1},"step":1,"loss":1,"constructor":2}\n`.repeat(1000),
    ),
    file('bomb.csv.gz', gzipSync(Buffer.alloc(300_000_000, 0x31), { level: 9 })),
  ];
}
