import { defineConfig } from 'vitest/config';

const PATIENCE = 600_000;

const ALL = 'test/**/*.test.ts';
const LONG = 'test/**/*.long.test.ts';

interface Part {
  readonly name: string;
  readonly include: string;
  readonly exclude?: string[];
  readonly maxWorkers: number;
  /** Those of one order run side by side. */
  readonly order: number;
}

const project = ({ name, include, exclude = [], maxWorkers, order }: Part) => ({
  extends: true as const,
  test: { name, include: [include], exclude, maxWorkers, sequence: { groupOrder: order } },
});

/**
 * `quick` is what `npm test` runs: under two minutes on two cores. `long` holds all that takes
 * seconds a test.
 */
export default defineConfig({
  test: {
    // On two cores: the long ones wait for processes and pages most of the time.
    projects: [
      project({ name: 'quick', include: ALL, exclude: [LONG], maxWorkers: 2, order: 0 }),
      project({ name: 'long', include: LONG, maxWorkers: 3, order: 1 }),
    ],
    globalSetup: 'test/setup/build.ts',
    setupFiles: ['test/setup/seed.ts'],
    // Nothing is measured against a clock; these only end what hangs.
    testTimeout: PATIENCE,
    hookTimeout: PATIENCE,
    expect: { poll: { timeout: PATIENCE / 2 } },
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.ci/results.json' }]]
      : ['default'],
  },
});
