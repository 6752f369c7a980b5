import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVitest, type TestSpecification } from 'vitest/node';
import { LONGEST, LongestFirst } from './longest-first.ts';
import { root } from './parts.ts';

test('the files that take longest are there, and begin, in their order', async () => {
  expect(LONGEST.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  const vitest = await createVitest('test', { root, watch: false, project: ['long'] });
  try {
    const all = await vitest.globTestSpecifications();
    const sorted = await new LongestFirst(vitest).sort(all.toReversed());
    const name = ({ moduleId }: TestSpecification) => moduleId.slice(root.length);
    expect(sorted.length).toBe(all.length);
    expect(sorted.slice(0, LONGEST.length).map(name)).toEqual(LONGEST);
  } finally {
    await vitest.close();
  }
});
