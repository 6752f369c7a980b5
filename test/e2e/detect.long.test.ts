import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MeasuredSummary } from '../../src/pipeline/phases/measured/summary.ts';
import { describeWith, part, python, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const ARRAYS = join(root, 'test/sources/training-log/formats/run.npz');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eos-detect-'));
});
afterAll(() => removeFolder(folder));

interface Outcome {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function eos(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bin/run.js'), ...args],
      { cwd: folder, maxBuffer: 1 << 26 },
      (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}

type Event = Readonly<Record<string, unknown>> & { readonly event: string };
const events = ({ stdout }: Outcome): Event[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event);

/** Rows of a run that reaches the edge at step 60 and oscillates there. */
const rows = Array.from({ length: 200 }, (_, t) => ({
  step: t,
  loss: Math.exp(-t / 50),
  sharpness: t < 60 ? 8 + 0.2 * t : 20 + Math.sin((t - 60) / 4),
}));
const asNdjson = (part = rows) => part.map((row) => `${JSON.stringify(row)}\n`).join('');
const asCsv = () =>
  [
    'step,loss,sharpness',
    ...rows.map(({ step, loss, sharpness }) => `${step},${loss},${sharpness}`),
    '',
  ].join('\n');

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return name;
}

async function readRun(name: string) {
  const file = await asyncBufferFromFile(join(folder, name));
  const metadata = await parquetMetadataAsync(file);
  const pairs = Object.fromEntries(
    (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
  );
  return {
    rows: await parquetReadObjects({ file, metadata }),
    summary: JSON.parse(pairs['eos.summary']!) as MeasuredSummary,
    config: JSON.parse(pairs['eos.config']!) as Record<string, unknown>,
    schema: metadata.schema.slice(1).map(({ name, repetition_type }) => [name, repetition_type]),
  };
}

describe('formats', () => {
  const list = (field: keyof (typeof rows)[number]) => rows.map((row) => row[field]);
  const arrow = () =>
    tableFromArrays({
      step: Int32Array.from(list('step')),
      loss: Float64Array.from(list('loss')),
      sharpness: Float64Array.from(list('sharpness')),
    });

  const contents: readonly (readonly [string, () => string | Uint8Array])[] = [
    ['log.ndjson', asNdjson],
    ['log.csv', asCsv],
    ['log.tsv', () => asCsv().replaceAll(',', '\t')],
    ['crlf.csv', () => asCsv().replaceAll('\n', '\r\n')],
    ['log.ndjson.gz', () => gzipSync(asNdjson())],
    [
      'members.gz',
      () =>
        Buffer.concat([gzipSync(asNdjson(rows.slice(0, 90))), gzipSync(asNdjson(rows.slice(90)))]),
    ],
    ['list.json', () => JSON.stringify(rows)],
    [
      'lists.json',
      () =>
        JSON.stringify(
          { loss: list('loss'), eigenvalues: list('sharpness').map((s) => [1, s]) },
          null,
          1,
        ),
    ],
    ['log.arrow', () => tableToIPC(arrow(), 'file')],
    ['stream.arrow', () => tableToIPC(arrow(), 'stream')],
  ];

  test.each(contents)(
    '%s, guessed by content, from a file and from a pipe',
    async (name, content) => {
      put(name, content());
      const file = await eos('detect', name, '--eta', '0.1', '--log-format', 'json');
      expect(file).toMatchObject({ code: 0, stderr: '' });
      const done = events(file).at(-1)!;
      expect(done).toMatchObject({
        event: 'done',
        first_crossing: 60,
        rows: 200,
        measured: 200,
        skipped: [],
      });

      const child = spawn(process.execPath, [
        join(root, 'bin/run.js'),
        'detect',
        '-',
        '--eta',
        '0.1',
        '--log-format',
        'json',
      ]);
      const piped = collect(child);
      child.stdin.end(readFileSync(join(folder, name)));
      const { code, stdout } = await piped;
      expect(code).toBe(0);
      expect(events({ code, stdout, stderr: '' }).at(-1)).toEqual(done);
    },
  );

  test('Parquet: what detect wrote can be detected again, and says the same', async () => {
    put('again.ndjson', asNdjson());
    expect(
      await eos(
        'detect',
        'again.ndjson',
        '--eta',
        '0.1',
        '--out',
        'first.parquet',
        '--arrow',
        'first.arrow',
        '-q',
      ),
    ).toEqual({ code: 0, stdout: '', stderr: '' });
    for (const input of ['first.parquet', 'first.arrow']) {
      expect((await eos('detect', input, '--out', 'second.parquet', '-q', '--force')).code).toBe(0);
      const first = await readRun('first.parquet');
      const second = await readRun('second.parquet');
      expect(second.rows).toEqual(first.rows);
      // The learning rate was said, and stands in the file now.
      const { columns, ...summary } = second.summary;
      expect(columns).toMatchObject(first.summary.columns);
      expect({ ...summary, columns: first.summary.columns }).toEqual(first.summary);
    }
  });

  test('a gzip stream that was cut off gives what there is', async () => {
    const whole = gzipSync(
      Array.from({ length: 5000 }, (_, t) => `{"step":${t},"loss":${Math.sin(t) + 2}}\n`).join(''),
    );
    put('cut.gz', whole.subarray(0, whole.length / 2));
    const outcome = await eos('detect', 'cut.gz', '--log-format', 'json');
    expect(outcome.code).toBe(0);
    const { rows: count, skipped } = events(outcome).at(-1) as unknown as MeasuredSummary;
    expect(count).toBeGreaterThan(1000);
    expect(skipped).toEqual([
      { what: 'line', reason: 'cut off in mid-line', count: 1, first_line: count + 1 },
    ]);
  });
});

test('the files hold the same rows, NULL where unmeasured, config and summary', async () => {
  put('files.csv', asCsv());
  const outcome = await eos(
    'detect',
    'files.csv',
    '--eta',
    '1/10',
    '--out',
    'files.parquet',
    '--arrow',
    'files.arrow',
  );
  expect(outcome).toMatchObject({ code: 0, stdout: '' });
  expect(outcome.stderr).toMatch(/phase {3}edge of stability/);
  expect(outcome.stderr).toMatch(/wrote files.parquet: 200 rows/);

  const { rows: read, summary, config, schema } = await readRun('files.parquet');
  expect(schema).toEqual([
    ['step', 'REQUIRED'],
    ...['eta', 'loss', 'sharpness', 'threshold', 'sharpness_ratio'].map((name) => [
      name,
      'OPTIONAL',
    ]),
    ...['regime', 'phase', 'cycle'].map((name) => [name, 'REQUIRED']),
  ]);
  expect(read[100]).toMatchObject({
    step: 100n,
    eta: 0.1,
    threshold: 20,
    loss: rows[100]!.loss,
    sharpness: rows[100]!.sharpness,
  });
  expect(config).toMatchObject({
    source: 'training-log',
    log: 'files.csv',
    format: 'csv',
    eta: 0.1,
    optimizer: 'gd',
    threshold: '2/η',
  });
  expect(
    summary.phases.map(({ phase, first_step, last_step }) => [phase, first_step, last_step]),
  ).toEqual([
    ['progressive-sharpening', 0, 59],
    ['edge-of-stability', 60, 199],
  ]);

  const arrow = tableFromIPC(readFileSync(join(folder, 'files.arrow')));
  expect(JSON.parse(arrow.schema.metadata.get('eos.summary')!)).toEqual(summary);
  expect(arrow.toArray().map((row) => ({ ...(row.toJSON() as object) }))).toEqual(read);

  const inspected = await eos('inspect', 'files.parquet', '--json');
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    rows: 200,
    missing_columns: [],
    missing_metadata: [],
    summary: { first_crossing: 60 },
  });
});

test('the same command can be repeated; another one needs --force', async () => {
  put('repeat.csv', asCsv());
  const command = ['detect', 'repeat.csv', '--eta', '0.1', '--out', 'repeat.parquet', '-q'];
  expect((await eos(...command)).code).toBe(0);
  expect((await eos(...command)).code).toBe(0);
  const other = await eos('detect', 'repeat.csv', '--eta', '0.2', '--out', 'repeat.parquet');
  expect(other.code).toBe(2);
  expect(other.stderr).toBe(
    'eos: --out: repeat.parquet exists and is not this very run; give another name, or --force to replace it\n',
  );
  expect(
    (await eos('detect', 'repeat.csv', '--eta', '0.2', '--out', 'repeat.parquet', '--force', '-q'))
      .code,
  ).toBe(0);
});

describe('bad input is one line, exit code 2, and no file', () => {
  test.each([
    [
      'two runs',
      () => 'step,loss\n0,1\n1,1\n0,1\n1,1\n',
      [],
      'line 4: step 0 after step 1: a second run begins here; split the log, or choose one with --run 1, --run 2, …',
    ],
    [
      'no rate',
      asCsv,
      [],
      'line 2: the learning rate is not known; give it with --eta 0.01, a schedule --eta 0:0.1,1000:0.01, or a column --eta-col NAME',
    ],
    [
      'nothing known',
      () => 'a,b\n1,2\n',
      [],
      'line 1: no column is named like a loss or a sharpness (found a, b); name them with --loss-col and --sharpness-col',
    ],
    [
      'damaged Parquet',
      () => 'PAR1 and then nothing of the kind',
      [],
      'a damaged or unfinished Parquet file: ',
    ],
    [
      'damaged Arrow',
      () => 'ARROW1\0\0 and then nothing of the kind',
      [],
      'a damaged or unfinished Arrow file: ',
    ],
    [
      'damaged gzip',
      () => Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9),
      [],
      'the gzip stream is damaged',
    ],
  ])('%s', async (name, content, args, message) => {
    const log = put(`bad-${name.replaceAll(' ', '-')}`, content());
    const outcome = await eos('detect', log, ...args, '--out', 'bad.parquet');
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code: 2, stdout: '' });
    const last = outcome.stderr.trimEnd().split('\n').at(-1)!;
    expect(last.startsWith(`eos: ${log}: ${message}`), last).toBe(true);
    expect(outcome.stderr).not.toContain('    at ');
    expect(readdirSync(folder).filter((file) => file.startsWith('bad.parquet'))).toEqual([]);
  });

  test.each([
    [['nowhere.csv'], 'nowhere.csv: there is no such file'],
    [['.'], '.: this is a folder without event files of TensorBoard; name a log in it'],
    [['.', '--follow'], '.: a folder cannot be followed; leave out --follow'],
    [
      [ARRAYS, '--follow'],
      `${ARRAYS}: a file of this kind (npz) is read as a whole, and cannot be followed`,
    ],
    [['x', '--eta', 'fast'], "--eta: 'fast' is no learning rate"],
    [['x', '--eta', '0:0.1,5'], "--eta: '5' is not a step and a learning rate, such as 1000:0.01"],
    [
      ['x', '--optimizer', 'lion'],
      "--optimizer: 'lion' is none of gd, momentum, nesterov, rmsprop, adam",
    ],
    [['x', '--momentum', '1.5'], '--momentum: 1.5 is not a number from 0 to below 1, such as 0.9'],
    [['x', '--format', 'xml'], "--format: 'xml' is none of csv, tsv, ndjson, json, text, parquet"],
    [['x', '--false-alarms', '-1'], "--false-alarms: '-1' is not a positive number"],
    [
      ['-', '--follow'],
      '--follow: standard input is followed anyway; name a file, or leave the flag out',
    ],
    [['x', '--out', 'x'], '--out: x is the log itself; give another name'],
    [
      ['x', '--out', 'y', '--arrow', './y'],
      '--arrow: ./y is the Parquet file already; give the Arrow file another name',
    ],
  ])('%j', async (args, message) => {
    const outcome = await eos('detect', ...args);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr.startsWith(`eos: ${message}`), outcome.stderr).toBe(true);
    expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

/** A running `eos detect` whose events can be waited for. */
function live(...args: string[]) {
  const child = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'detect', ...args, '--log-format', 'json'],
    {
      cwd: folder,
    },
  );
  const seen: Event[] = [];
  const waiting: {
    readonly wanted: (event: Event) => boolean;
    readonly resolve: (event: Event) => void;
  }[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    rest += chunk.toString();
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as Event;
      seen.push(event);
      for (const { wanted, resolve } of waiting) if (wanted(event)) resolve(event);
    }
  });
  return {
    child,
    ended: collect(child),
    until(wanted: (event: Event) => boolean): Promise<Event> {
      const known = seen.find(wanted);
      return known
        ? Promise.resolve(known)
        : new Promise((resolve) => waiting.push({ wanted, resolve }));
    },
  };
}

function collect(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

const phase = (name: string) => (event: Event) => event.event === 'phase' && event.phase === name;

describe('live', () => {
  test('lines that never pause are answered while they come', async () => {
    const { child, until, ended } = live('-', '--eta', '0.1');
    let step = 0;
    // A little faster than any pause that could be waited for.
    const feed = setInterval(() => {
      child.stdin.write(
        `${JSON.stringify({ step, loss: Math.exp(-step / 500), sharpness: Math.min(19 + step, 21) })}\n`,
      );
      step++;
    }, 4);
    await until((event) => event.event === 'phase' && event.phase === 'edge-of-stability');
    clearInterval(feed);
    child.stdin.end();
    const outcome = await ended;
    expect(outcome.code).toBe(0);
    expect(events(outcome).at(-1)).toMatchObject({ event: 'done', rows: step });
    expect(step).toBeLessThan(4000);
  });

  test('each line that is piped in is answered before the next one comes', async () => {
    const { child, until, ended } = live('-', '--eta', '0.1', '--out', 'live.parquet');
    child.stdin.write('{"step":0,"loss":1,"sharpness":10}\n');
    await until(phase('progressive-sharpening'));
    for (let t = 1; t <= 5; t++)
      child.stdin.write(`{"step":${t},"loss":1,"sharpness":${10 + 1.9 * t}}\n`);
    for (let t = 6; t <= 8; t++) child.stdin.write(`{"step":${t},"loss":1,"sharpness":22}\n`);
    expect(await until(phase('edge-of-stability'))).toMatchObject({
      step: 6,
      detected_step: 8,
      ratio: 1.1,
    });
    child.stdin.end('{"step":9,"loss":1,"sharpness":22}');
    expect((await ended).code).toBe(0);
    expect((await readRun('live.parquet')).rows).toHaveLength(10);
  });

  test('Ctrl-C closes the files, valid, with exit code 130', async () => {
    const { child, until, ended } = live(
      '-',
      '--eta',
      '0.1',
      '--out',
      'stopped.parquet',
      '--arrow',
      'stopped.arrow',
    );
    child.stdin.write(asNdjson(rows.slice(0, 80)));
    await until(phase('edge-of-stability'));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const { rows: read, summary } = await readRun('stopped.parquet');
    expect(read).toHaveLength(80);
    expect(summary).toMatchObject({
      interrupted: true,
      outcome: 'edge-of-stability',
      first_crossing: 60,
    });
    expect(tableFromIPC(readFileSync(join(folder, 'stopped.arrow'))).numRows).toBe(80);
  });

  test('a followed file may come late, grow in pieces, be truncated and replaced', async () => {
    const log = join(folder, 'growing.ndjson');
    const { child, until, ended } = live(
      'growing.ndjson',
      '--follow',
      '--eta',
      '0.1',
      '--out',
      'followed.parquet',
    );
    writeFileSync(log, asNdjson(rows.slice(0, 10)));
    await until(phase('progressive-sharpening'));
    const text = asNdjson(rows.slice(10, 80));
    appendFileSync(log, text.slice(0, 1001));
    appendFileSync(log, text.slice(1001));
    await until(phase('edge-of-stability'));
    // Truncated, with the steps going on.
    writeFileSync(log, asNdjson(rows.slice(80, 100)));
    await until((event) => event.event === 'cycle' || (event.step as number) > 80);
    // Another file under the name.
    writeFileSync(`${log}.new`, asNdjson(rows.slice(100, 200)));
    renameSync(`${log}.new`, log);
    await until((event) => event.event === 'cycle' && (event.step as number) > 150);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const { rows: read, summary } = await readRun('followed.parquet');
    expect(read.map(({ step }) => Number(step))).toEqual(rows.map(({ step }) => step));
    expect(summary.skipped).toEqual([]);
  });

  test('a second run in a file that is followed ends the first one, with its files', async () => {
    put('restarted.ndjson', asNdjson(rows.slice(0, 90)));
    const { until, ended } = live(
      'restarted.ndjson',
      '-f',
      '--eta',
      '0.1',
      '--out',
      'restarted.parquet',
    );
    await until(phase('edge-of-stability'));
    writeFileSync(join(folder, 'restarted.ndjson'), asNdjson(rows.slice(0, 5)));
    const { code } = await ended;
    expect(code).toBe(0);
    const { rows: read, summary } = await readRun('restarted.parquet');
    expect(read).toHaveLength(90);
    expect(summary.warnings.map(({ kind }) => kind)).toContain('second-run');
  });

  test('nothing to read yet and Ctrl-C is no error', async () => {
    const child = spawn(
      process.execPath,
      [join(root, 'bin/run.js'), 'detect', 'never.ndjson', '--follow'],
      {
        cwd: folder,
      },
    );
    const ended = collect(child);
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('waiting for never.ndjson')) resolve();
      });
    });
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });
});

describe('a detection that is killed', () => {
  test.each(['run.parquet', 'run.arrow'])(
    '%s: what was flushed is recovered, with its summary',
    async (name) => {
      for (const rest of readdirSync(folder).filter((file) => file.startsWith('run.')))
        rmSync(join(folder, rest), { force: true });
      const out = name.endsWith('arrow') ? '--arrow' : '--out';
      const { child, until, ended } = live('-', '--eta', '0.1', out, name, '--flush-every', '0.05');
      const log = `${asNdjson(rows.slice(0, 100))}not a line\n${asNdjson(rows.slice(100))}`;
      child.stdin.write(log);
      await until((event) => event.event === 'flush' && event.rows === 200);
      child.kill('SIGKILL');
      await ended;
      const recovered = await eos('recover', `${name}.partial`, '--json');
      expect(recovered).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(recovered.stdout)).toMatchObject({ rows: 200, last_step: 199 });

      put('whole.ndjson', log);
      const whole = events(
        await eos('detect', 'whole.ndjson', '--eta', '0.1', '--log-format', 'json'),
      ).at(-1)!;
      const { summary } = JSON.parse((await eos('inspect', name, '--json')).stdout);
      const { event: _, warnings, ...rest } = whole as Event & { warnings: { kind: string }[] };
      expect(summary).toEqual({
        ...rest,
        interrupted: true,
        recovered: true,
        warnings: [
          ...warnings,
          { kind: 'recovered', step: 199, message: expect.stringContaining('up to step 199') },
        ],
      });
      expect(readdirSync(folder).filter((file) => file.startsWith('run.'))).toEqual([name]);
    },
  );

  test('costs few bytes for few rows, and loses none of them', async () => {
    for (const rest of readdirSync(folder).filter((file) => file.startsWith('run.')))
      rmSync(join(folder, rest), { force: true });
    const line = (step: number) => `${step},${1 / (1 + step)},${10 + step / 5000}\n`;
    const many = Array.from({ length: 60_000 }, (_, step) => line(step)).join('');
    put('many.csv', `step,loss,sharpness\n${many}`);
    const { child, until, ended } = live(
      ...['many.csv', '--eta', '0.1', '--follow', '--out', 'run.parquet', '--flush-every', '0'],
    );
    await until((event) => event.event === 'flush' && event.rows === 60_000);
    const written = () =>
      Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))![1]);
    const each: number[] = [];
    for (let row = 60_000; row < 60_020; row++) {
      const before = written();
      appendFileSync(join(folder, 'many.csv'), line(row));
      await until((event) => event.event === 'flush' && event.rows === row + 1);
      each.push(written() - before);
    }
    // The rows that have not filled their row group yet are 2.4 MB: they are written whole once in
    // a while, when what was appended comes to half of them.
    expect(each.sort((a, b) => a - b)[10]).toBeLessThan(15_000);
    child.kill('SIGKILL');
    await ended;
    const recovered = await eos('recover', 'run.parquet', '--json');
    expect(recovered).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(recovered.stdout)).toMatchObject({ rows: 60_020, last_step: 60_019 });
    expect((await eos('verify', 'run.parquet', '--integrity')).code).toBe(0);
  });

  test('goes on with the same command; rows from a pipe are not written over', async () => {
    for (const rest of readdirSync(folder).filter((file) => file.startsWith('run.')))
      rmSync(join(folder, rest), { force: true });
    put('killed.ndjson', asNdjson(rows.slice(0, 150)));
    const command = ['killed.ndjson', '--eta', '0.1', '--out', 'run.parquet'];
    const { child, until, ended } = live(...command, '--follow', '--flush-every', '0.05');
    await until((event) => event.event === 'flush' && event.rows === 150);
    child.kill('SIGKILL');
    await ended;
    put('killed.ndjson', asNdjson(rows.slice(0, 200)));
    expect(await eos('detect', ...command, '--quiet')).toMatchObject({ code: 0, stderr: '' });
    const { rows: count } = JSON.parse((await eos('inspect', 'run.parquet', '--json')).stdout);
    expect(count).toBe(200);

    rmSync(join(folder, 'run.parquet'));
    const piped = live('-', '--eta', '0.1', '--out', 'run.parquet', '--flush-every', '0.05');
    piped.child.stdin.write(asNdjson(rows.slice(0, 100)));
    await piped.until((event) => event.event === 'flush' && event.rows === 100);
    piped.child.kill('SIGKILL');
    await piped.ended;
    expect(await eos('detect', '-', '--eta', '0.1', '--out', 'run.parquet')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/run\.parquet\.partial holds rows .* eos recover/),
    });
  });
});

describeWith(['python'], 'the programs in docs/detect.md', () => {
  const blocks = () =>
    [
      ...readFileSync(join(root, 'docs/detect.md'), 'utf8').matchAll(/```python\n([\s\S]*?)```/g),
    ].map((match) => match[1]!);
  const block = (word: string) => {
    const found = blocks().find((text) => text.includes(word));
    if (!found) throw new Error(`docs/detect.md has no Python block with ${word}`);
    return found;
  };
  const run = (code: string) =>
    new Promise<Outcome>((resolve) => {
      execFile(part('python'), ['-c', code], { cwd: folder }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
      );
    });

  test('a training loop appends, detect follows, Polars reads the result', async () => {
    for (const file of readdirSync(folder).filter((name) => /^(run|train)\./.test(name)))
      rmSync(join(folder, file));
    const { child, until, ended } = live(
      'train.ndjson',
      '--follow',
      '--eta',
      '0.1',
      '--out',
      'run.parquet',
      '--flush-every',
      '0.05',
    );
    const written = await run(`
import json, math
with open("train.ndjson", "a", buffering=1) as log:
    for step in range(200):
        sharpness = 8 + 0.2 * step if step < 60 else 20 + math.sin((step - 60) / 4)
        log.write(json.dumps({"step": step, "loss": math.exp(-step / 50), "sharpness": sharpness}) + "\\n")
`);
    expect(written).toEqual({ code: 0, stdout: '', stderr: '' });
    await until((event) => event.event === 'flush' && event.rows === 200);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    const read = await run(block('polars'));
    expect(read).toMatchObject({ code: 0, stderr: '' });
    expect(read.stdout).toContain('edge-of-stability');
    expect(read.stdout).toMatch(/edge-of-stability +┆ +60 +┆ +199/);
  });

  test('Parquet as pandas, Polars and PyArrow write it, with lists and gaps', async () => {
    const code = `
import json, math, sys, pandas as pd, polars as pl
steps = list(range(200))
loss = [math.exp(-s / 50) for s in steps]
sharp = [(8 + 0.2 * s if s < 60 else 20 + math.sin((s - 60) / 4)) if s % 2 == 0 else None for s in steps]
pd.DataFrame({"step": steps, "loss": loss, "sharpness": sharp}).to_parquet(sys.argv[1] + "/pandas.parquet")
pl.DataFrame({"step": steps, "train_loss": loss, "eigenvalues": [None if s is None else [1.0, s] for s in sharp]}).write_parquet(sys.argv[1] + "/polars.parquet")
pl.DataFrame({"step": steps, "loss": loss, "sharpness": sharp}).write_ipc(sys.argv[1] + "/polars.arrow")
pd.DataFrame({"step": steps, "loss": loss, "sharpness": sharp}).to_csv(sys.argv[1] + "/pandas.csv")
print(json.dumps(1))`;
    await python(code, [folder]);
    for (const name of ['pandas.parquet', 'polars.parquet', 'polars.arrow', 'pandas.csv']) {
      const outcome = await eos('detect', name, '--eta', '0.1', '--log-format', 'json');
      expect(outcome, name).toMatchObject({ code: 0, stderr: '' });
      expect(events(outcome).at(-1), name).toMatchObject({
        rows: 200,
        measured: 100,
        first_crossing: 60,
        skipped: [],
      });
    }
  });
});

describeWith(['tensorboard'], 'event files as TensorBoard itself writes them', () => {
  test('are read from their folder', async () => {
    const write = `
import json, math, sys
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter(sys.argv[1])
for step in range(200):
    values = [Summary.Value(tag="train/loss", simple_value=math.exp(-step / 50))]
    if step % 2 == 0:
        sharpness = 8 + 0.2 * step if step < 60 else 20 + math.sin((step - 60) / 4)
        values.append(Summary.Value(tag="sharpness", simple_value=sharpness))
    writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=values)))
writer.close()
print(json.dumps(1))`;
    await python(write, [join(folder, 'runs/exp')]);
    const outcome = await eos('detect', 'runs/exp', '--eta', '0.1', '--log-format', 'json');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(events(outcome).at(-1)).toMatchObject({
      rows: 200,
      measured: 100,
      first_crossing: 60,
      skipped: [],
    });
  });
});

test('the program in TypeScript runs', async () => {
  const program = /```ts\n([\s\S]*?)```/.exec(
    readFileSync(join(root, 'docs/detect.md'), 'utf8'),
  )![1]!;
  put('train.ndjson', asNdjson());
  const runnable = program
    .replace("'examples/network.csv'", "'train.ndjson'")
    .replace("parseEta('0.6')", "parseEta('0.1')")
    .replace("'data/log.parquet'", "'log.parquet'")
    .replace("'eos-stream/node'", `'${root}dist/pipeline/node/index.js'`)
    .replace("'eos-stream'", `'${root}dist/pipeline/index.js'`)
    .replace("'rxjs'", `'${join(root, 'node_modules/rxjs/dist/cjs/index.js')}'`);
  put('program.mjs', runnable);
  const outcome = await new Promise<Outcome>((resolve) => {
    execFile(process.execPath, ['program.mjs'], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
  expect(outcome).toEqual({
    code: 0,
    stdout: '0 progressive-sharpening\n60 edge-of-stability\nedge-of-stability\n',
    stderr: '',
  });
});

test('every flag of the command is told in its help and in the docs', async () => {
  const { stdout } = await eos('detect', '--help');
  const docs = readFileSync(join(root, 'docs/detect.md'), 'utf8');
  const flags = [...stdout.matchAll(/--([a-z][a-z-]+)/g)].map((match) => match[1]!);
  expect(flags.length).toBeGreaterThan(20);
  for (const flag of new Set(flags)) expect(docs, flag).toContain(`--${flag}`);
  expect(existsSync(join(root, 'docs/detect.md'))).toBe(true);
});
