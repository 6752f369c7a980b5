import { expect, test, vi } from 'vitest';

test('where there is no setImmediate, all wait by one channel that is held, in order', async () => {
  let made = 0;
  /** A channel that delivers at the back of the queue. */
  class Channel {
    readonly port1: { onmessage?: () => void } = {};
    readonly port2 = { postMessage: () => void setTimeout(() => this.port1.onmessage?.()) };
    constructor() {
      made++;
    }
  }
  vi.stubGlobal('setImmediate', undefined);
  vi.stubGlobal('MessageChannel', Channel);
  const { realClock } = await import('../src/pipeline/core/clock.ts');
  const told: string[] = [];
  await Promise.all(
    ['first', 'second', 'third'].map(async (name) => {
      await realClock.yield();
      told.push(name);
    }),
  );
  await realClock.yield();
  vi.unstubAllGlobals();
  expect(told).toEqual(['first', 'second', 'third']);
  expect(made).toBe(1);
});
