/** What every contender prints, as one line of JSON. */
export interface Result {
  readonly work: string;
  /** Seconds that the work itself took by the contender's own clock. */
  readonly seconds: number;
  /** Seconds of the processor that it took, of all threads together. */
  readonly processor: number;
  readonly steps: number;
  /** Some of the numbers that it computed, under the same names in every contender. */
  readonly check: Readonly<Record<string, number>>;
}

/** Steps of a run whose columns go into `check`, beside the last one. */
export const PROBES: ReadonlySet<number> = new Set([0, 1000, 2015, 5000, 10_000]);

/** A clock of both: call what it returns for the seconds since. */
export function startClock(): () => Pick<Result, 'seconds' | 'processor'> {
  const [begin, begun] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(begun);
    return { seconds: (performance.now() - begin) / 1000, processor: (user + system) / 1e6 };
  };
}

export function report(result: Result): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
