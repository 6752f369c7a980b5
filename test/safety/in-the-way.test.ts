import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import {
  classifySharpness,
  detectPhases,
  gradientDescent,
  parquetSink,
  splitLoss,
} from '../../src/pipeline/node/library.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';

const write = (path: string, force = true) =>
  lastValueFrom(
    gradientDescent({ steps: 200 }).pipe(
      splitLoss(),
      classifySharpness(),
      detectPhases(),
      parquetSink(path, { force, flushEvery: 0 }),
    ),
  );

const MINE = 'mine, and nobody may write here';

/** A folder with a file beside the run's that links may lead to. */
function place() {
  const folder = temporaryFolder();
  const [path, victim] = [join(folder, 'run.parquet'), join(folder, 'victim')];
  writeFileSync(victim, MINE);
  return { folder, path, victim };
}

test.each([true, false])(
  'a link in the place of the partial file is refused, force: %s',
  async (force) => {
    const { path, victim } = place();
    symlinkSync(victim, `${path}.partial`);
    await expect(write(path, force)).rejects.toThrow('run.parquet.partial is in the way');
    expect(readFileSync(victim, 'utf8')).toBe(MINE);
    expect(existsSync(`${path}.lock`)).toBe(false);
  },
);

test('links in the places of the journal and of its draft are not followed', async () => {
  for (const ending of ['.partial.journal', '.partial.journal.new']) {
    const { path, victim, folder } = place();
    symlinkSync(victim, path + ending);
    await write(path);
    expect(readFileSync(victim, 'utf8')).toBe(MINE);
    expect(readdirSync(folder).sort()).toEqual(['run.parquet', 'victim']);
  }
});

test('a link in the place of the lock is refused as one that cannot be read', async () => {
  const { path, victim } = place();
  symlinkSync(victim, `${path}.lock`);
  await expect(write(path)).rejects.toThrow('run.parquet.lock cannot be read');
  expect(readFileSync(victim, 'utf8')).toBe(MINE);
});

test('a file or folder of others in place of the partial file stays, with force too', async () => {
  const { path } = place();
  writeFileSync(`${path}.partial`, MINE);
  await expect(write(path)).rejects.toThrow('was not written by eos');
  expect(readFileSync(`${path}.partial`, 'utf8')).toBe(MINE);
  const { path: other } = place();
  mkdirSync(`${other}.partial`);
  await expect(write(other)).rejects.toThrow('was not written by eos');
});

test('what a power cut left before the first flush is replaced', async () => {
  for (const left of ['', 'PAR1', 'PA', '\0\0\0\0\0\0\0\0', 'PAR1 and half a page']) {
    const { path } = place();
    writeFileSync(`${path}.partial`, left);
    await write(path, false);
    expect(existsSync(path)).toBe(true);
  }
});

test('--force replaces what is named, and of --also what eos wrote', async () => {
  const { folder: cwd } = place();
  const flow = join(cwd, 'run.gradient-flow.parquet');
  const args = ['stream', '--steps', '50', '--out', 'run.parquet', '--also', 'gradient-flow'];
  writeFileSync(join(cwd, 'run.parquet'), MINE);
  writeFileSync(flow, MINE);
  const refused = await eos([...args, '--force'], { cwd });
  expect([refused.code, refused.stderr]).toEqual([
    2,
    'eos: --also: run.gradient-flow.parquet exists and was not written by eos; move it away, or give another --out\n',
  ]);
  expect(readFileSync(flow, 'utf8')).toBe(MINE);
  expect(readFileSync(join(cwd, 'run.parquet'), 'utf8')).toBe(MINE);
  const other = join(cwd, 'other.parquet');
  symlinkSync(join(cwd, 'victim'), `${other}.partial`);
  const linked = await eos(['stream', '--steps', '50', '--out', other, '--force'], { cwd });
  expect([linked.code, linked.stderr]).toEqual([
    2,
    `eos: ${other}.partial is in the way and was not written by eos; remove it, or give another name\n`,
  ]);
  expect(readFileSync(join(cwd, 'victim'), 'utf8')).toBe(MINE);
});

test('export leaves alone what stands under the name of a partial file', async () => {
  const { folder: cwd, path } = place();
  await write(path);
  symlinkSync(join(cwd, 'victim'), join(cwd, 'run.csv.partial'));
  const { code } = await eos(['export', 'run.parquet', '--out', 'run.csv', '--force'], { cwd });
  expect(code).toBe(0);
  expect(readFileSync(join(cwd, 'victim'), 'utf8')).toBe(MINE);
  expect(readdirSync(cwd).sort()).toEqual(['run.csv', 'run.csv.partial', 'run.parquet', 'victim']);
});
