import { type App, hasColumns, type Run, runColor } from '../app.ts';
import { el } from '../dom.ts';
import { counted, formatNumber, phaseName } from '../format.ts';

interface Tile {
  readonly key: string;
  readonly title: string;
  readonly hint: string;
  /** What it shows of a run: the main figure, the exact value behind it, and a second line. */
  read(
    run: Run,
    live: LiveFigures,
  ):
    | { readonly text: string; readonly exact?: number | string; readonly small?: string }
    | undefined;
}

/** Figures from the columns themselves, for files without a summary (a run that is still being written). */
interface LiveFigures {
  readonly maxRatio?: number;
  readonly finalLoss?: number;
  readonly cycles?: number;
}

const figure = (value: number | undefined, digits = 5) =>
  value === undefined || Number.isNaN(value)
    ? undefined
    : { text: formatNumber(value, digits), exact: value };

const TILES: readonly Tile[] = [
  {
    key: 'outcome',
    title: 'Outcome',
    hint: 'What became of the run: diverged, gradient-flow (2/η never reached), converged, or at the edge of stability at its last step; interrupted where it was stopped before, running while its file is still being written.',
    read: ({ facts: { summary, steps }, info, writing }) => {
      const outcome = summary?.outcome;
      const small =
        steps === undefined
          ? counted(info.lastStep, 'step')
          : `${formatNumber(info.lastStep)} of ${counted(steps, 'step')}`;
      if (writing) return { text: 'running', small };
      if (outcome === undefined) {
        // A file without a summary may be anybody's, and whole; only one of ours tells that steps are missing.
        const missing = steps !== undefined && info.lastStep < steps;
        return {
          text: missing ? 'unfinished' : 'not told',
          small: missing ? small : `${small}, no summary`,
        };
      }
      const name = OUTCOMES[outcome] ?? outcome;
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
    hint: 'Learning rate of gradient descent, and the threshold of sharpness that belongs to it.',
    read: ({ facts: { eta, threshold, thresholdName } }) =>
      eta === undefined
        ? threshold === undefined
          ? undefined
          : { text: formatNumber(threshold, 5), exact: threshold, small: 'threshold' }
        : {
            text: formatNumber(eta, 4),
            exact: eta,
            ...(threshold === undefined
              ? {}
              : { small: `${thresholdName} = ${formatNumber(threshold, 6)}` }),
          },
  },
  {
    key: 'max-ratio',
    title: 'Largest ηS/2',
    hint: 'Largest sharpness of the run over the threshold 2/η; above 1 the run was beyond the edge.',
    read: ({ facts: { summary } }, live) => figure(summary?.maxRatio ?? live.maxRatio),
  },
  {
    key: 'cycles',
    title: 'Cycles',
    hint: 'Upward crossings of 2/η.',
    read: ({ facts: { summary }, phases }, live) => {
      const cycles = figure(summary?.cycles ?? live.cycles);
      const crossing =
        summary?.firstCrossing ??
        phases.find(({ word }) => word.startsWith('eos-') || word === 'edge-of-stability')?.first;
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
    hint: 'First step from which on the loss stays ≤ ε and the sharpness ≤ (2 + δ)/η to the end of the run.',
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
        ? { text: 'not reached', exact: 'null', small: `within ${counted(info.lastStep, 'step')}` }
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
    hint: 'Least-squares slope of ln L̂ per step over the steps at the edge, against the predicted 2·ln(1 − 2λ₂/λ₁).',
    read: ({ facts: { summary } }) => {
      const slope = figure(summary?.slope);
      return (
        slope && {
          ...slope,
          ...(summary?.slopePredicted === undefined
            ? {}
            : { small: `predicted ${formatNumber(summary.slopePredicted, 5)}` }),
        }
      );
    },
  },
];

const OUTCOMES: Readonly<Record<string, string>> = {
  'edge-of-stability': 'at the edge',
  'gradient-flow': 'gradient flow',
};

/** Least width of a tile, and what of it is its padding and border. */
const LEAST_WIDTH = 132;
const PADDING = 32;
const GAP = 10;
/** Smallest letters of a figure, and the width of a digit in letter heights. */
const LEAST_LETTERS = 12;
const DIGIT = 0.62;

const isNumber = (text: string): boolean => /^[−\d∞]/.test(text) && text.length <= MAX_NUMBER;
const longestWord = (text: string): number =>
  isNumber(text)
    ? text.length
    : Math.max(...text.split(' ').map((word) => Math.min(12, word.length)));

/** Text in which no number breaks: a part of a number is another number. */
function unbroken(text: string): (Node | string)[] {
  return text
    .split(/(\s*[−+]?\d\S*)/)
    .filter(Boolean)
    .map((part) =>
      /\d/.test(part) && part.length <= MAX_NUMBER ? el('span', { class: 'whole' }, part) : part,
    );
}

/** Longer than any number that is written here: words of a file. */
const MAX_NUMBER = 24;

/** Tiles in rows of equal length, as many in a row as their longest figures leave room for. */
function columnsFor(count: number, longest: number, width: number): number {
  const least = Math.max(LEAST_WIDTH, longest * DIGIT * LEAST_LETTERS + PADDING);
  const most = Math.min(count, Math.max(1, Math.floor((width + GAP) / (least + GAP))));
  return Math.max(1, Math.ceil(count / Math.ceil(count / most)));
}

/** The row of key figures, one line a run in each. */
export function tiles(app: App, into: HTMLElement): { draw(): Promise<void> } {
  let turn = 0;
  return {
    async draw() {
      const mine = ++turn;
      const runs = app.runs();
      const figures = await Promise.all(runs.map(liveFigures));
      if (mine !== turn) return;
      const shown = TILES.flatMap((tile) => {
        const lines = runs.flatMap((run, i) => {
          const value = tile.read(run, figures[i] ?? {});
          return value ? [{ run, ...value }] : [];
        });
        return lines.length > 0 ? [{ tile, lines }] : [];
      });
      const numbers = shown.flatMap(({ lines }) =>
        lines.flatMap(({ text }) => (isNumber(text) ? [text.length] : [])),
      );
      const grid = el(
        'div',
        { class: 'tile-grid' },
        ...shown.map(({ tile, lines }) =>
          el(
            'div',
            { class: 'tile', 'data-tile': tile.key, title: tile.hint },
            el('h2', {}, tile.title, el('span', { class: 'sr-only' }, `: ${tile.hint}`)),
            ...lines.map(({ run, text, exact, small }) => {
              const line = el(
                'p',
                {
                  class: `figure${runs.length > 1 ? ' many' : ''}${isNumber(text) ? ' whole' : ''}`,
                  'data-value': exact,
                  title: runs.length > 1 ? run.name : undefined,
                },
                text,
              );
              if (runs.length > 1) line.style.setProperty('--mark', runColor(run));
              line.style.setProperty('--letters', String(Math.max(6, longestWord(text))));
              return el(
                'div',
                {},
                line,
                small && runs.length === 1
                  ? el('p', { class: 'small' }, ...unbroken(small))
                  : undefined,
              );
            }),
          ),
        ),
      );
      const columns = columnsFor(shown.length, Math.max(0, ...numbers), into.clientWidth);
      grid.style.setProperty('--columns', String(columns));
      // The first takes what is left over, so that every row is full.
      grid.style.setProperty(
        '--first',
        String(1 + ((columns - (shown.length % columns)) % columns)),
      );
      into.replaceChildren(grid);
      const warnings = runs.flatMap((run) =>
        [...warningsOf(run), ...run.facts.problems].map((warning) =>
          runs.length > 1 ? `${run.name}: ${warning}` : warning,
        ),
      );
      into.dataset.phase = phaseName(runs[0]?.phases.at(-1)?.word ?? '');
      if (warnings.length > 0)
        into.append(
          el(
            'div',
            { class: 'tile warnings', 'data-tile': 'warnings' },
            el('h2', {}, 'Warnings'),
            ...warnings.slice(0, 5).map((warning) => el('p', { class: 'small' }, warning)),
          ),
        );
    },
  };
}

const warningsOf = ({ writing, facts: { summary } }: Run): readonly string[] =>
  (writing ? summary?.standing : summary?.warnings) ?? [];

async function liveFigures(run: Run): Promise<LiveFigures> {
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
