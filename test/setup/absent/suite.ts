import { expect, test } from 'vitest';
import { describeWith, part } from '../parts.ts';

describeWith(['chromium'], 'a page', () => {
  test('opens', () => {
    expect(part('chromium')).toBe('');
  });
});
