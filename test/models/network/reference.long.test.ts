import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../setup/parts.ts';
import { compareWithReference, type ReferenceCase } from './reference.ts';

test('λ₁…λ₃, gradient and Hv are those of JAX at 50 points of 5 networks', () => {
  const { stdout, stderr, status } = spawnSync(
    join(root, '.venv/bin/python'),
    [join(root, 'test/models/network/reference.py'), '50'],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  expect(status, stderr).toBe(0);
  const cases: ReferenceCase[] = JSON.parse(stdout);
  for (const { points } of cases) expect(points).toHaveLength(50);
  cases.forEach(compareWithReference);
});
