// What is fuzzed: each with a valid file to begin with, and all that is done with a file of that
// kind.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { parquetMetadata } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { lastValueFrom } from 'rxjs';
import { readConfigFile } from '../dist/cli/config-file.js';
import { describeStored } from '../dist/cli/recover-file.js';
import { streamParameters } from '../dist/cli/stream-parameters.js';
import { readArrowStream } from '../dist/pipeline/formats/arrow/arrow-stream.js';
import { memorySource } from '../dist/pipeline/formats/byte-source.js';
import { openTable } from '../dist/pipeline/formats/open-table.js';
import { parquetFooter } from '../dist/pipeline/formats/parquet/hyparquet.js';
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
} from '../dist/pipeline/index.js';
import { resolveConfig } from '../dist/pipeline/models/minimal/config.js';
import { fileTarget } from '../dist/pipeline/node/file-target.js';
import { parquetjsFormat } from '../dist/pipeline/node/parquetjs.js';
import { openStored } from '../dist/pipeline/node/stored-file.js';
import { trainingLog } from '../dist/pipeline/sources/training-log/training-log.js';

const RUN = { preset: 'three-phases', steps: 150 };

export async function readers() {
  const folder = mkdtempSync(join(tmpdir(), 'eos-fuzz-'));
  const parquet = await written((target) => parquetSink(target));
  const arrow = await written((target) => arrowSink(target));
  const few = ['step', 'loss', 'regime', 'phase', 'cycle'];
  const other = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'step', data: Int32Array.from({ length: 90 }, (_, i) => i) },
        {
          name: 'loss',
          data: Array.from({ length: 90 }, (_, i) => (i % 7 ? 1 / (i + 1) : null)),
          type: 'DOUBLE',
        },
        {
          name: 'name',
          data: Array.from({ length: 90 }, (_, i) => `run ${i % 3}`),
          type: 'STRING',
        },
        { name: 'ok', data: Array.from({ length: 90 }, (_, i) => i % 2 === 0), type: 'BOOLEAN' },
      ],
      rowGroupSize: 40,
    }),
  );
  const rows = Array.from({ length: 60 }, (_, i) => ({
    step: i,
    loss: 1 / (i + 1),
    sharpness: 30 + i / 4,
  }));
  const csv = ['step,loss,sharpness', ...rows.map((row) => Object.values(row).join(','))].join(
    '\n',
  );
  const partial = await left(folder);

  // Compressed, with string views, lists, structs and dictionaries inside lists.
  const foreign = ['pandas-lz4', 'polars-views', 'polars-zstd', 'pyarrow-zstd-stream'].map(
    (name) => ({
      name,
      seed: readFileSync(new URL(`../test/formats/foreign/${name}.arrow`, import.meta.url)),
      read: readForeign,
    }),
  );

  const table = (name, seed) => ({
    name,
    seed,
    read: readTable,
    changeFooter: (change) => withFooter(seed, change),
  });
  const log = (name, seed) => ({ name, seed: Buffer.from(seed), read: readLog });
  return [
    table('run.parquet', parquet),
    table(
      'parquetjs-lite',
      await written((target) => parquetSink(target, { format: parquetjsFormat, columns: few })),
    ),
    table('Snappy, nulls, text', other),
    { name: 'run.arrow', seed: arrow, read: readTable },
    { name: 'Arrow stream', seed: tableToIPC(tableFromIPC(arrow), 'stream'), read: readStream },
    ...foreign,
    log('log.csv', csv),
    log('log.ndjson', rows.map((row) => JSON.stringify(row)).join('\n')),
    log('log.json', JSON.stringify({ params: { eta: 0.05 }, steps: rows })),
    {
      name: 'log.parquet',
      seed: parquet,
      read: readLog,
      changeFooter: (change) => withFooter(parquet, change),
    },
    {
      name: 'partial file',
      seed: partial.file,
      read: (bytes) => readPartial(folder, bytes, partial.journal),
    },
    {
      name: 'journal',
      seed: partial.journal,
      read: (bytes) => readPartial(folder, partial.file, bytes),
    },
    {
      name: 'config',
      seed: Buffer.from(JSON.stringify(resolveConfig(RUN))),
      read: (bytes) => readConfig(folder, bytes),
    },
  ];
}

async function written(sink) {
  const target = memoryTarget();
  await lastValueFrom(run().pipe(sink(target)));
  return Buffer.from(target.bytes());
}

function run(options = RUN) {
  return gradientDescent(options, { batchSize: 50 }).pipe(
    splitLoss(),
    classifySharpness(),
    flowSolution(),
    detectPhases(),
    summarize(),
  );
}

/** What a program that died leaves: the partial file and its journal, behind a flush. */
async function left(folder) {
  const path = join(folder, 'left.parquet');
  const target = fileTarget(path);
  let stop;
  const flushed = new Promise((resolve) => {
    stop = run({ ...RUN, steps: 1e9 })
      .pipe(parquetSink(target, { flushEvery: 0, onFlush: resolve }))
      .subscribe();
  });
  await flushed;
  const file = await readFile(`${path}.partial`);
  const journal = await readFile(`${path}.partial.journal`);
  stop.unsubscribe();
  return { file, journal };
}

async function readTable(bytes) {
  const { fields, groups, read } = await openTable(memorySource(bytes));
  for (let group = 0; group < groups.length; group++) {
    for (const [field, { kind }] of fields.entries())
      if (kind !== 'nested') await read(field, group);
  }
}

async function readForeign(bytes) {
  await readTable(bytes);
  await readLog(bytes);
}

async function readStream(bytes) {
  for await (const { fields, read } of readArrowStream(chunksOf(bytes)))
    for (const [field, { kind }] of fields.entries()) if (kind !== 'nested') read(field);
}

async function readLog(bytes) {
  await lastValueFrom(trainingLog({ name: 'log', chunks: chunksOf(bytes) }, { eta: undefined }));
}

async function readPartial(folder, bytes, journal) {
  const path = join(folder, 'fuzzed.parquet.partial');
  writeFileSync(path, bytes);
  writeFileSync(`${path}.journal`, journal);
  const file = await openStored(path);
  try {
    if (file.groups.length > 0) await describeStored(file);
  } finally {
    await file.close();
  }
}

async function readConfig(folder, bytes) {
  const path = join(folder, 'config.json');
  writeFileSync(path, bytes);
  resolveConfig(await readConfigFile('config', path, streamParameters));
}

async function* chunksOf(bytes) {
  yield bytes;
}

/** The file with one number of its footer changed. */
function withFooter(seed, { leaf, value }) {
  const footer = parquetMetadata(new Uint8Array(seed));
  const end = seed.length - 8 - footer.metadata_length;
  const leaves = [];
  const collect = (object) => {
    for (const [key, item] of Object.entries(object)) {
      if (typeof item === 'object' && item !== null) collect(item);
      else if (typeof item === 'number' || typeof item === 'bigint') leaves.push([object, key]);
    }
  };
  collect(footer);
  const [object, key] = leaves[leaf % leaves.length];
  object[key] = typeof object[key] === 'bigint' ? BigInt(value) : value;
  try {
    return Buffer.concat([seed.subarray(0, end), parquetFooter(footer)]);
  } catch {
    return Buffer.from(seed);
  }
}
