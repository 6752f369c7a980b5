// Doctors run files in every way that comes to mind and lets `eos verify` look at each: none may pass.
//
//   node scripts/mutate.js            every mutation of five runs, and the true runs themselves
//   node scripts/mutate.js --true N   N random true runs instead: none may fail
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { lastValueFrom, tap } from 'rxjs';
import { readRun } from '../dist/cli/verify/read-run.js';
import { checksum } from '../dist/pipeline/core/checksum.js';
import { RUN_COLUMNS } from '../dist/pipeline/models/minimal/columns.js';
import { standardPipeline } from '../dist/pipeline/operators/standard.js';
import { gradientDescent } from '../dist/pipeline/sources/descent/gradient-descent.js';
import { checkFile } from '../dist/pipeline/theory/file-check.js';
import { verifyRun } from '../dist/pipeline/theory/verify.js';

const folder = mkdtempSync(join(tmpdir(), 'eos-mutate-'));

/** A run as plain arrays and JSON, as a file holds it. */
export async function trueRun(options) {
  const columns = Object.fromEntries(RUN_COLUMNS.map(({ name }) => [name, []]));
  const { run } = await lastValueFrom(
    gradientDescent(options).pipe(
      standardPipeline(),
      tap((batch) => {
        for (const { name, words } of RUN_COLUMNS)
          for (let i = 0; i < batch.length; i++) {
            const value = batch.columns[name][i];
            columns[name].push(words ? words[value] : value);
          }
      }),
    ),
  );
  const json = (value) => JSON.parse(JSON.stringify(value));
  const config = json(run.config);
  const digest = checksum(JSON.stringify(config));
  return { columns, config, summary: json(run.summary), digest };
}

/** What `eos verify` makes of a file: the names of the checks that fail. */
async function verdict({ columns, config, summary, digest }, path) {
  const types = new Map(RUN_COLUMNS.map(({ name, type }) => [name, type]));
  const columnData = Object.entries(columns).map(([name, data]) => {
    const type = types.get(name);
    const values = type === 'INT64' ? data.map((x) => BigInt(Math.round(x))) : data;
    return { name, data: values, type, nullable: false };
  });
  const kvMetadata = [
    ...(config === undefined ? [] : [{ key: 'eos.config', value: JSON.stringify(config) }]),
    ...(summary === undefined ? [] : [{ key: 'eos.summary', value: JSON.stringify(summary) }]),
    { key: 'eos.schema_version', value: '2' },
    { key: 'eos.digest', value: digest },
  ];
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData, kvMetadata })));
  try {
    const { table, facts } = await readRun(path, {});
    return [...checkFile(table, facts), ...verifyRun(table)]
      .filter((result) => result.verdict === 'fails')
      .map(({ name, note }) => `${name}: ${note ?? ''}`);
  } catch (error) {
    return [`refused: ${error.message}`];
  }
}

const CELL = (rows) => [1, Math.floor(rows / 2), rows - 1];

/** Each mutation of a run, by a name. */
function* mutations(run) {
  const rows = run.columns.step.length;
  const withColumn = (name, change) => ({
    ...run,
    columns: { ...run.columns, [name]: change(run.columns[name].slice()) },
  });
  for (const [name, values] of Object.entries(run.columns)) {
    const number = typeof values[0] === 'number';
    const whole = number && values.every(Number.isInteger);
    const each = (f) => (column) => column.map(f);
    const changes = number
      ? {
          scaled: each((x) => (whole ? 2 * x + 1 : 1.0001 * x)),
          'scaled by a hair': each((x) => (whole ? x + 1 : x * (1 + 1e-9) + 1e-18)),
          shifted: each((x) => (whole ? x + 3 : x + 1e-3)),
          noised: each((x, i) =>
            whole ? x + ((i * 7) % 3) : x * (1 + 1e-6 * Math.sin(i + 1)) + 1e-18,
          ),
          zeroed: each(() => 0),
          negated: each((x) => -x || 1),
          reversed: (column) => column.reverse(),
          'late by a row': (column) => [column[0], ...column.slice(0, -1)],
          constant: (column) => column.map(() => column[0]),
        }
      : {
          constant: (column) => column.map(() => column[0]),
          reversed: (column) => column.reverse(),
          'late by a row': (column) => [column[0], ...column.slice(0, -1)],
        };
    for (const [how, change] of Object.entries(changes)) {
      const changed = withColumn(name, change);
      if (JSON.stringify(changed.columns[name]) !== JSON.stringify(values))
        yield [`column ${name} ${how}`, changed];
    }
    for (const row of CELL(rows)) {
      const other = number
        ? (x) => (whole ? x + 1 : x === 0 ? 1e-9 : x * (1 + 1e-6))
        : (x) =>
            values.find((word) => word !== x) ?? (name === 'regime' ? 'unstable' : 'convergence');
      yield [
        `column ${name}, cell of row ${row}`,
        withColumn(name, (column) => column.map((x, i) => (i === row ? other(x) : x))),
      ];
    }
    const { [name]: _, ...rest } = run.columns;
    yield [`column ${name} left out`, { ...run, columns: rest }];
  }

  const byRows = (change) => ({
    ...run,
    columns: Object.fromEntries(
      Object.entries(run.columns).map(([name, x]) => [name, change(x.slice())]),
    ),
  });
  const half = Math.floor(rows / 2);
  const swap = (x) => {
    [x[half], x[half + 1]] = [x[half + 1], x[half]];
    return x;
  };
  yield ['rows: one dropped', byRows((x) => x.filter((_, i) => i !== half))];
  yield ['rows: the first dropped', byRows((x) => x.slice(1))];
  yield ['rows: the last dropped', byRows((x) => x.slice(0, -1))];
  yield ['rows: a tenth dropped', byRows((x) => x.filter((_, i) => i % 10 !== 3))];
  yield ['rows: one doubled', byRows((x) => [...x.slice(0, half), x[half], ...x.slice(half)])];
  yield ['rows: two swapped', byRows(swap)];
  yield ['rows: the first half', byRows((x) => x.slice(0, half))];
  yield ['rows: the second half', byRows((x) => x.slice(half))];
  yield ['rows: reversed', byRows((x) => x.reverse())];
  const swapped = byRows(swap);
  yield [
    'rows: two swapped, steps in order',
    { ...swapped, columns: { ...swapped.columns, step: run.columns.step } },
  ];
  const cut = byRows((x) => x.filter((_, i) => i !== half));
  yield [
    'rows: one dropped, steps in order',
    { ...cut, columns: { ...cut.columns, step: cut.columns.step.map((_, i) => i) } },
  ];

  yield ['no config', { ...run, config: undefined }];
  yield ['no summary', { ...run, summary: undefined }];
  for (const part of ['config', 'summary'])
    for (const [path, value] of leaves(run[part]))
      for (const [how, other] of others(path, value))
        yield [
          `${part}.${path.join('.')} ${how}`,
          { ...run, [part]: replaced(run[part], path, other) },
        ];
}

function* leaves(value, path = []) {
  if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  else yield [path, value];
}

function* others(path, value) {
  if (typeof value === 'number') {
    yield ['changed', Number.isInteger(value) ? value + 1 : value * 1.01];
    if (value !== 0) yield ['halved', value / 2];
    yield ['negated', -value - 1];
  } else if (typeof value === 'boolean') yield ['turned', !value];
  else if (typeof value === 'string')
    yield ['another word', value === 'converged' ? 'diverged' : 'converged'];
  else yield ['set', path.at(-1) === 'columns' ? ['step', 'loss'] : 7];
  yield ['left out', undefined];
}

function replaced(value, [key, ...path], other) {
  const copy = Array.isArray(value) ? value.slice() : { ...value };
  if (path.length > 0) copy[key] = replaced(value[key], path, other);
  else if (other === undefined) delete copy[key];
  else copy[key] = other;
  return copy;
}

const RUNS = {
  'three phases': { preset: 'three-phases', steps: 3500 },
  paper: { preset: 'paper', steps: 2600 },
  sampled: { samples: 50, seed: 3, steps: 2400 },
  diverging: { eta: 0.04, lambda2: 1, init: [0.5, 0.1, 0.3], floor: 0, steps: 300 },
  'gradient flow': { preset: 'gradient-flow', lambda2: 0.1, steps: 2500 },
};

async function doctored() {
  const passed = [];
  let files = 0;
  for (const [name, options] of Object.entries(RUNS)) {
    const run = await trueRun(options);
    const own = await verdict(run, join(folder, 'true.parquet'));
    if (own.length > 0) console.log(`FALSE ALARM ${name}: ${own.join('; ')}`);
    for (const [what, mutated] of mutations(run)) {
      files++;
      const found = await verdict(mutated, join(folder, 'doctored.parquet'));
      if (found.length === 0) passed.push(`${name}: ${what}`);
    }
  }
  console.log(`${files} doctored files, ${passed.length} pass`);
  for (const line of passed) console.log(`  ${line}`);
  return passed.length === 0;
}

async function truthful(count) {
  let alarms = 0;
  const random = (await import('../dist/pipeline/numeric/random.js')).createRandom(1);
  const between = (a, b) => a * (b / a) ** random.uniform();
  for (let i = 0; i < count; i++) {
    const lambda1 = between(10, 300);
    const lambda2 = lambda1 * between(1e-5, 0.5);
    const bound = Math.sqrt(lambda1 * lambda2);
    const options = {
      lambda1,
      lambda2,
      covariance: random.uniform() < 0.5 ? 0 : 0.9 * bound * (2 * random.uniform() - 1),
      eta: between(0.003, 0.5) * (100 / lambda1),
      init: [2 * random.uniform() - 1, 0.4 * random.uniform() - 0.2, 2 * random.uniform() - 1],
      floor: [0, 1e-9, 1e-6, 1e-3][Math.floor(4 * random.uniform())],
      steps: Math.floor(between(10, 4000)),
      ...(random.uniform() < 0.2 ? { samples: 30, seed: i } : {}),
    };
    const found = await verdict(await trueRun(options), join(folder, 'true.parquet'));
    if (found.length === 0) continue;
    alarms++;
    console.log(`${JSON.stringify(options)}\n  ${found.join('\n  ')}`);
  }
  console.log(`${count} true runs, ${alarms} false alarms`);
  return alarms === 0;
}

try {
  const at = process.argv.indexOf('--true');
  const good = at > 0 ? await truthful(Number(process.argv[at + 1])) : await doctored();
  process.exitCode = good ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
