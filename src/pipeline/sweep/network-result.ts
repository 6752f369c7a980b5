import { blocks, readBy, type StageAt } from '../core/operator.ts';
import {
  type NetworkConfig,
  networkOptions,
  setupNetwork,
  workOf,
} from '../models/network/config.ts';
import { detectMeasuredPhases } from '../operators/detect-measured-phases.ts';
import { explainSpikes } from '../operators/explain-spikes.ts';
import type { NetworkSummary } from '../operators/network-run.ts';
import { relateToThreshold } from '../operators/relate-to-threshold.ts';
import { networkRows } from '../sources/descent/network-descent.ts';

/** What a sweep keeps of the training of a network. */
export interface NetworkResult {
  readonly config: NetworkConfig;
  /** The very summary that `eos stream` writes into the run's file. */
  readonly summary: NetworkSummary;
  /** Sharpness over threshold as last measured; NaN where it never was. */
  readonly finalRatio: number;
}

const chainOf = () => [relateToThreshold(), detectMeasuredPhases(), explainSpikes()] as never;

/** The columns that a sweep looks at: others that take work are not computed. */
export const SWEEP_READS = readBy(chainOf());

/**
 * Work of a block, of no influence on any digit: some 20 ms, so that it can be given up soon, and
 * operators, whose code has left the caches behind a long block of the kernel, come seldom.
 */
const BLOCK_WORK = 200_000;
const MOST_ROWS = 1024;

/** Networks whose blocks have so many rows are small. */
const KEPT_ROWS = 64;

/**
 * The last small network. V8 drops what it has compiled of functions that no object holds: where it
 * collects at the begin of a network, those of the one before are compiled for the next one too.
 * In large ones it is of no weight what stands around the kernel, and their memory is.
 */
const before: { rows?: unknown; stages?: unknown } = {};

/**
 * Trains a network to its end and keeps the summary alone: the stream's own source and operators
 * as a plain loop.
 *
 * @param proceed told of the rows since; false gives the run up
 * @returns undefined where the run was given up
 */
export function networkToResult(
  config: NetworkConfig,
  proceed: (rows: number) => boolean = () => true,
): NetworkResult | undefined {
  const setup = setupNetwork(networkOptions(config));
  const size = Math.max(1, Math.min(MOST_ROWS, Math.floor(BLOCK_WORK / workOf(setup))));
  const rows = networkRows(setup, {}, false, SWEEP_READS);
  rows.run.handed = [];
  let finalRatio = Number.NaN;
  const stages: StageAt[] = [];
  for (const { columns, length } of blocks(rows, chainOf(), size, size, stages)) {
    finalRatio = lastRatio(columns.sharpness_ratio!, length) ?? finalRatio;
    if (!rows.ended && !proceed(length)) return undefined;
  }
  if (size >= KEPT_ROWS) Object.assign(before, { rows, stages });
  return { config, summary: rows.run.summary as NetworkSummary, finalRatio };
}

/** The last of the first so many that was measured. */
export function lastRatio(ratios: ArrayLike<number>, length: number): number | undefined {
  for (let i = length - 1; i >= 0; i--) if (!Number.isNaN(ratios[i]!)) return ratios[i]!;
  return undefined;
}
