import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compareWithReference, type ReferenceCase } from './reference.ts';

const cases: ReferenceCase[] = JSON.parse(
  readFileSync(new URL('reference.json', import.meta.url), 'utf8'),
);

test('loss, gradient, Hessian-vector product and eigenvalues are those of JAX', () => {
  expect(cases.map(({ activation }) => activation)).toEqual([
    'tanh',
    'relu',
    'gelu',
    'silu',
    'linear',
  ]);
  cases.forEach(compareWithReference);
});
