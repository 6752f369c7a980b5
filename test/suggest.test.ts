import { expect, test } from 'vitest';
import { didYouMean } from '../src/pipeline/core/suggest.ts';

test.each([
  ['otu', ['eta', 'out', 'every'], 'out'],
  ['lamda1', ['lambda1', 'lambda2'], 'lambda1'],
  ['strem', ['sweep', 'stream'], 'stream'],
  ['pre', ['pace', 'precision'], 'precision'],
  ['xyz', ['eta', 'out'], undefined],
  ['a', [], undefined],
])('of %s, that is not among %j, says %s', (name, known, meant) => {
  expect(didYouMean(name, known)).toBe(meant ? `; did you mean ${meant}?` : '');
});
