import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { precisionNote } from '../../src/cli/stream-run.ts';
import { createProgress, timedLines } from '../../src/cli/terminal.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('arithmetic of many bits says how many, and which steps it takes again', () => {
  expect(precisionNote({ bits: null })).toBeUndefined();
  expect(precisionNote({ bits: 256, again: null })).toBe('256 bits');
  expect(precisionNote({ bits: 512, again: 1234 })).toBe(
    '512 bits, again from the start: at step 1,234',
  );
});

test('a bar has steps, rate, time left and what is said of the bits', () => {
  let shown = '';
  const stream = { isTTY: true, columns: 120, write: (text: string) => (shown += text) };
  const progress = createProgress(4000, stream as unknown as NodeJS.WriteStream);
  progress.update(100, '256 bits');
  expect(shown).toBe('');
  vi.advanceTimersByTime(2000);
  progress.update(1000, '256 bits');
  expect(shown).toContain('25%  1,000 of 4,000 steps  500 steps/s  6.0 s left (256 bits)');
});

test('without a terminal a line of the same every ten seconds', () => {
  const lines: string[] = [];
  const { update } = timedLines(4000, (line) => lines.push(line));
  vi.advanceTimersByTime(10_000);
  update(1000, '512 bits, again from the start: at step 12');
  update(1001);
  expect(lines).toEqual(['25 % done, 30 s left (512 bits, again from the start: at step 12)']);
});
