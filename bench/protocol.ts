/** What every contender prints, as one line of JSON. */
export interface Result {
  readonly work: string;
  /** Seconds that the work itself took by the contender's own clock. */
  readonly seconds: number;
  readonly steps: number;
  /** Some of the numbers that it computed, under the same names in every contender. */
  readonly check: Readonly<Record<string, number>>;
}

/** Steps of a run whose columns go into `check`, beside the last one. */
export const PROBES: ReadonlySet<number> = new Set([0, 1000, 2015, 5000, 10_000]);

export function report(result: Result): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
