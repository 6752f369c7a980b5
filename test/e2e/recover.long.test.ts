import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastFlushes } from '../safety/killed-run.ts';
import { lockText } from '../safety/lock-text.ts';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';

const RUN = [
  '--preset',
  'three-phases',
  '--steps',
  '100000',
  '--pace',
  '20000',
  '--flush-every',
  '0.1',
];

/** Kills a run once both of its files have been flushed with some rows. */
async function killedRun(cwd: string): Promise<ReadonlyMap<string, number>> {
  const run = startEos(
    ['stream', '--out', 'run.parquet', '--arrow', 'run.arrow', ...RUN, '--log-format', 'json'],
    {
      cwd,
    },
  );
  await run.says('"file":"run.parquet"');
  await run.says('"file":"run.arrow"');
  run.child.kill('SIGKILL');
  return lastFlushes((await run.done).stdout);
}

async function inspect(cwd: string, file: string) {
  const { code, stdout, stderr } = await eos(['inspect', file, '--json'], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as {
    rows: number;
    row_groups: number;
    summary: {
      recovered?: boolean;
      interrupted: boolean;
      last_step: number;
      warnings: { kind: string; message: string }[];
    };
  };
}

describe('eos recover', () => {
  test.each([
    ['a partial file', 'run.parquet.partial', 0],
    ['a whole file, by its own name', 'run.parquet', 2],
    ['a whole file, by the name that it had', 'run.parquet.partial', 2],
  ])('%s: takes away what the dead writer has left beside it', async (_, name, expected) => {
    const cwd = temporaryFolder();
    if (expected === 0) await killedRun(cwd);
    else {
      expect(
        (await eos(['stream', '--out', 'run.parquet', '--steps', '10', '--quiet'], { cwd })).code,
      ).toBe(0);
      const dead = lockText({ pid: 4_194_303, started: '1' });
      writeFileSync(join(cwd, 'run.parquet.lock'), dead);
      writeFileSync(join(cwd, 'run.parquet.partial.journal'), 'left');
    }
    writeFileSync(join(cwd, 'run.parquet.partial.journal.new'), 'half');
    const { code, stderr } = await eos(['recover', name], { cwd });
    expect({ code, stderr }).toMatchObject({ code: expected });
    if (expected === 2) expect(stderr).toMatch(/: there is nothing to recover\n$/);
    expect(readdirSync(cwd).filter((each) => !each.includes('.arrow'))).toEqual(['run.parquet']);
  });

  test.each(['run.parquet', 'run.arrow'])(
    '%s: makes a whole file, marked recovered, and says how many rows',
    async (file) => {
      const cwd = temporaryFolder();
      const acknowledged = await killedRun(cwd);
      const { code, stdout, stderr } = await eos(['recover', `${file}.partial`], { cwd });
      expect([code, stderr]).toEqual([0, '']);
      const rows = Number(
        /^recovered ([\d,]+) rows, up to step ([\d,]+) of 100,000: /
          .exec(stdout)![1]!
          .replaceAll(',', ''),
      );
      expect(rows).toBeGreaterThanOrEqual(acknowledged.get(file)!);
      expect(stdout).toContain(`eos stream --resume ${file}`);
      const report = await inspect(cwd, file);
      expect(report.rows).toBe(rows);
      expect(report.summary).toMatchObject({
        recovered: true,
        interrupted: true,
        last_step: rows - 1,
      });
      expect(report.summary.warnings.at(-1)).toMatchObject({ kind: 'recovered' });
      // What it was made of is gone, now that it is whole.
      expect(readdirSync(cwd).filter((name) => name.startsWith(`${file}.`))).toEqual([]);
    },
  );

  test('ended before it had cleared away, it can be repeated', async () => {
    const cwd = temporaryFolder();
    await killedRun(cwd);
    const left = readdirSync(cwd).filter((name) => name.startsWith('run.parquet.partial'));
    for (const name of left) copyFileSync(join(cwd, name), join(cwd, `kept-${name}`));
    expect((await eos(['recover', 'run.parquet'], { cwd })).code).toBe(0);
    const whole = readFileSync(join(cwd, 'run.parquet'));
    const again = async () => {
      for (const name of left) copyFileSync(join(cwd, `kept-${name}`), join(cwd, name));
      return eos(['recover', 'run.parquet'], { cwd });
    };
    expect(await again()).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(cwd, 'run.parquet')).equals(whole)).toBe(true);
    const names = readdirSync(cwd).filter((name) => /^run\.parquet/.test(name));
    expect(names).toEqual(['run.parquet']);
    // Of as many bytes, but another.
    whole[100]! ^= 1;
    writeFileSync(join(cwd, 'run.parquet'), whole);
    const other = await again();
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('exists already')]);
    expect(readFileSync(join(cwd, 'run.parquet')).equals(whole)).toBe(true);
  });

  test('with --out the partial file stays as it is', async () => {
    const cwd = temporaryFolder();
    await killedRun(cwd);
    const before = readFileSync(join(cwd, 'run.parquet.partial'));
    expect(
      (await eos(['recover', 'run.parquet', '--out', 'saved.parquet', '--json'], { cwd })).code,
    ).toBe(0);
    expect(readFileSync(join(cwd, 'run.parquet.partial')).equals(before)).toBe(true);
    expect(existsSync(join(cwd, 'run.parquet.partial.journal'))).toBe(true);
    const again = await eos(['recover', 'run.parquet.partial', '--out', 'saved.parquet'], { cwd });
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(/^eos: saved\.parquet exists already; .*--force/),
    ]);
  });

  test('rows that did not reach the disk do not count; what was flushed is there', async () => {
    const cwd = temporaryFolder();
    const acknowledged = await killedRun(cwd);
    const partial = join(cwd, 'run.parquet.partial');
    // A power cut: what stood behind the flush in the file itself is gone.
    truncateSync(partial, 4);
    const { code, stdout } = await eos(['recover', 'run.parquet.partial', '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).rows).toBeGreaterThanOrEqual(acknowledged.get('run.parquet')!);
  });

  test('a journal that was cut off counts up to there; else the footer counts', async () => {
    const cwd = temporaryFolder();
    const acknowledged = await killedRun(cwd);
    const journal = join(cwd, 'run.parquet.partial.journal');
    writeFileSync(journal, Buffer.concat([readFileSync(journal), Buffer.from('EOSJ\u0002\u0000')]));
    const first = await eos(['recover', 'run.parquet.partial', '--out', 'a.parquet', '--json'], {
      cwd,
    });
    expect(JSON.parse(first.stdout).rows).toBeGreaterThanOrEqual(acknowledged.get('run.parquet')!);
    rmSync(journal);
    const second = await eos(['recover', 'run.parquet.partial', '--out', 'b.parquet', '--json'], {
      cwd,
    });
    if (second.code === 0) expect(JSON.parse(second.stdout).rows).toBeGreaterThan(0);
    else
      expect(second.stderr).toMatch(
        /nothing can be recovered: no rows had been flushed, or its journal is lost/,
      );
  });

  test.each([
    ['nosuch.parquet.partial', /nosuch\.parquet\.partial: there is no such file/],
    [
      'whole.parquet',
      /whole\.parquet has no whole\.parquet\.partial beside it: there is nothing to recover/,
    ],
    ['whole.parquet.partial', /whole\.parquet is whole: there is nothing to recover/],
    ['empty.parquet.partial', /nothing can be recovered: no rows had been/],
    ['text.parquet.partial', /nothing can be recovered: .*neither a Parquet nor an Arrow file/],
    ['folder.partial', /there is no such file/],
  ])('%s: refused in one line', async (name, message) => {
    const cwd = temporaryFolder();
    copyFileSync(
      new URL('../../data/three-phases.parquet', import.meta.url),
      join(cwd, 'whole.parquet'),
    );
    writeFileSync(join(cwd, 'empty.parquet.partial'), '');
    writeFileSync(join(cwd, 'text.parquet.partial'), 'step,loss\n1,2\n');
    mkdirSync(join(cwd, 'folder.partial'));
    const { code, stdout, stderr } = await eos(['recover', name], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^eos: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

test('rows that another run left are not written over without --force', async () => {
  const cwd = temporaryFolder();
  await killedRun(cwd);
  const other = ['stream', '--out', 'run.parquet', '--steps', '10', '--quiet'];
  const { code, stderr } = await eos(other, { cwd });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(
      /^eos: --out: run\.parquet\.partial holds [\d,]+ rows of another run that did not end; [^\n]+\n$/,
    ),
  ]);
  expect((await eos([...other, '--force'], { cwd })).code).toBe(0);
  expect(readdirSync(cwd).filter((name) => name.startsWith('run.parquet'))).toEqual([
    'run.parquet',
  ]);
});

describe('eos inspect of a partial file', () => {
  test('shows what a killed run has left, and names recover', async () => {
    const cwd = temporaryFolder();
    const flushed = await killedRun(cwd);
    for (const name of ['run.parquet', 'run.arrow']) {
      const partial = `${name}.partial`;
      const { code, stdout } = await eos(['inspect', partial], { cwd });
      expect(code).toBe(0);
      expect(stdout).toContain(`make a whole file of these rows with: eos recover ${partial}\n`);
      const json = await eos(['inspect', partial, '--json'], { cwd });
      const report = JSON.parse(json.stdout);
      expect(report).toMatchObject({ unfinished: 'left', config: { preset: 'three-phases' } });
      expect(report.rows).toBeGreaterThanOrEqual(flushed.get(name)!);
      const recovered = await eos(['recover', partial, '--json'], { cwd });
      expect(JSON.parse(recovered.stdout).rows).toBe(report.rows);
    }
  });

  test('tells that a run still goes on', async () => {
    const cwd = temporaryFolder();
    const args = ['--pace', '500', '--flush-every', '0.1', '--log-format', 'json'];
    const run = startEos(['stream', '--out', 'run.parquet', ...args], { cwd });
    await run.says('"event":"flush"');
    const { code, stdout } = await eos(['inspect', 'run.parquet.partial'], { cwd });
    run.child.kill('SIGKILL');
    await run.done;
    expect(stdout).toContain('still being written; these are the rows that are safe so far');
    expect(code).toBe(0);
  });
});
