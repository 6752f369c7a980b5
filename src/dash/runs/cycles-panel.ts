import { count, formatNumber, percent } from '../../pipeline/format.ts';
import { type PredictedCycle, predict } from '../../pipeline/theory/predict.ts';
import { type App, hasColumns, messageOf, type Panel, type Run } from '../app.ts';
import { button, el } from '../dom.ts';
import type { Cycle } from '../load/protocol.ts';
import { scrollTable } from '../roving.ts';
import { panelFrame } from './panel-frame.ts';

/** Longer tables are cut; the CSV has them all. */
const MAX_ROWS = 500;

/** One row a cycle at the edge; a click zooms every panel to it. */
export function cyclesPanel(app: App): Panel {
  let shown: readonly Cycle[] = [];
  let predicted: readonly PredictedCycle[] = [];
  const head = {
    id: 'cycles',
    title: 'Cycles',
    unit: 'steps',
    table: async () => {
      const run = cyclesRun();
      const all = run && shown.length > MAX_ROWS ? await run.client.cycles() : shown;
      return csv(all, predicted);
    },
    description:
      'One row for each upward crossing of the threshold: where it starts, the largest L₁ of ' +
      'its spike, by how much S overshoots the threshold, and how many steps pass until the ' +
      'next. Beside overshoot and length what could be said before the run, and in ' +
      'parentheses by how much that is off. Click a cycle to zoom to it.',
  };
  const cyclesRun = () => app.runs().find((candidate) => hasColumns(candidate, ['cycle']));
  const frame = panelFrame(app, head);
  const headings = ['Cycle', 'Start (step)', 'Peak L₁', 'Overshoot', 'Length (steps)'];
  const saidBefore = ['Predicted overshoot', 'Predicted length'].map((heading) =>
    el('th', { scope: 'col', class: 'predicted', hidden: true }, heading),
  );
  const rows = el('tbody');
  const note = el('p', { class: 'note', hidden: true });
  const scroller = scrollTable(
    'Table of cycles',
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...headings.map((heading) => el('th', { scope: 'col' }, heading)),
        ...saidBefore,
      ),
    ),
    rows,
  );
  frame.body.classList.add('flow');
  frame.body.append(scroller, note);
  let source: unknown;

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const run = cyclesRun();
    if (!run) return;
    if (source !== run.info || rows.childElementCount === 0) {
      try {
        shown = await run.client.cycles(MAX_ROWS);
      } catch (error) {
        if (!run.writing) frame.problem(messageOf(error));
        return;
      }
      frame.problem(undefined);
      source = run.info;
      fill(run);
    }
    const [from, to] = app.steps(run);
    for (const row of rows.rows) {
      const [first, last] = [Number(row.dataset.first), Number(row.dataset.last)];
      row.classList.toggle('in-range', app.zoomed() && first < to && last > from);
    }
    frame.body.dataset.drawn = `${from}:${to}`;
  }

  function fill(run: Run): void {
    const many = app.runs().length > 1;
    const { every = 1, summary, minimal } = run.facts;
    predicted = minimal && every === 1 ? predict(minimal).cycles : [];
    for (const heading of saidBefore) heading.hidden = predicted.length === 0;
    const thinned =
      every > 1
        ? ` Every ${count(every)}th row stands in the file: starts and lengths are true to ± ` +
          `${count(every)} steps.`
        : '';
    note.hidden = shown.length > 0 && shown.length <= MAX_ROWS && !many && thinned === '';
    const of = summary?.cycles === undefined ? '' : ` of ${count(summary.cycles)}`;
    const cut = shown.length > MAX_ROWS ? `The first ${MAX_ROWS}${of}; the CSV has all.` : '';
    note.textContent =
      shown.length === 0
        ? summary?.measured === 0
          ? 'The log has no sharpness, so whether it crossed the threshold is unknown.'
          : summary?.firstCrossing == null
            ? 'This run has not crossed the threshold upwards.'
            : `The sharpness came to the threshold at step ${count(summary.firstCrossing)} and ` +
              'stayed there, without cycles that can be told apart.'
        : `${many ? `Cycles of ${run.name}. ` : ''}${cut}${thinned}`;
    scroller.hidden = shown.length === 0;
    rows.replaceChildren(
      ...shown.slice(0, MAX_ROWS).map((cycle, i) => {
        const next = shown[i + 1]?.first;
        const end = next ?? cycle.last;
        const length = cycleLength(shown, i);
        const zoom = button(
          `Zoom to cycle ${cycle.cycle}`,
          { class: 'link' },
          () => {
            const air = Math.max(2, (end - cycle.first) * 0.05);
            app.zoomTo(run, [cycle.first - air, end + air]);
          },
          formatNumber(cycle.cycle),
        );
        const row = el(
          'tr',
          { 'data-first': cycle.first, 'data-last': end },
          el('td', {}, zoom),
          el('td', {}, formatNumber(cycle.first)),
          el('td', { 'data-value': cycle.peakL1 }, formatNumber(cycle.peakL1, 4)),
          el(
            'td',
            { 'data-value': cycle.peakRatio },
            Number.isNaN(cycle.peakRatio)
              ? '–'
              : `${formatNumber((cycle.peakRatio - 1) * 100, 3)} %`,
          ),
          el('td', {}, `${formatNumber(length)}${next === undefined ? ' so far' : ''}`),
          ...predictedCells(predicted, i, cycle.peakRatio - 1, next === undefined ? null : length),
        );
        row.addEventListener('click', (event) => {
          if (!(event.target instanceof HTMLButtonElement)) zoom.click();
        });
        return row;
      }),
    );
  }

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: ['cycle'],
    shows: (run) => hasColumns(run, ['cycle']),
    draw,
    follow: () => {},
  };
}

/** What was said of a cycle, and by how much it is off once the cycle is whole. */
function predictedCells(
  predicted: readonly PredictedCycle[],
  i: number,
  overshoot: number,
  length: number | null,
): HTMLElement[] {
  if (predicted.length === 0) return [];
  const said = predicted[i];
  const cell = (text: string, value: number, found: number) => {
    const off = length === null || !(found > 0) ? '' : ` (${percent(value / found - 1)})`;
    return el('td', { class: 'predicted', 'data-value': value }, text + off);
  };
  if (!said) return [0, 1].map(() => el('td', { class: 'predicted' }, '–'));
  return [
    cell(`${formatNumber(said.overshoot * 100, 3)} %`, said.overshoot, overshoot),
    cell(formatNumber(said.period), said.period, length ?? 0),
  ];
}

/** Steps until the next cycle begins, or so far. */
const cycleLength = (cycles: readonly Cycle[], i: number): number =>
  (cycles[i + 1]?.first ?? cycles[i]!.last + 1) - cycles[i]!.first;

const csv = (cycles: readonly Cycle[], predicted: readonly PredictedCycle[]): string =>
  [
    'cycle,start,peak_l1,overshoot,length,predicted_overshoot,predicted_length',
    ...cycles.map(({ cycle, first, peakL1, peakRatio }, i) => {
      const { overshoot = '', period = '' } = predicted[i] ?? {};
      const found = [cycle, first, peakL1, peakRatio - 1, cycleLength(cycles, i)];
      return [...found, overshoot, period].join(',');
    }),
  ]
    .join('\n')
    .concat('\n');
