import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTable } from '../../src/cli/inspect/table-reader.ts';
import { madeAgain } from '../../src/cli/verify/made-again.ts';
import { eos, temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';

/** A part of what the script does; the whole takes some ten minutes. */
function mutate(...args: string[]) {
  const script = join(root, 'scripts/mutate.js');
  return watch(spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
    .done;
}

test('no doctored file passes: every 121st of all that the script makes', async () => {
  const { code, stdout } = await mutate('--each', '121');
  expect(stdout).toMatch(/^\d{3} doctored files, 0 pass\n/);
  expect(code).toBe(0);
});

test('no true file of 30 random ones fails', async () => {
  const { code, stdout } = await mutate('--true', '30');
  expect({ code, stdout }).toEqual({ code: 0, stdout: '30 true files, 0 false alarms\n' });
});

test('a file of dynamics is made again, one of a detection as far as it follows', async () => {
  const made = async (path: string) => madeAgain(path, await openTable(path), false);
  const folder = temporaryFolder();
  const run = join(folder, 'run.parquet');
  const also = ['--also', 'central,gradient-flow', '--steps', '200'];
  await eos(['stream', '--preset', 'three-phases', '--out', run, ...also, '-q']);
  expect((await made(join(folder, 'run.central.parquet'))).verdict).toBe('holds');
  expect((await made(join(folder, 'run.gradient-flow.parquet'))).verdict).toBe('holds');
  const log = join(folder, 'log.csv');
  const lines = Array.from({ length: 90 }, (_, t) => `${t},${1 / (t + 1)},${20 + t}`);
  writeFileSync(log, `step,loss,sharpness\n${lines.join('\n')}\n`);
  const found = join(folder, 'found.parquet');
  await eos(['detect', log, '--eta', '0.02', '--out', found, '-q']);
  expect(await made(found)).toMatchObject({
    verdict: 'holds',
    note: 'taken as they are, since the log is not in the file: step, eta, loss, sharpness',
  });
});
