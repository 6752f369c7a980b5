import { setFlagsFromString } from 'node:v8';

/** Runs of fewer steps than this end before a compiler could help them in mid-loop. */
const SHORT = 100_000;

/**
 * Tells V8 how the loop of a run is best compiled. Where thousands of short runs enter it one after the other, only the
 * version for its entrance is wanted: left to itself, V8 compiles one for the middle of the loop as well, and in every
 * third process then begins each run with the slow one, at two thirds of the speed. A long run needs the other.
 */
export function expectRuns(steps: number): void {
  setFlagsFromString(steps < SHORT ? '--no-use-osr' : '--use-osr');
}
