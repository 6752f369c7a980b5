import { parseHTML } from 'linkedom';
import { afterEach, expect, test, vi } from 'vitest';
import { unbroken } from '../../src/dash/dom.ts';

afterEach(() => vi.unstubAllGlobals());

test.each([
  ['Step 120. S = 22.61 is 43.5 % under 2/η = 40, so', ['S = 22.61', '43.5 %', '2/η = 40,']],
  ['until a minimum of S = 2/η = 40 is left', ['S = 2/η = 40']],
  ['until a minimum of S ≈ 2/η = 40 is left', ['S ≈ 2/η = 40']],
  ['100 % of the rise; η ≤ 0.147 would have held', ['100 %', 'η ≤ 0.147']],
  ['the distance from the valley by 1 − ηS. Over 2/η', ['1 − ηS.', '2/η']],
  ['eos marks it, and --precision computes it', ['--precision']],
  ['a step; and so on', []],
])('%s', (text, whole) => {
  vi.stubGlobal('document', parseHTML('<html><body></body></html>').document);
  const parts = unbroken(text);
  expect(parts.map((part) => (typeof part === 'string' ? part : part.textContent)).join('')).toBe(
    text,
  );
  expect(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.textContent]))).toEqual(
    whole,
  );
});
