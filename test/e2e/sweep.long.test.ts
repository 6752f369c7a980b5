import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { describeWith, python } from '../setup/parts.ts';
import {
  asSummary,
  comparable,
  eos,
  newFolder,
  parts,
  runMetadata,
  start,
  summaryRows,
} from './sweep-command.ts';

const grid = ['--eta', '0.02,1/20,0.12,0.6', '--lambda2', '0.01,0.3', '--steps', '3000'];

describe('eos sweep', () => {
  test('every row is the summary of the same run by eos stream, bit for bit', async () => {
    const out = join(newFolder(), 'sweep');
    const { code, stderr } = await eos([
      'sweep',
      ...grid,
      '--samples',
      '40',
      '--seeds',
      '0..1',
      '--out',
      out,
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const rows = await summaryRows(out);
    expect(rows).toHaveLength(16);
    for (const row of rows) {
      const file = join(newFolder(), 'run.parquet');
      const parameters = [
        'lambda1',
        'lambda2',
        'covariance',
        'samples',
        'seed',
        'eta',
        'floor',
        'steps',
      ].flatMap((name) => [`--${name}`, String(row[name])]);
      const init = [row.init_alpha, row.init_beta1, row.init_beta2].join(',');
      const streamed = await eos([
        'stream',
        ...parameters,
        '--init',
        init,
        '--out',
        file,
        '--quiet',
      ]);
      expect(streamed.code).toBe(0);
      const { summary, config } = await runMetadata(file);
      expect(asSummary(row)).toEqual(summary);
      const { moment_lambda1, moment_lambda2, moment_covariance } = row;
      expect(config.moments).toEqual({
        lambda1: moment_lambda1,
        lambda2: moment_lambda2,
        covariance: moment_covariance,
      });
    }
    expect(new Set(rows.map(({ outcome }) => outcome)).size).toBeGreaterThan(2);
  });

  test('does not depend on threads, on shards, nor on how the grid was said', async () => {
    const many = [...grid, '--init', '0.3,0.1,0.3;0.6,0.01,0.6', '--delta', '0.01:0.1:lin:8'];
    const folder = newFolder();
    const spec = join(folder, 'sweep.json');
    writeFileSync(
      spec,
      JSON.stringify({
        init: [
          [0.3, 0.1, 0.3],
          [0.6, 0.01, 0.6],
        ],
        delta: '0.01:0.1:lin:8',
        steps: 3000,
        lambda2: [0.01, 0.3],
        eta: '0.02,1/20,0.12,0.6',
      }),
    );
    // As some editors write it.
    const marked = join(folder, 'marked.json');
    writeFileSync(marked, `\ufeff${readFileSync(spec, 'utf8')}`);
    const [one, three, shards] = ['one', 'three', 'shards'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    expect(await eos(['sweep', ...many, '--out', one, '--threads', '1'])).toMatchObject({
      code: 0,
    });
    expect(await eos(['sweep', '--spec', marked, '--out', three, '--threads', '3'])).toMatchObject({
      code: 0,
    });
    const shares = ['2/3', '0/3', '1/3'].map((shard) =>
      eos(['sweep', ...many, '--out', shards, '--shard', shard]),
    );
    for (const share of await Promise.all(shares)) expect(share).toMatchObject({ code: 0 });
    const expected = comparable(await summaryRows(one));
    expect(expected).toHaveLength(128);
    expect(comparable(await summaryRows(three))).toEqual(expected);
    expect(comparable(await summaryRows(shards))).toEqual(expected);
    expect(parts(three)).toEqual(parts(one));
    expect(parts(shards)).toEqual(parts(one));
    const manifest = (out: string) => JSON.parse(readFileSync(join(out, 'sweep.json'), 'utf8'));
    const { folder: own, ...rest } = manifest(shards);
    const { folder: other, ...expectedRest } = manifest(one);
    expect(rest).toEqual(expectedRest);
    expect(own).not.toBe(other);
  });

  test('the same command does only what is missing; a damaged part is redone', async () => {
    const out = join(newFolder(), 'sweep');
    const args = ['sweep', '--eta', '0.02:0.2:log:50', '--steps', '500', '--out', out];
    expect((await eos(args)).stderr).toMatch(/50 runs on \d+ threads?\nwrote .*: 50 runs in/);
    const whole = comparable(await summaryRows(out));
    const names = parts(out);
    const written = (name: string) => statSync(join(out, 'summary', name)).mtimeMs;
    const before = names.map(written);
    expect((await eos(args)).stderr).toContain('all 50 runs are there already');

    rmSync(join(out, 'summary', names[3]!));
    const cut = join(out, 'summary', names[7]!);
    writeFileSync(cut, readFileSync(cut).subarray(0, 500));
    const flipped = readFileSync(join(out, 'summary', names[11]!));
    flipped[flipped.length >> 1]! ^= 1;
    writeFileSync(join(out, 'summary', names[11]!), flipped);
    copyFileSync(join(out, 'summary', names[20]!), join(out, 'summary', names[21]!));

    const { code, stderr } = await eos(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /resuming, 4\d of 50 runs are there already, \d+ to do .*3 damaged parts are redone/,
    );
    expect(comparable(await summaryRows(out))).toEqual(whole);
    const changed = names.filter((name, i) => written(name) !== before[i]);
    expect(changed).toEqual([3, 7, 11, 21].map((i) => names[i]));
  });

  test('Ctrl-C keeps what is done, and the same command ends it', async () => {
    const out = join(newFolder(), 'sweep');
    const args = [
      'sweep',
      '--eta',
      '0.02:0.2:log:100',
      '--steps',
      '400000',
      '--out',
      out,
      '--threads',
      '2',
    ];
    const { child, done } = start(args);
    while (!existsSync(join(out, 'summary')) || parts(out).length < 3) await sleep(20);
    child.kill('SIGINT');
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /interrupted: \d+ runs done now, \d+ to do; the same command goes on from here\n$/,
    );
    const kept = parts(out).length;
    expect(kept).toBeLessThan(100);
    const again = await eos(args);
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(/resuming, \d+ of 100 runs are there already/);
    expect(await summaryRows(out)).toHaveLength(100);
    expect(readdirSync(out).sort()).toEqual(['summary', 'sweep.json']);
  });

  test('networks stopped by Ctrl-C, then killed, end as the table of a whole sweep', async () => {
    const folder = newFolder();
    const grid = '--model mlp --layers 1-10-10-1 --data chebyshev:5:20 --eta 0.3 --measure 10'
      .split(' ')
      .concat('--seed', '0..59', '--steps', '8000', '--threads', '2');
    const argsTo = (out: string) => ['sweep', ...grid, '--out', out];
    const out = join(folder, 'stopped');
    /** Ended by a signal once this many parts are there. */
    const stopped = async (signal: NodeJS.Signals, least: number) => {
      const { child, done } = start(argsTo(out));
      while (!existsSync(join(out, 'summary')) || parts(out).length < least) await sleep(20);
      child.kill(signal);
      return done;
    };
    expect(await stopped('SIGINT', 3)).toMatchObject({ code: 130 });
    const first = parts(out);
    expect(first.length).toBeLessThan(30);
    expect(await stopped('SIGKILL', first.length + 3)).toMatchObject({ signal: 'SIGKILL' });
    const second = parts(out);
    expect(second).toEqual(expect.arrayContaining(first));
    expect(second.length).toBeLessThan(30);
    const last = await eos(argsTo(out));
    expect(last.code).toBe(0);
    expect(last.stderr).toMatch(/resuming, \d+ of 60 runs are there already/);

    const whole = join(folder, 'whole');
    expect((await eos(argsTo(whole))).code).toBe(0);
    const rows = comparable(await summaryRows(whole));
    expect(rows).toHaveLength(60);
    expect(comparable(await summaryRows(out))).toEqual(rows);
    expect(readdirSync(out).sort()).toEqual(['summary', 'sweep.json']);
  });

  test('--extend adds runs and does none twice', async () => {
    const out = join(newFolder(), 'sweep');
    const args = ['sweep', '--steps', '200', '--out', out];
    await eos([...args, '--eta', '0.1,0.2,0.3']);
    const refused = await eos([...args, '--eta', '0.1,0.2,0.3,0.4']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^eos: --out: .* holds another sweep \(with --eta 0.1,0.2,0.3, not .*--extend\n$/,
    );
    expect(await summaryRows(out)).toHaveLength(3);
    expect((await eos([...args, '--eta', '0.1,0.2,0.3,0.4', '--extend'])).code).toBe(0);
    const rows = await summaryRows(out);
    expect(rows.map(({ eta }) => eta).sort()).toEqual([0.1, 0.2, 0.3, 0.4]);
    expect((await eos([...args, '--eta', '0.1,0.2,0.3'])).stderr).toContain(
      'all 3 runs are there already',
    );
  });

  test('--dry-run tells runs, steps, time and size, and writes nothing', async () => {
    const out = join(newFolder(), 'sweep');
    const { code, stderr } = await eos([
      'sweep',
      '--eta',
      '0.01:0.5:log:60',
      '--steps',
      '999',
      '--out',
      out,
      '--dry-run',
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^60 runs, 60,000 steps, in 30 parts\nabout .* on \d+ threads? of this machine, about .*B\n$/,
    );
    expect(existsSync(out)).toBe(false);
    const json = await eos(['sweep', '--eta', '0.1,0.2', '--dry-run', '--log-format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ event: 'estimate', runs: 2, steps: 20_002 });
    const share = async (shard: string) => {
      const args = [
        'sweep',
        '--eta',
        '0.01:0.5:log:61',
        '--steps',
        '9',
        '--shard',
        shard,
        '--dry-run',
      ];
      return JSON.parse((await eos([...args, '--log-format', 'json'])).stdout) as {
        runs: number;
        steps: number;
      };
    };
    const shares = await Promise.all(['0/3', '1/3', '2/3'].map(share));
    expect(shares.reduce((sum, { runs }) => sum + runs, 0)).toBe(61);
    expect(shares.reduce((sum, { steps }) => sum + steps, 0)).toBe(610);
    expect(shares.every(({ runs }) => runs > 15 && runs < 25)).toBe(true);
  });

  test('events for another program', async () => {
    const out = join(newFolder(), 'sweep');
    const { stdout, stderr } = await eos([
      'sweep',
      '--eta',
      '0.1,0.2',
      '--steps',
      '9',
      '--out',
      out,
      '--log-format',
      'json',
    ]);
    expect(stderr).toBe('');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { event: 'start', runs: 2, done: 0, damaged_parts: 0 },
      { event: 'done', runs: 2, missing: 0, cancelled: false },
    ]);
  });

  test('goes on where the reader of its events leaves', async () => {
    const out = join(newFolder(), 'sweep');
    const args = ['--eta', '0.02:0.2:24', '--steps', '400000', '--log-format', 'json'];
    const { child, done } = start(['sweep', ...args, '--out', out]);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.stdout!.destroy();
    expect(await done).toMatchObject({ code: 0, stderr: '' });
    expect(await summaryRows(out)).toHaveLength(24);
  });

  test('status and cancel', async () => {
    const out = join(newFolder(), 'sweep');
    const { child, done } = start([
      'sweep',
      '--eta',
      '0.02:0.2:log:100',
      '--steps',
      '4000000',
      '--out',
      out,
    ]);
    while (!existsSync(join(out, 'summary')) || parts(out).length < 1) await sleep(20);
    const status = await eos(['sweep', 'status', '--out', out]);
    expect(status.stdout).toMatch(/^sweep [0-9a-f]{16}: \d+ of 100 runs, \d+ %\n$/);
    expect((await eos(['sweep', 'cancel', '--out', out])).stdout).toBe('cancelled\n');
    const { code, stderr } = await done;
    expect(child.exitCode).toBe(1);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cancelled: '),
    });
    const after = await eos(['sweep', 'status', '--out', out, '--json']);
    expect(JSON.parse(after.stdout)).toMatchObject({ cancelled: true, sweeps: [{ runs: 100 }] });
    expect((await eos(['sweep', 'status', '--out', join(out, 'nothing')])).code).toBe(2);
  });

  test('trajectories are the thinned files of eos stream, partitioned by run', async () => {
    const out = join(newFolder(), 'sweep');
    const args = [
      'sweep',
      '--eta',
      '0.05,0.1',
      '--steps',
      '3000',
      '--trajectories',
      'every:50',
      '--out',
      out,
    ];
    expect((await eos(args)).code).toBe(0);
    const rows = await summaryRows(out);
    const file = join(newFolder(), 'run.parquet');
    await eos([
      'stream',
      '--eta',
      '0.1',
      '--steps',
      '3000',
      '--every',
      '50',
      '--out',
      file,
      '--quiet',
    ]);
    const run = rows.find(({ eta }) => eta === 0.1)!;
    const path = join(out, 'trajectories', `run_id=${run.run_id}`, 'part-0.parquet');
    const { summary, config } = await runMetadata(file);
    // A sweep's runs have all their values from its grid, whatever preset these began with.
    expect(await runMetadata(path)).toEqual({ summary, config: { ...config, preset: null } });
    const read = async (name: string) =>
      parquetReadObjects({ file: await asyncBufferFromFile(name) });
    const steps = await read(path);
    expect(steps.length).toBeGreaterThan(60);
    expect(steps).toEqual(await read(file));

    const whole = readFileSync(path);
    rmSync(path);
    expect((await eos(args)).stderr).toContain('1 damaged part is redone');
    const flipped = Buffer.from(whole);
    flipped.fill('X', whole.length >> 1, (whole.length >> 1) + 8);
    writeFileSync(path, flipped);
    expect((await eos(['sweep', 'status', '--out', out])).stdout).toContain(
      '; 1 damaged part, which',
    );
    expect((await eos(args)).stderr).toContain('1 damaged part is redone');
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect((await eos(args)).stderr).toContain('all 2 runs are there already');
    expect(await read(path)).toEqual(steps);
    expect(readdirSync(out).sort()).toEqual(['summary', 'sweep.json', 'trajectories']);
  });

  test.each<[string, readonly string[], RegExp]>([
    ['an empty grid', ['--eta', ''], /--eta: '' is not a grid such as/],
    ['a range of no points', ['--eta', '0.1:0.2:lin:0'], /--eta: the range 0.1:0.2:lin:0 is empty/],
    ['a range that goes backwards', ['--eta', '0.2:0.1:lin:5'], /--eta: .* goes backwards/],
    ['a log range over zero', ['--lambda2', '0:1:log:5'], /--lambda2: .* takes the logarithm of 0/],
    [
      '10¹² runs',
      ['--eta', '0.01:0.5:log:1000000', '--lambda2', '0.001:1:log:1000000'],
      /1,000,000,000,000 runs; .*--yes/,
    ],
    ['a step that is no number', ['--steps', 'many'], /--steps: "many" is not a number/],
    ['an unknown preset', ['--preset', 'nosuch'], /--preset: no preset is called .nosuch./],
    ['a shard out of range', ['--shard', '4/4'], /--shard: '4\/4' is not i\/n/],
    [
      'a spec that is not there',
      ['--spec', '/nonexistent.json'],
      /--spec: \/nonexistent.json: there is no such file/,
    ],
    ['threads that are none', ['--threads', '0'], /--threads: 0 is not a whole number/],
    [
      'a spec that never ends',
      ['--spec', '/dev/zero'],
      /--spec: \/dev\/zero is larger than such a file can be \(1 MiB\)/,
    ],
    ['a spec that is a folder', ['--spec', '/'], /--spec: \/ is a folder; name a file/],
    ['to leave the work to no queue', ['--detach'], /--detach: only a queue can be left to itself/],
    [
      'certificates for no queue',
      ['--redis-ca', 'x.pem'],
      /--redis-ca: this is for the queue of a Redis/,
    ],
    [
      'a shard of a queue',
      ['--shard', '0/4', '--engine', 'redis://127.0.0.1:1'],
      /--shard: a queue hands out/,
    ],
  ])('refuses %s in one line', async (_, args, message) => {
    const out = join(newFolder(), 'sweep');
    const { code, stderr, stdout } = await eos(['sweep', ...args, '--out', out]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });

  test('refuses folders of anything else', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'thesis.tex'), 'text');
    const full = await eos(['sweep', '--eta', '0.1', '--out', folder]);
    expect(full).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not empty and holds no sweep'),
    });
    const file = await eos(['sweep', '--eta', '0.1', '--out', join(folder, 'thesis.tex')]);
    expect(file).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is a file; name a folder'),
    });
    writeFileSync(join(folder, 'sweep.json'), '{}');
    const damaged = await eos(['sweep', '--eta', '0.1', '--out', folder]);
    expect(damaged).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is damaged or of another program'),
    });
    expect(readdirSync(folder).sort()).toEqual(['sweep.json', 'thesis.tex']);
    expect((await eos(['sweep', '--eta', '0.1'])).stderr).toContain('--out: no folder was named');
  });
});

describe('a million short runs', () => {
  test('stay under 400 MB, in a bounded number of files', async () => {
    const out = join(newFolder(), 'sweep');
    const args = [
      '--eta',
      '0.01:0.5:log:1000',
      '--lambda2',
      '0.001:1:log:1000',
      '--steps',
      '3',
      '--threads',
      '2',
    ];
    const { child, done } = start(['sweep', ...args, '--out', out]);
    let peak = 0;
    const timer = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0));
      } catch {
        // Between its end and our notice of it there is nothing to read.
      }
    }, 200);
    const { code } = await done.finally(() => clearInterval(timer));
    expect(code).toBe(0);
    expect(parts(out).length).toBeLessThan(300);
    if (process.platform === 'linux') expect(peak).toBeGreaterThan(0);
    expect(peak / 1000).toBeLessThan(400);
    const state = await eos(['sweep', 'status', '--out', out, '--json']);
    expect(JSON.parse(state.stdout).sweeps).toMatchObject([
      { runs: 1_000_000, done: 1_000_000, damaged_parts: 0 },
    ]);
  });
});

describeWith(['python'], 'the dataset of a sweep in other programs', () => {
  test('DuckDB, Polars, pandas and pyarrow read it as it is', async () => {
    const out = join(newFolder(), 'sweep');
    await eos(['sweep', ...grid, '--trajectories', 'every:100', '--out', out]);
    const found = await python(
      `
import json, sys, duckdb, pandas, polars, pyarrow.dataset
out = sys.argv[1]
summary, trajectories = out + '/summary', out + '/trajectories'
duck = duckdb.sql(f"select outcome, count(*) from '{summary}/*.parquet' group by 1 order by 1").fetchall()
joined = duckdb.sql(f"""select count(distinct s.run_id), count(*), bool_and(t.eta_ok) from '{summary}/*.parquet' s join
  (select run_id, count(*) n, true as eta_ok from read_parquet('{trajectories}/*/*.parquet', hive_partitioning = true) group by 1) t
  on s.run_id = t.run_id""").fetchall()[0]
frame = pandas.read_parquet(summary)
lazy = polars.scan_parquet(trajectories + '/**/*.parquet', hive_partitioning=True)
arrow = pyarrow.dataset.dataset(trajectories, partitioning='hive')
print(json.dumps({
  'duck': duck, 'joined': joined,
  'pandas': [[k, int(v)] for k, v in frame.outcome.value_counts().sort_index().items()],
  'polars': polars.read_parquet(summary)['outcome'].value_counts().sort('outcome').rows(),
  'nulls': int(frame.first_crossing.isna().sum()), 'gradient_flow': int((frame.outcome == 'gradient-flow').sum()),
  'runs': [lazy.select('run_id').unique().collect().height, len(set(arrow.to_table(columns=['run_id'])['run_id'].to_pylist()))],
  'rows': [lazy.select(polars.len()).collect().item(), arrow.count_rows()],
}))`,
      [out],
    );
    const rows = await summaryRows(out);
    const counts = new Map<string, number>();
    for (const { outcome } of rows)
      counts.set(String(outcome), (counts.get(String(outcome)) ?? 0) + 1);
    const expected = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(found).toMatchObject({
      duck: expected,
      pandas: expected,
      polars: expected,
      joined: [8, 8, true],
      runs: [8, 8],
      gradient_flow: counts.get('gradient-flow') ?? 0,
    });
    const {
      nulls,
      gradient_flow: flow,
      rows: sizes,
    } = found as { nulls: number; gradient_flow: number; rows: number[] };
    expect(nulls).toBe(flow);
    expect(sizes[0]).toBe(sizes[1]);
  });
});
