import { defer, type Observable, tap } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import { checkCallable } from '../core/options.ts';
import { type Link, linkOf } from '../core/stored-pipeline.ts';
import type { ExplainedSpike } from '../phases/measured/spike-cause.ts';
import { detectMeasuredPhases, type MeasuredEvent } from './detect-measured-phases.ts';
import { explainSpikes } from './explain-spikes.ts';
import type { NetworkArrays, NetworkRun, NetworkSummary } from './network-run.ts';
import { relateToThreshold } from './relate-to-threshold.ts';

/** What a network has to tell while it trains: as a log, but spikes come with their causes. */
export type NetworkEvent =
  | Exclude<MeasuredEvent, { readonly event: 'spike' | 'done' }>
  | ({ readonly event: 'spike' } & ExplainedSpike)
  | ({ readonly event: 'done' } & NetworkSummary);

/**
 * The chain of operators of a network, from its spectrum to the summary, as one operator for
 * `pipe`.
 * @param report told of each event as it happens
 */
export const networkPipeline = (report: (event: NetworkEvent) => void = () => {}) => {
  checkCallable('networkPipeline: report', report);
  return (source: Observable<Batch<NetworkArrays, NetworkRun>>) =>
    source.pipe(
      relateToThreshold(),
      detectMeasuredPhases(withoutSpikes(report)),
      explainSpikes((spike) => report({ event: 'spike', ...spike })),
      told(report),
    );
};

/** The same, link by link; the end is told by `tellDone`. */
export const networkLinks = (report: (event: NetworkEvent) => void): readonly Link[] => [
  linkOf(relateToThreshold()),
  linkOf(detectMeasuredPhases(withoutSpikes(report))),
  linkOf(explainSpikes((spike) => report({ event: 'spike', ...spike }))),
];

export const tellDone = (report: (event: NetworkEvent) => void): Link => ({
  name: 'done',
  needs: [],
  adds: [],
  apply: told(report),
});

/** Spikes and the end are told by those who know the causes of spikes. */
const withoutSpikes = (report: (event: NetworkEvent) => void) => (event: MeasuredEvent) => {
  if (event.event !== 'spike' && event.event !== 'done') report(event);
};

const told =
  (report: (event: NetworkEvent) => void) =>
  <B extends Batch<unknown, NetworkRun>>(source: Observable<B>) =>
    defer(() => {
      let run: NetworkRun | undefined;
      return source.pipe(
        tap({
          next: (batch) => {
            run = batch.run;
          },
          complete: () => {
            if (run?.summary) report({ event: 'done', ...run.summary });
          },
        }),
      );
    });
