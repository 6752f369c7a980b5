import { count, formatNumber } from '../../pipeline/format.ts';
import { type App, hasColumns, messageOf, type Panel, type Run } from '../app.ts';
import { el } from '../dom.ts';
import type { Statistics } from '../load/protocol.ts';
import { scrollTable } from '../roving.ts';
import { panelFrame } from './panel-frame.ts';
import { shortName } from './short-name.ts';

const COLUMNS = ['sharpness', 'sharpness_ratio', 'loss', 'l_hat', 'l1', 'beta2'] as const;
const HEADINGS = [
  'Run',
  'Rows',
  'Mean S',
  'Mean S/threshold',
  'Slope of ln L̂',
  'Slope of ln L',
  'Cycles',
  'Mean period',
  'Mean L₁',
  '… predicted',
];

/**
 * What the rows between the ends of the range have in common: means, slopes, and the period of the
 * cycles.
 */
export function selectionPanel(app: App): Panel {
  let lines: readonly Line[] = [];
  const head = {
    id: 'selection',
    title: 'Selection',
    wide: true,
    unit: '',
    table: () => csv(lines),
    description:
      'Of the steps that are shown: means, slopes of logarithms a step by least squares, ' +
      'cycles that begin there with their mean period, and the mean of L₁ beside ½·α̂λ₂β₂(1 − ' +
      'α̂β₂), which holds it while all of them are at the edge. A row counts for the steps ' +
      'since the one before. Drag in a plot to select.',
  };
  const frame = panelFrame(app, head);
  const rows = el('tbody');
  const note = el('p', { class: 'note', hidden: true });
  const heads = HEADINGS.map((heading) => el('th', { scope: 'col' }, heading));
  frame.body.classList.add('flow');
  frame.body.append(scrollTable('Statistics', el('thead', {}, el('tr', {}, ...heads)), rows), note);

  async function draw(): Promise<void> {
    frame.update();
    const shown = app.runs().filter((run) => shows(run) && app.place(run));
    try {
      const found = await Promise.all(shown.map((run) => lineOf(run, ...app.steps(run))));
      frame.problem(undefined);
      lines = found;
      rows.replaceChildren(...found.map((line) => rowOf(line, app.color(line.run))));
      note.textContent = found
        .flatMap(({ run, doubt }) => (doubt === undefined ? [] : [`${run.name}: ${doubt}.`]))
        .join(' ');
      note.hidden = note.textContent === '';
    } catch (error) {
      if (!shown.some(({ writing }) => writing)) frame.problem(messageOf(error));
    }
    frame.body.dataset.drawn = app.range().join(':');
  }

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: ['loss'],
    shows,
    draw,
    follow: () => {},
  };
}

const shows = (run: Run): boolean => hasColumns(run, ['loss']);

/** A run, and what stands behind its name, in the order of the headings. */
interface Line {
  readonly run: Run;
  readonly numbers: readonly (number | undefined)[];
  /** Why its numbers are not there, or not true. */
  readonly doubt: string | undefined;
}

async function lineOf(run: Run, from: number, to: number): Promise<Line> {
  const { peaksKept, summary } = run.facts;
  const statistics = peaksKept ? undefined : await run.client.statistics(COLUMNS, from, to);
  if (!statistics) {
    const doubt = peaksKept
      ? 'only some of its rows are kept, and the peaks among them, so that means would be too large'
      : 'too many rows to read at once; select fewer steps';
    return { run, numbers: HEADINGS.slice(1).map(() => undefined), doubt };
  }
  // Where they cannot be read, the table of cycles says why.
  const cycles = hasColumns(run, ['cycle'])
    ? await run.client.cycles().catch(() => undefined)
    : undefined;
  const starts = (cycles ?? [])
    .map(({ first }) => first)
    .filter((step) => step >= from && step <= to);
  const { sharpness, sharpness_ratio, loss, l_hat, l1 } = statistics.columns;
  const trusted = summary?.trustedUntil ?? Number.POSITIVE_INFINITY;
  return {
    run,
    doubt: to > trusted ? `not true beyond step ${count(trusted)} (⁇)` : undefined,
    numbers: [
      statistics.rows,
      sharpness?.mean,
      sharpness_ratio?.mean,
      l_hat?.logSlope,
      loss?.logSlope,
      cycles ? starts.length : undefined,
      starts.length > 1 ? (starts.at(-1)! - starts[0]!) / (starts.length - 1) : undefined,
      l1?.mean,
      isAtEdge(run, from, to) ? predictedL1(run, statistics) : undefined,
    ],
  };
}

/** Whether all steps of a run within [from, to] are at the edge of stability. */
const isAtEdge = ({ phases }: Run, from: number, to: number): boolean =>
  phases.length > 0 &&
  phases.every(({ word, first, last }) => last < from || first > to || word.startsWith('eos-'));

/**
 * Mean of ½·α̂λ₂β₂(1 − α̂β₂), where it is what theory says: gradient descent without covariance.
 */
function predictedL1({ facts }: Run, { columns }: Statistics): number | undefined {
  const { minimal, threshold } = facts;
  const { beta2 } = columns;
  if (!minimal || !beta2 || threshold === undefined) return undefined;
  const { lambda1, lambda2, covariance } = minimal.moments;
  if (covariance !== 0 || minimal.optimizer !== 'gd') return undefined;
  const alphaHat = Math.sqrt(threshold / lambda1);
  return 0.5 * alphaHat * lambda2 * (Math.abs(beta2.mean) - alphaHat * beta2.meanSquare);
}

const isThere = (value: number | undefined): value is number =>
  value !== undefined && !Number.isNaN(value);

function rowOf({ run, numbers, doubt }: Line, color: string): HTMLElement {
  const dot = el('span', { class: 'dot' });
  dot.style.background = color;
  // How many rows there are is true of any run.
  const cells = numbers.map((value, i) => {
    const title = i === 0 ? undefined : doubt;
    const mark = title === undefined ? '' : '\u00a0⁇';
    const text = isThere(value) ? formatNumber(value, 4) + mark : '–';
    return el('td', { 'data-value': value, title }, text);
  });
  return el('tr', {}, el('td', { title: run.name }, dot, ` ${shortName(run.name)}`), ...cells);
}

function csv(lines: readonly Line[]): string {
  const rows = lines.map(({ run, numbers }) => [
    `"${run.name.replaceAll('"', '""')}"`,
    ...numbers.map((value) => (isThere(value) ? String(value) : '')),
  ]);
  return [HEADINGS, ...rows].map((cells) => cells.join(',')).join('\n');
}
