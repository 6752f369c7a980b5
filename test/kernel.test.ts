import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  RUN_COLUMNS,
  runBlocks,
  splitLoss,
} from '../src/pipeline/index.ts';
import { PRESET_NAMES } from '../src/pipeline/models/minimal/presets/index.ts';

test.each(PRESET_NAMES)(
  'runBlocks gives the columns of the stream on %s, bit for bit',
  async (preset) => {
    const operators = [splitLoss(), classifySharpness(), flowSolution(), detectPhases()] as const;
    const batches = await lastValueFrom(gradientDescent({ preset }).pipe(...operators, toArray()));
    const blocks = [...runBlocks({ preset })].length;
    expect(blocks).toBeGreaterThan(1);
    for (const { name } of RUN_COLUMNS) {
      const streamed = batches.flatMap(({ columns }) => Array.from(columns[name]!));
      const computed: number[] = [];
      for (const { length, columns } of runBlocks({ preset })) {
        for (let i = 0; i < length; i++) computed.push(columns[name][i]!);
      }
      expect(computed, name).toEqual(streamed);
    }
  },
);

test('runBlocks ends with the last row before a divergence', () => {
  let last = -1;
  for (const { length, columns, run } of runBlocks({ floor: 0, steps: 10_000 })) {
    last = columns.step[length - 1]!;
    if (last === 4843) expect(run.divergedAt).toBe(4844);
  }
  expect(last).toBe(4843);
});
