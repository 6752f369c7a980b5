import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';

const BOTH = ['--out', 'run.parquet', '--arrow', 'run.arrow'];

async function stream(cwd: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await eos(['stream', ...args, '--quiet'], { cwd });
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
}

function filesOf(cwd: string): Record<string, string> {
  const names = readdirSync(cwd).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(cwd, name), 'base64')]));
}

describe('eos stream --resume of a run that has ended', () => {
  test.each<[string, readonly string[], number]>([
    ['a plain run', [...BOTH], 70_000],
    ['a thinned run', [...BOTH, '--every', '37', '--preset', 'figure3'], 40_000],
    ['a few columns', [...BOTH, '--columns', 'step,phase,l1'], 3000],
    ['other compression', ['--out', 'run.parquet', '--compression', 'none'], 3000],
    ['momentum', [...BOTH, '--optimizer', 'momentum'], 3000],
    ['many bits', [...BOTH, '--precision', 'auto', '--preset', 'plain', '--floor', '0'], 300],
    ['a network', [...BOTH, '--model', 'mlp', '--layers', '1-6-1'], 400],
    ['a thinned network', [...BOTH, '--model', 'mlp', '--layers', '1-6-1', '--every', '5'], 300],
    ['other dynamics', ['--out', 'run.parquet', '--also', 'central,constrained'], 2500],
  ])('%s: twice as long, it is the run that was so long from the start', async (_, args, steps) => {
    const [whole, cwd] = [temporaryFolder(), temporaryFolder()];
    await stream(whole, [...args, '--steps', String(2 * steps)]);
    await stream(cwd, [...args, '--steps', String(steps)]);
    const arrow = args.includes('--arrow') ? ['--arrow', 'run.arrow'] : [];
    const also = args.includes('--also') ? ['--also', 'central,constrained'] : [];
    await stream(cwd, ['--resume', 'run.parquet', ...arrow, ...also, '--steps', String(2 * steps)]);
    expect(filesOf(cwd)).toEqual(filesOf(whole));
  });

  test('killed on the way: what was there stays, and it goes on', async () => {
    const [whole, cwd] = [temporaryFolder(), temporaryFolder()];
    await stream(whole, ['--out', 'run.parquet', '--steps', '90000']);
    await stream(cwd, ['--out', 'run.parquet', '--steps', '3000']);
    const before = readFileSync(join(cwd, 'run.parquet'));
    const resume = ['stream', '--resume', 'run.parquet', '--steps', '90000'];
    const run = startEos(
      [...resume, '--pace', '30000', '--flush-every', '0.05', '--log-format', 'json'],
      { cwd },
    );
    await run.says('"flush"');
    run.child.kill('SIGKILL');
    await run.done;
    expect(readFileSync(join(cwd, 'run.parquet')).equals(before)).toBe(true);
    await stream(cwd, ['--resume', 'run.parquet']);
    expect(filesOf(cwd)).toEqual(filesOf(whole));
  });

  test.each([
    [['--steps', '100'], /^eos: --steps: the run stands at step 200 already; [^\n]+\n$/],
    [[], /^eos: --resume: the run in run\.parquet is whole; [^\n]* --steps\n$/],
  ])('with %j there is nothing to do', async (args, message) => {
    const cwd = temporaryFolder();
    await stream(cwd, ['--out', 'run.parquet', '--steps', '200']);
    const { code, stderr } = await eos(['stream', '--resume', 'run.parquet', ...args], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(readdirSync(cwd)).toEqual(['run.parquet']);
  });

  test('nor behind the end of a run that diverged, or whose rate has fallen to 0', async () => {
    const cwd = temporaryFolder();
    const diverges = ['--eta', '0.5', '--floor', '0', '--init', '3,2,3', '--steps', '50'];
    await stream(cwd, ['--out', 'run.parquet', ...diverges]);
    const cosine = ['--model', 'mlp', '--layers', '1-4-1', '--schedule', 'cosine', '--steps', '20'];
    await stream(cwd, ['--out', 'net.parquet', ...cosine]);
    for (const [file, message] of [
      ['run.parquet', /the run diverged at step \d+/],
      ['net.parquet', /falls to 0 at step 20/],
    ] as const) {
      const resume = ['stream', '--resume', file, '--steps', '100'];
      const { code, stderr } = await eos(resume, { cwd });
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  });
});

test('the same command after a kill offers what is there', async () => {
  const cwd = temporaryFolder();
  const command = ['stream', '--out', 'run.parquet', '--steps', '50000'];
  const run = startEos(
    [...command, '--pace', '20000', '--flush-every', '0.05', '--log-format', 'json'],
    { cwd },
  );
  await run.says('"flush"');
  run.child.kill('SIGKILL');
  await run.done;
  const left = readFileSync(join(cwd, 'run.parquet.partial'));
  const again = await eos(command, { cwd });
  expect([again.code, again.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^eos: --out: run\.parquet\.partial holds [\d,]+ rows of this very run, which did not end; go on with it: eos stream --resume run\.parquet [^\n]+\n$/,
    ),
  ]);
  expect(readFileSync(join(cwd, 'run.parquet.partial')).equals(left)).toBe(true);
  await stream(cwd, ['--out', 'run.parquet', '--steps', '50000', '--force']);
  expect(existsSync(join(cwd, 'run.parquet.partial'))).toBe(false);
});

test('a dry run says how large the file would be, and a large run does so unasked', async () => {
  const cwd = temporaryFolder();
  const dry = await eos(['stream', '--dry-run', '--steps', '2000'], { cwd });
  expect(dry.stderr).toMatch(/^would write 2,001 rows, about \d+ kB, in [\d.]+ s\n/);
  const large = startEos(['stream', '--out', 'large.parquet', '--steps', '3e8', '--pace', '100'], {
    cwd,
  });
  await large.says('start');
  large.child.kill('SIGHUP');
  const { code, stderr } = await large.done;
  expect(stderr).toMatch(/^this will write about \d+ GB \(300,000,001 rows\) in [^\n]+\n/);
  expect(code).toBe(129);
  const { stdout } = await eos(['inspect', 'large.parquet', '--json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ summary: { interrupted: true } });
});
