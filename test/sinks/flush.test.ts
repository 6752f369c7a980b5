import { lastValueFrom, Subject, tap, toArray } from 'rxjs';
import { afterEach, expect, test, vi } from 'vitest';
import { gradientDescent, memoryTarget } from '../../src/pipeline/index.ts';
import { tableSink } from '../../src/pipeline/sinks/table-sink.ts';

afterEach(() => {
  vi.useRealTimers();
});

/**
 * Times of the flushes of a sink that is given rows every 10 ms and takes so long to encode a
 * footer.
 */
async function flushTimes(encoding: number, flushEvery: number): Promise<number[]> {
  const batches = await lastValueFrom(
    gradientDescent({ steps: 999 }, { batchSize: 2 }).pipe(toArray()),
  );
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const footer = Uint8Array.of(0);
  const closing = () =>
    new Promise<Uint8Array>((resolve) => setTimeout(() => resolve(footer), encoding));
  const times: number[] = [];
  const target = { ...memoryTarget(), flush: async () => void times.push(performance.now()) };
  const rows = new Subject<(typeof batches)[number]>();
  const sink = tableSink(
    target,
    () => ({ write: async () => {}, closing, finish: async () => {} }),
    { metadata: () => ({}), flushEvery },
  );
  const written = lastValueFrom(rows.pipe(sink));
  for (const batch of batches) {
    rows.next(batch);
    await vi.advanceTimersByTimeAsync(10);
  }
  rows.complete();
  await vi.advanceTimersByTimeAsync(1000);
  await written;
  return times;
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, i) => time - times[i]!);

test('rows are flushed as often as was asked where that costs little', async () => {
  const between = gaps(await flushTimes(1, 100));
  expect(between.length).toBeGreaterThan(30);
  for (const gap of between) expect(gap).toBeGreaterThanOrEqual(99);
  for (const gap of between) expect(gap).toBeLessThanOrEqual(111);
});

test('to encode footers takes a fifth of the time, however often rows are flushed', async () => {
  for (const encoding of [20, 100]) {
    const between = gaps(await flushTimes(encoding, 0));
    expect(between.length).toBeGreaterThan(5);
    for (const gap of between) expect(gap).toBeGreaterThanOrEqual(5 * encoding - 1);
    for (const gap of between) expect(gap).toBeLessThanOrEqual(5 * encoding + 11);
  }
});

test('a file that is continued is safe as it was before the source makes more rows', async () => {
  let safe = () => {};
  const flushed = new Promise<void>((resolve) => {
    safe = resolve;
  });
  const told: string[] = [];
  const memory = memoryTarget();
  const target = { ...memory, flush: () => flushed };
  const sink = tableSink(
    target,
    () => ({
      write: async () => {},
      closing: async (rows) => {
        told.push(`closed with ${rows.length} rows`);
        return new Uint8Array();
      },
      finish: async () => {},
    }),
    {
      metadata: () => ({}),
      from: {
        state: { kind: 'arrow', end: 0, batches: [], dictionaries: [] },
        rows: 0,
        tail: { length: 1, columns: [Float64Array.of(0)] },
        metadata: { 'eos.config': '{}' },
        resumedAt: 1,
      },
      columns: ['step'],
    },
  );
  let batches = 0;
  const rows = gradientDescent({ steps: 40 }, { batchSize: 4 });
  const run = lastValueFrom(
    rows.pipe(
      tap(() => batches++),
      sink,
    ),
  );
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect({ batches, told }).toEqual({ batches: 1, told: ['closed with 1 rows'] });
  safe();
  await run;
  expect(batches).toBe(11);
});
