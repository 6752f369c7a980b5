import { afterEach, describe, expect, test, vi } from 'vitest';
import { soon } from '../../src/dash/frames.ts';

/** A page whose frames and timers come when they are called. */
function page(hidden: boolean) {
  const frames: (() => void)[] = [];
  const timers: (() => void)[] = [];
  vi.stubGlobal('document', { hidden });
  vi.stubGlobal('requestAnimationFrame', (work: () => void) => frames.push(work));
  vi.stubGlobal('setTimeout', (work: () => void) => timers.push(work));
  return { frames, timers };
}

afterEach(() => vi.unstubAllGlobals());

describe('what is to be drawn soon', () => {
  test.each(['frame first', 'idle first'])('is drawn once: %s', (order) => {
    const { frames, timers } = page(false);
    const work = vi.fn();
    soon(work);
    expect(work).not.toHaveBeenCalled();
    const [first, second] = order === 'frame first' ? [frames, timers] : [timers, frames];
    first[0]!();
    expect(work).toHaveBeenCalledTimes(1);
    second[0]!();
    expect(work).toHaveBeenCalledTimes(1);
  });

  test('waits for a frame where nobody sees the page', () => {
    const { frames, timers } = page(true);
    const work = vi.fn();
    soon(work);
    expect(timers).toEqual([]);
    frames[0]!();
    expect(work).toHaveBeenCalledTimes(1);
  });
});
