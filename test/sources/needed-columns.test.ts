import { lastValueFrom, tap, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import type { Run } from '../../src/pipeline/core/run.ts';
import { minimalTraining } from '../../src/pipeline/sources/trainings/minimal.ts';

/** A run with these columns in its file: what was computed of it how often, and what it came to. */
async function computed(columns: string[] | null) {
  const runs = await minimalTraining.open();
  const config = runs.resolve({ steps: 10_000, columns });
  const calls: Record<string, number> = {};
  const counted = (run: Run) => {
    const { compiled } = run;
    run.compiled = (name) => {
      const way = compiled?.call(run, name);
      return (
        way &&
        ((...args) => {
          calls[name] = (calls[name] ?? 0) + 1;
          return way(...args);
        })
      );
    };
  };
  let told = false;
  const batches = await lastValueFrom(
    runs.rows(config, {}, true).pipe(
      tap(({ run }) => {
        if (!told) counted(run as unknown as Run);
        told = true;
      }),
      runs.pipeline(config, () => {}, undefined),
      toArray(),
    ),
  );
  const { summary } = batches.at(-1)!.run;
  return { calls, summary, names: batches[0]!.schema.map(({ name }) => name) };
}

test('columns that neither the file nor an operator asks for are not computed', async () => {
  const all = await computed(null);
  const few = await computed(['step', 'loss']);
  expect(all.calls).toEqual({ splitLoss: 3, classifySharpness: 3, flowSolution: 3 });
  expect(few.calls).toEqual({ splitLoss: 3, classifySharpness: 3 });
  expect(few.names).not.toContain('gfs_sharpness');
  expect(few.summary).toEqual(all.summary);
  const asked = await computed(['step', 'balance']);
  expect(asked.calls.flowSolution).toBe(3);
});
