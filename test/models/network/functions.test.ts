import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startKernel } from '../../../src/pipeline/models/network/kernel.ts';
import { activationAt, type FunctionTable, largestErrors } from './functions.ts';

const table: FunctionTable = JSON.parse(
  readFileSync(new URL('functions.json', import.meta.url), 'utf8'),
);

test('exp, ln and tanh are right to 1 ulp, the normal distribution to 4', () => {
  const { exp, log, tanh, normal } = largestErrors(table);
  expect(exp).toBeLessThan(1);
  expect(log).toBeLessThan(1);
  expect(tanh).toBeLessThan(1);
  expect(normal).toBeLessThan(4);
});

test('functions end where float64 does', () => {
  const { exp, log } = startKernel();
  expect([exp(-746), exp(0), exp(710), exp(Number.NaN)]).toEqual([0, 1, Infinity, Number.NaN]);
  expect(exp(-744.4)).toBe(5e-324);
  expect([log(0), log(1), log(Infinity), log(-1)]).toEqual([-Infinity, 0, Infinity, Number.NaN]);
  expect(log(5e-324)).toBeCloseTo(-744.4400719213812, 12);
});

test('activations keep their signs and ends', () => {
  for (const activation of ['tanh', 'gelu', 'silu', 'relu', 'linear'] as const) {
    const at = activationAt(activation);
    expect(at(0)).toBe(0);
    expect(at(50)).toBe(activation === 'tanh' ? 1 : 50);
    expect(at(Number.NaN)).toBeNaN();
  }
  expect(activationAt('tanh')(-50)).toBe(-1);
  expect(activationAt('relu')(-50)).toBe(0);
  expect(activationAt('linear')(-50)).toBe(-50);
});
