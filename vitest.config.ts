import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/setup/longest-first.ts';

const PATIENCE = 600_000;

const LONG = 'test/**/*.long.test.ts';

const project = (
  name: string,
  include: string,
  exclude: string[],
  maxWorkers: number,
  groupOrder: number,
) => ({
  extends: true as const,
  test: { name, include: [include], exclude, maxWorkers, sequence: { groupOrder } },
});

/**
 * `quick` is what `npm test` runs: under two minutes on two cores. `long` holds all that takes
 * seconds a test.
 */
export default defineConfig({
  test: {
    projects: [
      // Two cores, and many of the tests start processes of their own.
      project('quick', 'test/**/*.test.ts', [LONG], 2, 0),
      // These often wait, for a page or for a process that is slow on purpose.
      project('long', LONG, [], 3, 1),
    ],
    globalSetup: 'test/setup/build.ts',
    setupFiles: ['test/setup/seed.ts'],
    // Nothing is measured against a clock; these only end what hangs.
    testTimeout: PATIENCE,
    hookTimeout: PATIENCE,
    expect: { poll: { timeout: PATIENCE / 2 } },
    sequence: { sequencer: LongestFirst },
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.ci/results.json' }]]
      : ['default'],
  },
});
