import { type DynamicsFile, hasColumns, type Run } from '../app.ts';
import { tableClient } from '../load/client.ts';
import type { TableInfo } from '../load/protocol.ts';
import { coarsePhases, type Interval } from '../plots/phase-strip.ts';
import type { RunFigures } from '../plots/time-series.ts';
import { type RunFacts, runFacts } from './facts.ts';
import type { ListedRun } from './run-list.ts';

let nextId = 1;

/** Opens a run and what lies beside it; phases follow with `withPhases`. */
export async function openRun(listed: ListedRun, onBytes: (bytes: number) => void): Promise<Run> {
  const client = listed.client ?? tableClient(onBytes);
  try {
    const info = await client.open(listed.origin);
    const dynamics = await Promise.all(listed.dynamics.map((file) => openDynamics(file, onBytes)));
    const facts = runFacts(info.metadata);
    return {
      id: nextId++,
      name: listed.name,
      link: listed.link,
      source: listed,
      slot: 0,
      client,
      writing: listed.writing ?? false,
      pace: { grownAt: Date.now() },
      info,
      facts,
      phases: [],
      figures: runFigures(facts, [], new Map()),
      dynamics: dynamics.flatMap((file) => file ?? []),
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A dynamics whose file cannot be read is left out: the run itself is what matters. */
async function openDynamics(
  { name, origin }: ListedRun['dynamics'][number],
  onBytes: (bytes: number) => void,
): Promise<DynamicsFile | undefined> {
  try {
    const client = tableClient(onBytes);
    return { name, client, info: await client.open(origin) };
  } catch {
    return undefined;
  }
}

/**
 * What has become of a run's file: its phases, and the values from which derived lines start.
 *
 * @param known its phases where they are known already
 */
export async function withPhases(
  run: Run,
  info: TableInfo,
  known?: readonly Interval[],
): Promise<Partial<Run>> {
  const now = { ...run, info };
  const facts = runFacts(info.metadata);
  const found = known ?? (hasColumns(now, ['phase']) ? await run.client.intervals('phase') : []);
  const dated = facts.summary?.phases ?? [];
  // The model's phases are exact at once; measured ones are dated in the end.
  const measured = dated.length > 0 && facts.lambda1 === undefined;
  const phases = measured
    ? dated.map(({ phase, first, last }) => ({ word: phase, first, last }))
    : found;
  const columns = ['l_hat', 'alpha'].filter((column) => hasColumns(now, [column]));
  const start = edgeOf(phases)?.first ?? info.firstStep;
  // A file that is being written keeps its rows; a run of the lab may begin anew.
  const before = run.figures.anchors;
  const grows = run.writing && !run.source.client && info.rows >= run.info.rows;
  const same =
    grows && before.size > 0 && start === (run.figures.edge?.first ?? run.info.firstStep);
  const anchors =
    same || columns.length === 0 || info.rows === 0
      ? before
      : new Map(Object.entries(await run.client.near(measured ? start : 'edge', columns)));
  const knownPhases = measured ? found : undefined;
  return { info, facts, phases, knownPhases, figures: runFigures(facts, phases, anchors) };
}

const edgeOf = (phases: readonly Interval[]): Interval | undefined =>
  coarsePhases(phases).find(({ word }) => word === 'edge-of-stability');

function runFigures(
  facts: RunFacts,
  phases: readonly Interval[],
  anchors: RunFigures['anchors'],
): RunFigures {
  const { eta, lambda1, lambda2, covariance = 0, threshold, thresholdName, band, summary } = facts;
  // Of a run that is under way under gradient descent alone.
  const plain = (facts.parameters.optimizer ?? 'gd') === 'gd';
  const slope =
    plain && lambda1 && lambda2 !== undefined
      ? 2 * Math.log1p((-2 * lambda2) / lambda1)
      : undefined;
  const changes = facts.changes ?? [];
  return {
    eta,
    lambda1,
    lambda2,
    threshold,
    thresholdName,
    band,
    // The formula is for covariance 0, and for one optimizer from the edge on.
    slopePredicted:
      covariance === 0 && changes.length === 0 ? (summary?.slopePredicted ?? slope) : undefined,
    edge: edgeOf(phases),
    // A log may come to the edge without crossing it, which its summary tells.
    crossing:
      summary?.firstCrossing === undefined
        ? edgeOf(phases)?.first
        : (summary.firstCrossing ?? undefined),
    diverged: summary?.divergedAt != null,
    trustedUntil: summary?.trustedUntil,
    spikes: summary?.spikes ?? [],
    changes,
    anchors,
  };
}
