import {
  count,
  duration,
  formatFraction,
  formatNumber,
  percent,
  plural,
  rate,
} from '../../pipeline/format.ts';
import { predict } from '../../pipeline/theory/predict.ts';
import { hasColumns, type Pace, type Run } from '../app.ts';
import { outcomeName } from '../plots/outcomes.ts';

/** A number, or a word, that says what a run is and what became of it. */
export interface KeyFigure {
  readonly key: string;
  readonly title: string;
  readonly hint: string;
  /** It is what a run is looked at for, and stands larger. */
  readonly first?: boolean;
  /** It follows from the parameters alone, not from the rows. */
  readonly given?: boolean;
  /** The figure itself, the exact value behind it, and a second line. */
  read(run: KnownRun, live: LiveFigures): FigureText | undefined;
}

export interface FigureText {
  readonly text: string;
  readonly exact?: number | string;
  readonly small?: string;
}

/** What is known of a run from its metadata alone, whether it is open or not. */
export type KnownRun = Pick<Run, 'facts' | 'info' | 'writing'> &
  Partial<Pick<Run, 'pace' | 'phases'>>;

/**
 * Figures from the columns themselves, for files without a summary (a run that is still being
 * written).
 */
export interface LiveFigures {
  readonly maxRatio?: number;
  readonly finalLoss?: number;
  readonly cycles?: number;
}

const figure = (value: number | undefined, digits = 5) =>
  value === undefined || Number.isNaN(value)
    ? undefined
    : { text: formatNumber(value, digits), exact: value };

export const KEY_FIGURES: readonly KeyFigure[] = [
  {
    key: 'outcome',
    title: 'Outcome',
    first: true,
    hint:
      'What became of the run: diverged, gradient flow (the threshold never reached), ' +
      'converged, or at the edge of stability at its last step; interrupted where it was ' +
      'stopped before, running while its file is still being written.',
    read: ({ facts: { summary, steps, changes }, info, writing, pace }) => {
      const outcome = summary?.outcome;
      const small =
        steps === undefined
          ? plural(info.lastStep, 'step')
          : `${formatNumber(info.lastStep)} of ${plural(steps, 'step')}`;
      if (writing)
        return running(small, steps === undefined ? undefined : steps - info.lastStep, pace);
      if (changes !== undefined && summary?.divergedAt == null) return { text: 'paused', small };
      if (outcome === undefined) {
        // A file without a summary may be anybody's, and whole; only one of ours tells that steps
        // are missing.
        const missing = steps !== undefined && info.lastStep < steps;
        return {
          text: missing ? 'unfinished' : 'unknown',
          small: missing ? small : `${small}, no summary`,
        };
      }
      const name = outcome === 'edge-of-stability' ? 'at the edge' : outcomeName(outcome);
      if (summary?.interrupted)
        return { text: 'interrupted', exact: outcome, small: `${name} so far, ${small}` };
      return {
        text: name,
        exact: outcome,
        small: summary?.divergedAt != null ? `at step ${formatNumber(summary.divergedAt)}` : small,
      };
    },
  },
  {
    key: 'eta',
    title: 'Step size η',
    given: true,
    hint: 'Learning rate of gradient descent, and the threshold of sharpness that belongs to it.',
    read: ({ facts: { eta, threshold, thresholdName } }) =>
      eta === undefined
        ? threshold === undefined
          ? undefined
          : { text: formatNumber(threshold, 5), exact: threshold, small: 'threshold' }
        : {
            text: formatFraction(eta),
            exact: eta,
            ...(threshold === undefined
              ? {}
              : { small: `${thresholdName} = ${formatNumber(threshold, 6)}` }),
          },
  },
  {
    key: 'max-ratio',
    title: 'Largest S/threshold',
    first: true,
    hint:
      'Largest sharpness of the run over the threshold of its optimizer; above 1 the run was ' +
      'beyond the edge.',
    read: ({ facts: { summary } }, live) => figure(summary?.maxRatio ?? live.maxRatio),
  },
  {
    key: 'cycles',
    title: 'Cycles',
    first: true,
    hint: 'Upward crossings of the threshold.',
    read: ({ facts: { summary }, phases }, live) => {
      // A loss alone says nothing of crossings.
      if (summary?.measured === 0) return undefined;
      const cycles = figure(summary?.cycles ?? live.cycles);
      // A log may come to the edge without crossing it, which its summary tells.
      const crossing =
        summary?.firstCrossing === undefined
          ? phases?.find(({ word }) => word.startsWith('eos-') || word === 'edge-of-stability')
              ?.first
          : summary.firstCrossing;
      return (
        cycles && {
          ...cycles,
          ...(crossing == null ? {} : { small: `first crossing at ${formatNumber(crossing)}` }),
        }
      );
    },
  },
  {
    key: 'convergence',
    title: 'T(δ, ε)',
    hint:
      'First step from which on the loss stays ≤ ε and the sharpness within the threshold and ' +
      'its tolerance, (2 + δ)/η for gradient descent, to the end of the run.',
    read: ({ facts: { summary }, info }) => {
      const time = summary?.convergence;
      if (!time) return undefined;
      const small = [
        time.delta === undefined ? '' : `δ = ${formatNumber(time.delta)}`,
        time.epsilon === undefined ? '' : `ε = ${formatNumber(time.epsilon)}`,
      ]
        .filter(Boolean)
        .join(', ');
      return time.step === null
        ? { text: 'not reached', exact: 'null', small: `within ${plural(info.lastStep, 'step')}` }
        : { text: formatNumber(time.step), exact: time.step, small };
    },
  },
  {
    key: 'final-loss',
    title: 'Final loss',
    hint: 'Training loss at the last step.',
    read: ({ facts: { summary } }, live) => figure(summary?.finalLoss ?? live.finalLoss, 4),
  },
  {
    key: 'slope',
    title: 'Slope of ln L̂',
    hint:
      'Least-squares slope of ln L̂ per step over the steps at the edge, against the predicted ' +
      '2·ln(1 − 2λ₂/λ₁).',
    read: ({ facts: { summary, covariance = 0 } }) => {
      const slope = figure(summary?.slope);
      return (
        slope && {
          ...slope,
          ...(summary?.slopePredicted === undefined || covariance !== 0
            ? {}
            : { small: `predicted ${formatNumber(summary.slopePredicted, 5)}` }),
        }
      );
    },
  },
  {
    key: 'predicted',
    title: 'Predicted',
    hint:
      'What could be said before the run: first crossing of 2/η, length of the edge of ' +
      'stability, T(δ, ε); in parentheses by how much each is off.',
    read: ({ facts: { minimal, summary } }) => {
      const said = minimal && predict(minimal);
      if (!said || said.reason !== undefined) return undefined;
      const edge = summary?.phases.filter(({ phase }) => phase === 'edge-of-stability');
      const ended = summary?.phases.at(-1)?.phase === 'convergence';
      const steps = edge?.reduce((sum, { first, last }) => sum + last - first + 1, 0);
      const parts = [
        ...(said.edge_steps === null
          ? []
          : [`edge ${count(said.edge_steps)}${off(said.edge_steps, ended ? steps : undefined)}`]),
        ...(said.convergence_time === null
          ? []
          : [
              `T ${count(said.convergence_time)}` +
                off(said.convergence_time, summary?.convergence?.step),
            ]),
      ];
      const small = parts.join(', ');
      if (said.first_crossing === null) return { text: 'no crossing', exact: 'null', small };
      const text =
        'crossing ' +
        `${count(said.first_crossing)}${off(said.first_crossing, summary?.firstCrossing)}`;
      return { text, exact: said.first_crossing, small };
    },
  },
];

/** By how much a prediction is off, where the run tells. */
const off = (said: number, found: number | null | undefined): string =>
  found == null || found === 0 ? '' : ` (${percent(said / found - 1)})`;

/**
 * Whether a figure of a run rests on rows whose digits are not true, and from which step on they
 * are not.
 */
export function doubtOf(
  { given }: KeyFigure,
  { facts: { summary } }: KnownRun,
): string | undefined {
  const until = summary?.trustedUntil;
  return given || until === undefined ? undefined : `not true beyond step ${count(until)}`;
}

/** A run that has not grown for this long stands still, in milliseconds. */
const STALLED_MS = 10_000;

/** How a run goes on whose file is being written. */
function running(steps: string, left: number | undefined, pace: Pace | undefined): FigureText {
  const still = pace ? Date.now() - pace.grownAt : 0;
  if (still > STALLED_MS)
    return { text: 'stalled', small: `${steps}, no new rows for ${duration(still / 1000)}` };
  const speed = pace?.rate ? `, ${rate(pace.rate)} steps/s` : '';
  const end = pace?.rate && left !== undefined ? `, ${duration(left / pace.rate)} left` : '';
  return { text: 'running', small: `${steps}${speed}${end}` };
}

export async function liveFigures(run: Run): Promise<LiveFigures> {
  const { summary } = run.facts;
  const from = async (known: unknown, column: string) =>
    known !== undefined || !hasColumns(run, [column])
      ? undefined
      : run.client.extremes(column).catch(() => undefined);
  const [ratio, loss, cycle] = await Promise.all([
    from(summary?.maxRatio, 'sharpness_ratio'),
    from(summary?.finalLoss, 'loss'),
    from(summary?.cycles, 'cycle'),
  ]);
  return {
    ...(ratio ? { maxRatio: ratio.max } : {}),
    ...(loss ? { finalLoss: loss.last } : {}),
    ...(cycle ? { cycles: cycle.last } : {}),
  };
}
