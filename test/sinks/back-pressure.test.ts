import { lastValueFrom, tap } from 'rxjs';
import { expect, test } from 'vitest';
import {
  gradientDescent,
  memoryTarget,
  parquetSink,
  standardPipeline,
} from '../../src/pipeline/index.ts';
import { ROW_GROUP_SIZE } from '../../src/pipeline/sinks/table-sink.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('the source waits for a slow disk, two row groups ahead of it at most', async () => {
  const rows = 6 * ROW_GROUP_SIZE;
  let computed = 0;
  let free = () => {};
  const slow = new Promise<void>((resolve) => {
    free = resolve;
  });
  const memory = memoryTarget();
  const target = { ...memory, write: (bytes: Uint8Array) => slow.then(() => memory.write(bytes)) };
  const run = lastValueFrom(
    gradientDescent({ steps: rows - 1 }).pipe(
      standardPipeline(),
      tap(({ length }) => {
        computed += length;
      }),
      parquetSink(target),
    ),
  );
  // Turns enough for a source that does not wait.
  for (let i = 0; i < 5000 && computed < rows; i++) await turn();
  expect(computed).toBeGreaterThanOrEqual(ROW_GROUP_SIZE);
  expect(computed).toBeLessThan(3 * ROW_GROUP_SIZE);
  free();
  await run;
  expect(computed).toBe(rows);
});
