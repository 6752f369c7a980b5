import type { Batch } from '../core/batch.ts';
import type { Run } from '../core/run.ts';
import type { NetworkConfig } from '../models/network/config.ts';
import type { MeasuredRun, MeasuredSummary } from '../phases/measured/summary.ts';
import type { SpikeSummary } from './explain-spikes.ts';

/** A run of a network under training, whose phases are found as those of logs are. */
export type NetworkRun = Pick<MeasuredRun, 'title' | 'tally' | 'warnings' | 'handed'> &
  Run<NetworkConfig, NetworkSummary>;

/** What became of it: that of a measured series, with the cause of each spike. */
export type NetworkSummary = Omit<MeasuredSummary, 'spikes'> & SpikeSummary;

/**
 * The columns of a network that every run has; further ones come with classes, mini-batches and
 * more eigenvalues.
 */
export type NetworkArrays = Readonly<
  Record<
    | 'step'
    | 'eta'
    | 'loss'
    | 'grad_norm'
    | 'sharpness'
    | 'sharpness_error'
    | 'l1'
    | 'l2'
    | 'edge_work'
    | 'edge_directions',
    Float64Array
  >
>;

export type NetworkBatch = Batch<NetworkArrays, NetworkRun>;
