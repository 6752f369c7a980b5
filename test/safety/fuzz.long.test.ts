import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { root } from '../setup/parts.ts';

const run = promisify(execFile);

/** Two thousand here; `node scripts/fuzz.js` does 100,000. */
test('2,000 damaged files are read or refused within 2 seconds and 512 MB each', async () => {
  const { stdout } = await run(process.execPath, [
    join(root, 'scripts/fuzz.js'),
    '2000',
    '20251124',
  ]);
  const counts = /^2000 files, seed 20251124: (\d+) read, (\d+) refused, /.exec(stdout)!;
  expect(Number(counts[1]) + Number(counts[2])).toBe(2000);
  // A damage that nothing notices, or that everything does, would test nothing.
  expect(Number(counts[1])).toBeGreaterThan(200);
  expect(Number(counts[2])).toBeGreaterThan(200);
});
