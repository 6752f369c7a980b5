import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes a minute and more, the longest first; the order of all else is vitest's. */
export const LONGEST = [
  'test/watch/watch.long.test.ts',
  'test/e2e/lab.long.test.ts',
  'test/e2e/hostile.long.test.ts',
  'test/newcomer.long.test.ts',
  'test/e2e/dash-view.long.test.ts',
  'test/sources/network-edge.long.test.ts',
  'test/safety/bombs.long.test.ts',
  'test/e2e/growing.long.test.ts',
  'test/e2e/dash-sweep.long.test.ts',
  'test/e2e/sweep-redis.long.test.ts',
  'test/sources/digits.long.test.ts',
  'test/safety/kill.long.test.ts',
];

/**
 * Begins with the files that take longest: one that began last would be waited for alone, as
 * vitest, on a new checkout, goes by the sizes of files.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
