import { describe, expect, test } from 'vitest';
import { optimizers } from '../../src/pipeline/optimizers/index.ts';
import { optimizerTable, resolveOptimizer } from '../../src/pipeline/optimizers/parameters.ts';
import { plainOptimizers } from '../../src/pipeline/optimizers/plain.ts';

describe('the parameters of optimizers', () => {
  const resolve = (given: Readonly<Record<string, unknown>>) => resolveOptimizer(optimizers, given);

  test('one table names them all, with what each is unless given', () => {
    const table = optimizerTable(optimizers);
    expect(table.optimizer).toMatchObject({
      default: 'gd',
      words: expect.arrayContaining(['adam']),
    });
    for (const { parameters } of optimizers)
      for (const name of Object.keys(parameters)) expect(table).toHaveProperty(name);
    expect(table.averaging!.meaning).toContain('(rmsprop 0.99, adam 0.999, adamw 0.999)');
  });

  test('those that divide their steps are not among the plain ones', () => {
    expect(optimizers.filter(({ metric }) => metric === undefined)).toEqual(plainOptimizers);
  });

  test('the one that is chosen has its own defaults', () => {
    expect(resolve({})).toEqual({ optimizer: 'gd' });
    expect(resolve({ optimizer: 'heavy-ball', dampening: '1/2' })).toEqual({
      optimizer: 'momentum',
      momentum: 0.9,
      dampening: 0.5,
    });
    expect(resolve({ optimizer: 'adam', damping: 0 })).toMatchObject({ momentum: 0.9, damping: 0 });
    expect(resolve({ momentum: 0.5 }).optimizer).toBe('momentum');
    expect(resolve({ momentum: 0 })).toEqual({ optimizer: 'gd' });
  });

  test.each([
    [{ optimizer: 'adm' }, "optimizer: no optimizer is called 'adm'; did you mean adam?"],
    [{ momentum: 1 }, 'momentum: 1 is not a number from 0 to below 1; give the share'],
    [
      { optimizer: 'gd', momentum: 0.5 },
      'momentum: 0.5 does not go with --optimizer gd; use momentum or nesterov or adam or adamw',
    ],
    [
      { optimizer: 'nesterov', dampening: 0.1 },
      'dampening: 0.1 does not go with --optimizer nesterov; use momentum',
    ],
  ])('refuses %j', (given, message) => {
    expect(() => resolve(given)).toThrow(message);
  });
});
