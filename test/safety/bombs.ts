import { createHash } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type { ColumnMetaData, FileMetaData, KeyValue } from 'hyparquet';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import {
  dataPage,
  type HostileFile,
  hostileArrow,
  hostileLogs,
  hostileParquet,
  runBytes,
  withFooter,
} from './hostile-files.ts';

/** Files that claim more than they hold, and a command that reads them. */
export interface Bomb {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly args: readonly string[];
}

const MB = 1_000_000;

/** All bombs, of every kind that a command reads. */
export async function allBombs(): Promise<Bomb[]> {
  return [
    ...logBombs(),
    ...(await tableBombs()),
    ...sweepBombs(),
    ...configBombs(),
    ...journalBombs(),
  ];
}

/** Those that are Parquet and Arrow files, and what other tests of this folder make. */
export async function tableBombs(): Promise<Bomb[]> {
  return [...listBombs(), ...piecesBombs(), ...(await metadataBombs()), ...(await knownBombs())];
}

const detect = (name: string, content: Uint8Array | string, ...more: string[]): Bomb => ({
  name: `detect ${name}`,
  files: { [name]: content },
  args: ['detect', name, '--eta', '0.05', ...more],
});

/** `count` lines that each say one step more. */
function lines(count: number, line: (step: number) => string): string {
  return Array.from({ length: count }, (_, step) => line(step)).join('\n');
}

function logBombs(): Bomb[] {
  const digits = '7'.repeat(200_000);
  const csv = (cell: string) => `step,loss,sharpness\n0,1,2\n1,${cell},3\n`;
  const json = (item: string, size: number) =>
    `[${`${item},`.repeat(Math.floor(size / (item.length + 1)))}${item}]`;
  const spaces = ' '.repeat(MB - 100);
  return [
    detect('digits-e.csv', csv(`${digits}e`)),
    detect('digits-x.csv', csv(`${digits}x`)),
    detect('digits-point.csv', csv(`${digits}.${digits}e+`)),
    detect('digits-comma.csv', csv(`"1${',777'.repeat(100_000)}x"`)),
    detect('digits-sign.tsv', `step\tloss\n0\t1\n1\t-${digits}e\n2\t+${digits},${digits}e\n`),
    detect('digits-e.ndjson', `{"step":0,"loss":1}\n{"step":1,"loss":"${digits}e"}\n`),
    detect('digits-e.json', `[{"step":0,"loss":1},{"step":1,"loss":"${digits}e"}]`),
    detect('digits.log', `step 1 loss ${digits}e\nstep 2 loss ${digits}e${digits}e\n`),
    detect('digits-list.csv', csv(`"[${`${digits}e `.repeat(4)}]"`)),
    detect('brackets.csv', csv(`"${'['.repeat(500_000)}"`)),
    detect('quote.csv', `step,loss\n0,1\n${lines(16, (i) => `${i},"${'a,""'.repeat(240_000)}`)}\n`),
    detect('quote-one.csv', `step,loss\n0,1\n1,"${'x'.repeat(15 * MB)}`),
    detect('quote-lines.csv', `step,loss\n0,1\n${lines(700_000, (i) => `${i},"0.5,x,yz,w`)}\n`),
    detect('quote-short.csv', `step,loss\n0,1\n${'1,"\n'.repeat(21 * MB)}`, '--quiet'),
    detect(
      'quote-rows.csv',
      `step,loss\n${lines(200_000, (i) => `${'1,"\n'.repeat(100)}${i},1`)}`,
      '--quiet',
    ),
    detect('short.ndjson', `{"step":0,"loss":1}\n${'{\n'.repeat(40 * MB)}`, '--quiet'),
    detect('short.log', `step 0 loss 1\n${'x\n'.repeat(40 * MB)}`, '--quiet'),
    detect('quote-head.csv', `step,"loss${'""'.repeat(400_000)}\n0,1\n`),
    detect('quotes-head.csv', `${'"'.repeat(999_999)}\nstep,loss\n0,1\n`),
    detect('quotes-odd.csv', `step,loss,x\n${'"a""'.repeat(250_000)}",1\n1,2,3\n`),
    detect('arrays.json', json('[]', 16 * MB)),
    detect('objects.json', json('{}', 16 * MB)),
    detect('numbers.json', json('0', 16 * MB)),
    detect('rows.json', json('{"loss":1}', 16 * MB)),
    detect('nested-rows.json', json('{"loss":[[],[],[]]}', 16 * MB)),
    detect('texts.json', json('""', 16 * MB)),
    detect('columns.json', `{"loss":${json('[0]', 15 * MB)}}`),
    detect('nan.json', json('NaN', 16 * MB)),
    detect('keys.json', `{${lines(900_000, (i) => `"k${i}":{"loss":1}`).replaceAll('\n', ',')}}`),
    detect('steps.json', `{${lines(900_000, (i) => `"${i}":{}`).replaceAll('\n', ',')}}`),
    detect(
      'one-row.json',
      `[{${lines(900_000, (i) => `"k${i}":1`).replaceAll('\n', ',')},"loss":1}]`,
    ),
    detect('escapes.json', `[{"loss":"${'\\u0000'.repeat(2_500_000)}"}]`),
    detect(
      'arrays.ndjson',
      lines(16, (i) => `{"step":${i},"loss":1,"x":${json('[]', 990_000)}}`),
    ),
    detect(
      'keys.ndjson',
      lines(3000, (i) => `{"step":${i},"loss":1,"a${i}":{"b${i}":1}}`),
    ),
    detect(
      'wide.ndjson',
      lines(
        16,
        (i) =>
          `{"step":${i},"loss":1,${lines(60_000, (k) => `"${i}k${k}":1`).replaceAll('\n', ',')}}`,
      ),
    ),
    detect(
      'paths.ndjson',
      lines(400, (i) => `{"step":${i},"m":{${`"x${i}":{},`.repeat(900)}"loss":1}}`),
    ),
    detect(
      'nan.ndjson',
      lines(16, (i) => `{"step":${i},"loss":NaN,"x":"${'NaN'.repeat(300_000)}"}`),
    ),
    detect('words.log', `step 1 loss 2\n${lines(16, () => 'a '.repeat(490_000))}\n`),
    detect('spaces.log', `step 1 loss 2\n${lines(8, (i) => `${spaces}x ${i}`)}\n`),
    detect('spaces-before.log', `${spaces}loss ${spaces.slice(0, 1)}1\nstep 1 loss 2\n`),
    detect('colons.log', `step 1 loss 2\n${lines(8, (i) => `x${':'.repeat(990_000)}y ${i}`)}\n`),
    detect('brackets.log', `step 1 loss 2\n${lines(8, (i) => `x${'('.repeat(990_000)}y ${i}`)}\n`),
    detect('commas.log', `step 1 loss 2\n${lines(8, () => `loss 1${',000'.repeat(240_000)}`)}\n`),
    detect(
      'numbers.log',
      lines(16, () => `loss ${'1 '.repeat(490_000)}`),
    ),
    detect(
      'names.log',
      lines(
        16,
        (i) => `step ${i} loss 1 ${lines(70_000, (k) => `n${k}=${k}`).replaceAll('\n', ' ')}`,
      ),
    ),
    detect('dashes.log', `step 1 loss 2\n${lines(8, (i) => `x${' -'.repeat(490_000)} y ${i}`)}\n`),
    detect('returns.log', `step 1 loss 2\n${'\r'.repeat(900_000)}loss 1\n`),
    detect('returns.csv', `step,loss\r${'1,2\r'.repeat(5 * MB)}`),
    detect('blank.csv', '\n'.repeat(20 * MB)),
    detect('blanks.csv', ' '.repeat(20 * MB)),
    detect('comments.csv', `${'#\n'.repeat(8 * MB)}step,loss\n`),
    detect('header.csv', `${'loss,'.repeat(190_000)}step\n1,2\n`),
    detect(
      'header-names.csv',
      `step,loss,${lines(150_000, (i) => `sharpness_${i}`).replaceAll('\n', ',')}\n0,1\n`,
    ),
    detect('invalid.csv', Buffer.concat([Buffer.from('step,loss\n'), Buffer.alloc(15 * MB, 0xff)])),
    detect('utf16.csv', Buffer.from(`step,loss\n${'1,2\n'.repeat(MB)}`, 'utf16le')),
    detect('far.csv', `step,loss,sharpness\n0,1,39\n${2 ** 53 - 1},2,41\n`),
    detect(
      'far-steps.csv',
      lines(1000, (i) => (i === 0 ? 'step,loss,sharpness' : `${i * 9e12},1,${39 + (i % 3)}`)),
    ),
    detect(
      'phases.csv',
      `step,loss,sharpness\n${lines(300_000, (i) => `${i},${1 + (i % 2)},${i % 2 ? 20 : 80}`)}\n`,
      '--quiet',
    ),
    detect('bomb.json.gz', gzipSync(json('[]', 60 * MB), { level: 9 })),
    detect('lines.csv.gz', gzipSync(`step,loss\n${'\n'.repeat(200 * MB)}`, { level: 9 })),
    detect('gz.gz', gzipSync(gzipSync(Buffer.alloc(200 * MB), { level: 9 }))),
    detect('late.csv', `step,loss\n${lines(400_000, (i) => `${400_000 - i},1`)}\n`),
    detect('runs.csv', `step,loss\n${lines(400_000, (i) => `${i % 3},1`)}\n`, '--run', '90000'),
    detect('zigzag.csv', `step,loss\n${lines(300_000, (i) => `${i + (i % 2 ? 60 : 0)},1`)}\n`),
  ];
}

/** Runs of Parquet's run-length encoding: `count` times the value. */
function run(count: number, value: number): number[] {
  const bytes: number[] = [];
  for (let left = count * 2; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left, value];
    bytes.push((left % 128) + 128);
  }
}

const uint32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const level = (bytes: number[]) => [...uint32(bytes.length), ...bytes];

/** A Parquet file of one row whose lists claim to hold so many values. */
function listFile(claimed: number, depth: number, present: boolean, groups = 1): Uint8Array {
  const writer = new ByteWriter();
  writer.appendUint32(0x31524150);
  const deepest = 2 * depth + 1;
  const page = dataPage(
    claimed,
    0,
    Uint8Array.from([...level(run(claimed, depth)), ...level(run(claimed, present ? deepest : 0))]),
  );
  const start = writer.offset;
  writer.appendBytes(page);
  const path = ['sharpness', ...Array.from({ length: depth }, () => ['list', 'element']).flat()];
  const column: ColumnMetaData = {
    type: 'DOUBLE',
    encodings: ['PLAIN', 'RLE'],
    path_in_schema: path,
    codec: 'UNCOMPRESSED',
    num_values: BigInt(claimed),
    total_uncompressed_size: BigInt(page.length),
    total_compressed_size: BigInt(page.length),
    data_page_offset: BigInt(start),
  };
  const lists = Array.from({ length: depth }, (_, i) => [
    {
      name: i === 0 ? 'sharpness' : 'element',
      repetition_type: 'OPTIONAL' as const,
      num_children: 1,
      converted_type: 'LIST' as const,
    },
    { name: 'list', repetition_type: 'REPEATED' as const, num_children: 1 },
  ]).flat();
  const footer: FileMetaData = {
    version: 2,
    created_by: 'bombs',
    schema: [
      { name: 'root', num_children: 1 },
      ...lists,
      { name: 'element', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
    ],
    num_rows: BigInt(groups),
    row_groups: Array.from({ length: groups }, () => ({
      columns: [{ file_offset: 0n, meta_data: column }],
      total_byte_size: BigInt(page.length),
      num_rows: 1n,
    })),
    metadata_length: 0,
  };
  writeMetadata(writer, footer);
  writer.appendUint32(0x31524150);
  return writer.getBytes().slice();
}

/** Tables cut into so many pieces that each of them costs more than what is in it. */
function piecesBombs(): Bomb[] {
  const stream = tableToIPC(
    tableFromArrays({ step: Int32Array.of(1), loss: Float64Array.of(0.5) }),
    'stream',
  );
  const view = new DataView(stream.buffer, stream.byteOffset);
  const schema = stream.subarray(0, 8 + view.getInt32(4, true));
  // Behind the batch stands the mark of the end, of 8 bytes.
  const batch = stream.subarray(schema.length, -8);
  const batches = (count: number) =>
    Buffer.concat([schema, ...Array.from({ length: count }, () => batch), stream.subarray(-8)]);
  const groups = (count: number) => {
    const data = new Float64Array(1);
    const file = parquetWriteBuffer({
      columnData: ['step', 'loss', 'sharpness'].map((name) => ({ name, data, type: 'DOUBLE' })),
    });
    return withFooter(Buffer.from(file), (footer) => {
      footer.row_groups = Array.from({ length: count }, () => footer.row_groups[0]!);
      footer.num_rows = BigInt(count);
    });
  };
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['batches.arrow', batches(150_000)],
    ['batches-read.arrow', batches(16_000)],
    ['groups.parquet', groups(20_000)],
    ['groups-most.parquet', groups(16_000)],
  ];
  return files.flatMap(([name, bytes]) =>
    [
      ['detect', name, '--eta', '0.05', '--quiet'],
      ['inspect', name],
      ['export', name, '--csv', '--out', 'out.csv', '--force'],
      ['diff', name, name],
      ['dash', 'build', '--data', name, '--out', 'page'],
    ].map((args) => ({ name: `${args[0]} ${name}`, files: { [name]: bytes }, args })),
  );
}

function listBombs(): Bomb[] {
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['list', listFile(1e8, 1, false)],
    ['list-present', listFile(1e8, 1, true)],
    ['list-deep', listFile(1e8, 8, false)],
    ['list-most', listFile(4_000_000, 1, false)],
    ['list-least', listFile(140_000, 12, false)],
    ['list-groups', listFile(130_000, 4, false, 3000)],
  ];
  return files.flatMap(([name, bytes]) =>
    [
      ['detect', `${name}.parquet`, '--eta', '0.05'],
      ['inspect', `${name}.parquet`],
      ['export', `${name}.parquet`, '--csv'],
    ].map((args) => ({
      name: `${args[0]} ${name}`,
      files: { [`${name}.parquet`]: bytes },
      args,
    })),
  );
}

async function metadataBombs(): Promise<Bomb[]> {
  const seed = await runBytes('parquet');
  const told = (change: (values: Map<string, string>) => void) =>
    withFooter(seed, (footer) => {
      const values = new Map(
        footer.key_value_metadata!.map(({ key, value }: KeyValue) => [key, value ?? '']),
      );
      change(values);
      footer.key_value_metadata = [...values].map(([key, value]) => ({ key, value }));
    });
  const config = (changes: object) =>
    told((values) => {
      values.set(
        'eos.config',
        JSON.stringify({ ...JSON.parse(values.get('eos.config')!), ...changes }),
      );
    });
  const summary = (changes: object) =>
    told((values) => {
      values.set(
        'eos.summary',
        JSON.stringify({ ...JSON.parse(values.get('eos.summary')!), ...changes }),
      );
    });
  const phases = Array.from({ length: 300_000 }, (_, i) => ({
    phase: 'edge-of-stability',
    first_step: i,
    last_step: i,
  }));
  const far = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'step', data: BigInt64Array.of(0n, 2n ** 53n - 1n), type: 'INT64' },
        ...['alpha', 'beta1', 'beta2', 'loss', 'sharpness'].map((name) => ({
          name,
          data: Float64Array.of(0.3, 0.3),
          type: 'DOUBLE' as const,
        })),
        { name: 'phase', data: ['convergence', 'convergence'], type: 'STRING' as const },
      ],
      kvMetadata: [
        {
          key: 'eos.config',
          value: JSON.stringify({ preset: 'three-phases', steps: 2 ** 53 - 1 }),
        },
      ],
    }),
  );
  const word = 'edge'.repeat(250_000);
  const words = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'step', data: Int32Array.from({ length: 120_000 }, (_, i) => i), type: 'INT32' },
        { name: 'loss', data: new Float64Array(120_000), type: 'DOUBLE' },
        { name: 'phase', data: new Array<string>(120_000).fill(word), type: 'STRING' },
      ],
    }),
  );
  const files: readonly (readonly [string, Uint8Array])[] = [
    ['samples', config({ samples: 1e9, seed: 1, moments: undefined })],
    ['steps', config({ steps: 2 ** 53 - 1 })],
    ['many-steps', config({ steps: 1e12, eta: 1e-9 })],
    ['every', config({ every: 1e15, steps: 1e9 })],
    ['eta', config({ eta: 1e-300 })],
    ['init', config({ init: Array.from({ length: 200_000 }, () => 1) })],
    ['precision', config({ precision: 1e9 })],
    ['precise', config({ precision: 4096, steps: 1e9 })],
    ['phases', summary({ phases })],
    ['warnings', summary({ warnings: phases })],
    ['cycles', summary({ cycles: 1e300, last_step: 2 ** 53 - 1, diverged_at: 2 ** 53 - 1 })],
    ['deep', told((values) => values.set('eos.summary', `${'['.repeat(2 * MB)}`))],
    ['arrays', told((values) => values.set('eos.summary', `{"x":[${'[],'.repeat(5 * MB)}[]]}`))],
    [
      'config-arrays',
      told((values) => values.set('eos.config', `{"x":[${'[],'.repeat(5 * MB)}[]]}`)),
    ],
    [
      'column-notes',
      told((values) => values.set('eos.columns', `{"x":[${'[],'.repeat(5 * MB)}[]]}`)),
    ],
    [
      'keys',
      told((values) => {
        for (let i = 0; i < 200_000; i++) values.set(`k${i}`, 'v');
      }),
    ],
    [
      'long',
      told((values) => values.set('eos.config', JSON.stringify({ preset: 'a'.repeat(50 * MB) }))),
    ],
    ['far', far],
    ['words', words],
  ];
  return files.flatMap(([name, bytes]) => {
    const file = `${name}.parquet`;
    const commands: string[][] = [
      ['inspect', file],
      ['verify', file],
      ['predict', file],
      ['export', file, '--csv', '--out', 'out.csv', '--force'],
      ['diff', file, file],
      ['figures', '--run', file, '--out', 'figures', '--only', '1', '--format', 'svg'],
      ['stream', '--dry-run', '--steps', '10', '--config', file],
    ];
    // As many kinds of files as commands: each is read by three of them.
    const at = name.length % commands.length;
    const chosen =
      name === 'far' || name === 'samples' || name === 'steps'
        ? commands
        : [0, 2, 5].map((next) => commands[(at + next) % commands.length]!);
    return chosen.map((args) => ({ name: `${args[0]} ${name}`, files: { [file]: bytes }, args }));
  });
}

const folderId = '00000000-0000-4000-8000-000000000000';

function manifest(axes: Readonly<Record<string, string>>, more: object = {}): string {
  const sweeps = [{ axes, trajectories: null, ...more }];
  return JSON.stringify({ schema_version: '1', folder: folderId, sweeps });
}

function sweepBombs(): Bomb[] {
  const axes = { eta: '0.01:0.5:log:60', steps: '100' };
  const manifests: readonly (readonly [string, string])[] = [
    ['parts', manifest({ ...axes, beta1: '0.1:0.9:1000000000000', alpha: '0.1:0.9:13000' })],
    ['more-parts', manifest({ eta: '0.01:0.5:log:9007199254740991', steps: '10000' })],
    ['parts-steps', manifest({ eta: '0.01:0.5:log:200000000', steps: '1000000000' })],
    ['list', manifest({ ...axes, seed: `0..999999,${'1,'.repeat(900_000)}2` })],
    ['whole', manifest({ ...axes, steps: '1:900000:900000', seed: '0..999999999' })],
    ['deep', '['.repeat(5 * MB)],
    ['arrays', `{"folder":"x","sweeps":[${'[],'.repeat(15 * MB)}[]]}`],
    [
      'sweeps',
      JSON.stringify({
        schema_version: '1',
        folder: folderId,
        sweeps: Array(20_000).fill({ axes, trajectories: null }),
      }),
    ],
    ['axes', JSON.stringify({ folder: folderId, sweeps: [{ axes: { eta: { length: 1e9 } } }] })],
    [
      'overlap',
      JSON.stringify({
        folder: folderId,
        sweeps: [axes, { ...axes, seed: '0..999999999' }].map((each) => ({
          axes: each,
          trajectories: null,
        })),
      }),
    ],
  ];
  return manifests.flatMap(([name, text]) =>
    [
      ['sweep', '--out', 's', '--eta', '0.01:0.5:log:60', '--steps', '100'],
      ['sweep', 'status', '--out', 's'],
      ['figures', '--sweep', 's', '--out', 'maps', '--format', 'svg'],
      ['dash', 'build', '--data', 's', '--out', 'page'],
    ].map((args) => ({
      name: `${args.slice(0, 2).join(' ')} ${name}`,
      files: { 's/sweep.json': text, 's/summary/part-x-000000.parquet': partBomb() },
      args,
    })),
  );
}

/** A part with a checksum that is right, and lists that are not. */
function partBomb(): Uint8Array {
  const mark = 'sha256:';
  const bytes = Buffer.concat([
    listFile(1e8, 1, false).subarray(0, -8),
    Buffer.from(`part-x-000000.parquet${mark}${'0'.repeat(64)}`),
    listFile(1e8, 1, false).subarray(-8),
  ]);
  const digest = createHash('sha256').update(bytes).digest('hex');
  bytes.write(digest, bytes.lastIndexOf(mark) + mark.length, 'latin1');
  return bytes;
}

function configBombs(): Bomb[] {
  const contents: readonly (readonly [string, string])[] = [
    ['samples', '{"samples": 1000000000}'],
    ['samples-sweep', '{"samples": 1e15}'],
    ['steps', `{"steps": ${2 ** 53 - 1}, "eta": 0.05}`],
    ['precision', '{"precision": 1000000000}'],
    ['digits', `{"eta": ${'1'.repeat(900_000)}}`],
    ['digits-text', `{"eta": "${'1'.repeat(900_000)}e"}`],
    ['fraction', `{"eta": "1/${'9'.repeat(900_000)}"}`],
    ['arrays', `{"eta": [${'[],'.repeat(300_000)}[]]}`],
    ['columns', `{"columns": "${'step,'.repeat(200_000)}"}`],
  ];
  return contents.flatMap(([name, content]) =>
    [
      ['stream', '--dry-run', '--steps', '10', '--config', 'c.json'],
      ['sweep', '--dry-run', '--steps', '10', '--out', 's', '--spec', 'c.json'],
    ].map((args) => ({
      name: `${args[0]} config ${name}`,
      files: { 'c.json': content },
      args,
    })),
  );
}

/** Kinds of the records of a journal. */
const [FLUSH, GROUP, DELTA] = [1, 2, 3];

function journalRecord(
  kind: number,
  { offset = 4, length = 0, checksum = 0, payload = new Uint8Array() },
): Buffer {
  const header = Buffer.alloc(36);
  header.write('EOSJ', 0, 'latin1');
  header.writeUInt32LE(kind, 4);
  header.writeBigUInt64LE(BigInt(offset), 8);
  header.writeBigUInt64LE(BigInt(length), 16);
  header.writeUInt32LE(checksum, 24);
  header.writeUInt32LE(payload.length, 28);
  header.writeUInt32LE(crc32(payload, crc32(header.subarray(0, 32))), 32);
  return Buffer.concat([header, payload]);
}

function journalBombs(): Bomb[] {
  const lists = Buffer.from(listFile(1e8, 1, false));
  const end = lists.length - 8 - lists.readUInt32LE(lists.length - 8);
  const flush = journalRecord(FLUSH, { offset: end, payload: lists.subarray(end) });
  const delta = (numbers: readonly number[], inserted = 0, offset = end) =>
    journalRecord(DELTA, {
      offset,
      payload: Buffer.concat([
        Buffer.from(Uint32Array.of(numbers.length, ...numbers).buffer),
        Buffer.alloc(inserted),
      ]),
    });
  const large = journalRecord(FLUSH, { offset: end, payload: Buffer.alloc(8 * MB) });
  const many = (count: number, record: (i: number) => Buffer) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => record(i)));
  const twice = delta(Array.from({ length: 30_000 }, () => [0, lists.length - end, 0]).flat());
  const journals: readonly (readonly [string, Buffer])[] = [
    ['lists', flush],
    ['deltas', Buffer.concat([large, many(60_000, () => delta([0, 8 * MB, 0]))])],
    ['copies', Buffer.concat([flush, many(30, () => twice)])],
    ['claimed', Buffer.concat([flush, delta([0, 2 ** 32 - 1, 2 ** 32 - 1])])],
    [
      'far',
      many(200_000, (i) => journalRecord(GROUP, { offset: 4 + i * 2 ** 33, length: 2 ** 33 })),
    ],
    [
      'empty',
      many(100_000, () => journalRecord(GROUP, { length: 0, payload: lists.subarray(end) })),
    ],
    ['zeros', Buffer.alloc(30 * MB)],
  ];
  return journals.flatMap(([name, journal]) =>
    [
      ['recover', 'run.parquet.partial'],
      ['stream', '--resume', 'run.parquet'],
      ['stream', '--out', 'run.parquet', '--steps', '10', '--quiet'],
      ['inspect', 'run.parquet.partial'],
    ].map((args) => ({
      name: `${args.slice(0, 2).join(' ')} journal ${name}`,
      files: { 'run.parquet.partial': lists, 'run.parquet.partial.journal': journal },
      args,
    })),
  );
}

/**
 * The files that other tests of this folder make, each with a command of those that read such
 * files.
 */
async function knownBombs(): Promise<Bomb[]> {
  const commands: readonly ((file: string) => readonly string[])[] = [
    (file) => ['export', file, '--ndjson'],
    (file) => ['diff', file, file],
    (file) => ['predict', file],
    (file) => ['detect', file, '--eta', '0.05'],
    (file) => ['figures', '--run', file, '--out', 'figures', '--format', 'svg', '--only', '2'],
    (file) => ['inspect', file],
    (file) => ['dash', 'build', '--data', file, '--out', 'page'],
  ];
  const each = ({ name, bytes }: HostileFile, args: readonly string[]): Bomb => ({
    name: `${args[0]} ${name}`,
    files: { [name]: bytes },
    args,
  });
  const tables = [...(await hostileParquet()), ...(await hostileArrow())];
  const partials = (await hostileParquet()).map(({ name, bytes }) => ({
    name: `${name}.partial`,
    bytes,
  }));
  return [
    ...tables.map((file, i) => each(file, commands[i % commands.length]!(file.name))),
    ...partials.map((file, i) =>
      each(file, i % 2 ? ['recover', file.name] : ['stream', '--resume', file.name]),
    ),
    ...hostileLogs().map(({ name, bytes }) => detect(name, bytes)),
  ];
}
