import type { Samples } from '../network.ts';

/** What a network is trained on. */
export interface DataSet extends Samples {
  /** Numbers that go into the network for each sample. */
  readonly inputWidth: number;
  /** Numbers that come out: targets, or one score a class. */
  readonly outputWidth: number;
  /** Names of the classes; null where targets are numbers. */
  readonly classes: readonly string[] | null;
  /** Of the file that it was read from. */
  readonly hash?: string;
}

/** A data set that is made or shipped, by the name before the colon of `--data NAME:A:B`. */
export interface NamedData {
  readonly name: string;
  /** How it is asked for: `chebyshev:K[:N]`. */
  readonly usage: string;
  readonly meaning: string;
  /** @throws ConfigError where the numbers behind the name cannot be used */
  make(numbers: readonly number[]): DataSet;
}
