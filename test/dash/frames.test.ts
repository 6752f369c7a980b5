import { afterEach, describe, expect, test, vi } from 'vitest';
import { afterFrame, gathering, paced, soon } from '../../src/dash/frames.ts';

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

describe('what waits until a frame is drawn', () => {
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const waits = () => {
    const done = vi.fn();
    const made = { ...page(false), done };
    void afterFrame().then(done);
    return made;
  };

  test('goes on behind the next one', async () => {
    const { frames, timers, done } = waits();
    frames[0]!();
    await settle();
    expect(done).not.toHaveBeenCalled();
    timers.at(-1)!();
    await settle();
    expect(done).toHaveBeenCalledTimes(1);
  });

  test('does not wait for ever on a page that nobody sees any more', async () => {
    const { timers, done } = waits();
    timers[0]!();
    await settle();
    expect(done).toHaveBeenCalledTimes(1);
  });
});

describe('what is drawn part by part', () => {
  /** Five drawings of 3 ms each, of which those that were drawn are counted. */
  function drawings() {
    const { frames } = page(false);
    let now = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const drawn = vi.fn(async () => {
      now += 3;
    });
    return { frames, drawn, parts: Array.from({ length: 5 }, () => drawn) };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  afterEach(() => vi.restoreAllMocks());

  test('takes as much of each frame as it may, and no more', async () => {
    const { frames, drawn, parts } = drawings();
    const ended = paced(parts, 5, () => false);
    await settle();
    expect([drawn.mock.calls.length, frames.length]).toEqual([2, 1]);
    frames[0]!();
    await settle();
    expect([drawn.mock.calls.length, frames.length]).toEqual([4, 2]);
    frames[1]!();
    await ended;
    expect([drawn.mock.calls.length, frames.length]).toEqual([5, 2]);
  });

  test('waits for no frame once somebody waits for it', async () => {
    const { frames, drawn, parts } = drawings();
    let hurry = false;
    const ended = paced(parts, 5, () => hurry);
    await settle();
    expect(drawn).toHaveBeenCalledTimes(2);
    hurry = true;
    frames[0]!();
    await ended;
    expect([drawn.mock.calls.length, frames.length]).toEqual([5, 1]);
  });
});

describe('what is drawn together', () => {
  /** A drawing that reads, and then draws. */
  function drawing(gathered: ReturnType<typeof gathering>) {
    let settle: { resolve(value: string): void; reject(error: Error): void };
    const promise = new Promise<string>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const reading = { promise, ...settle! };
    const drawn = vi.fn();
    const draw = async () => drawn(await gathered.read(reading.promise));
    return { reading, drawn, draw };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('waits until each has read what it draws, or cannot', async () => {
    const gathered = gathering();
    const [first, second, third] = [drawing(gathered), drawing(gathered), drawing(gathered)];
    const ended = gathered.begin([first.draw, second.draw, () => third.draw().catch(() => {})]);
    first.reading.resolve('first');
    await settle();
    third.reading.reject(new Error('damaged'));
    await settle();
    expect(first.drawn).not.toHaveBeenCalled();
    second.reading.resolve('second');
    await ended;
    expect(first.drawn).toHaveBeenCalledWith('first');
    expect(second.drawn).toHaveBeenCalledWith('second');
    expect(third.drawn).not.toHaveBeenCalled();
  });

  test('waits for no other that begins before or after', async () => {
    const gathered = gathering();
    const [alone, later] = [drawing(gathered), drawing(gathered)];
    const begun = gathered.begin([alone.draw]);
    void later.draw();
    alone.reading.resolve('alone');
    await begun;
    expect(alone.drawn).toHaveBeenCalledWith('alone');
    later.reading.resolve('later');
    await settle();
    expect(later.drawn).toHaveBeenCalledWith('later');
  });
});
