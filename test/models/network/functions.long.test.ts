import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../setup/parts.ts';
import { largestErrors } from './functions.ts';

test('exp, ln, tanh are right to 1 ulp, normal numbers to 4, at 5,000 points', () => {
  const { stdout, stderr, status } = spawnSync(
    join(root, '.venv/bin/python'),
    [join(root, 'test/models/network/functions.py'), '5000'],
    { encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  expect(status, stderr).toBe(0);
  const { exp, log, tanh, normal } = largestErrors(JSON.parse(stdout));
  expect(exp).toBeLessThan(1);
  expect(log).toBeLessThan(1);
  expect(tanh).toBeLessThan(1);
  expect(normal).toBeLessThan(4);
});
