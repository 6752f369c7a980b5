import { expect, test } from 'vitest';
import { root } from '../setup/parts.ts';
import { run } from './projects.ts';

test('the library reference is built, and every type of a public signature is in it', async () => {
  const { code, stdout, stderr } = await run(root, 'npm', 'run', 'docs:reference');
  expect([code, stdout + stderr]).toEqual([0, expect.stringContaining('html generated')]);
});
