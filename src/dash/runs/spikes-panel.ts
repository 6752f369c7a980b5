import { formatNumber, plainNumber } from '../../pipeline/format.ts';
import type { ExplainedSpike } from '../../pipeline/phases/measured/spike-cause.ts';
import { etaVerdictText, spikeCauseText } from '../../pipeline/phases/measured/spike-text.ts';
import type { App, Panel, Run } from '../app.ts';
import { button, el, unbroken } from '../dom.ts';
import { scrollTable } from '../roving.ts';
import { panelFrame } from './panel-frame.ts';

const explained = (run: Run): readonly ExplainedSpike[] => run.facts.summary?.explained ?? [];

/** One row a spike of the loss with its cause; a click zooms every panel to it. */
export function spikesPanel(app: App): Panel {
  const spikesRun = () => app.runs().find((run) => explained(run).length > 0);
  const head = {
    id: 'spikes',
    title: 'Spikes',
    unit: 'causes',
    table: async () => csv(explained(spikesRun()!)),
    description:
      'One row for each spike of the loss: the step of its peak, how high it rose over the level ' +
      'before, and why: which part of the rise is energy of the oscillation in directions at the ' +
      'edge, how far over the threshold the sharpness was, and which learning rate would have ' +
      'held. Click a spike to zoom to it.',
  };
  const frame = panelFrame(app, head);
  const rows = el('tbody');
  const note = el('p', { class: 'note' });
  const headings = ['Peak (step)', 'Rise', 'Cause'];
  const scroller = scrollTable(
    'Table of spikes',
    el('thead', {}, el('tr', {}, ...headings.map((text) => el('th', { scope: 'col' }, text)))),
    rows,
  );
  frame.body.classList.add('flow');
  frame.body.append(scroller, note);
  let source: unknown;

  function fill(run: Run): void {
    const verdict = run.facts.summary?.etaVerdict;
    const whose = app.runs().length > 1 ? `Spikes of ${run.name}. ` : '';
    note.textContent = whose + (verdict ? `${etaVerdictText(verdict)}.` : '');
    note.hidden = note.textContent === '';
    rows.replaceChildren(
      ...explained(run).map((spike) => {
        const { begin, step, end, rise, cause } = spike;
        const zoom = button(
          `Zoom to the spike at step ${formatNumber(step)}`,
          { class: 'link' },
          () => {
            const air = Math.max(10, end - begin);
            app.zoomTo(run, [begin - air, end + air]);
          },
          formatNumber(step),
        );
        const row = el(
          'tr',
          { 'data-first': begin, 'data-last': end, 'data-cause': cause },
          el('td', {}, zoom),
          el('td', { 'data-value': rise }, `× ${plainNumber(rise, 3)}`),
          el('td', { class: 'words' }, ...unbroken(spikeCauseText(spike))),
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
    needs: [],
    optional: true,
    shows: (run) => explained(run).length > 0,
    async draw() {
      frame.update();
      const run = spikesRun();
      if (!run) return;
      if (source !== run.info) fill(run);
      source = run.info;
      const [from, to] = app.steps(run);
      for (const row of rows.rows) {
        const [first, last] = [Number(row.dataset.first), Number(row.dataset.last)];
        row.classList.toggle('in-range', app.zoomed() && first < to && last > from);
      }
      frame.body.dataset.drawn = `${from}:${to}`;
    },
    follow: () => {},
  };
}

/** The cause of the spike that a step is in, in words; undefined where it is in none. */
export function spikeAt(run: Run, step: number): string | undefined {
  const spike = explained(run).find(({ begin, end }) => step >= begin && step <= end);
  return spike && spikeCauseText(spike);
}

const csv = (spikes: readonly ExplainedSpike[]): string =>
  [
    'begin,peak,end,rise,cause,share,directions,ratio,eta_that_holds',
    ...spikes.map(({ begin, step, end, rise, cause, share, directions, ratio, ...spike }) =>
      [begin, step, end, rise, cause, share, directions, ratio, spike.eta_that_holds].join(','),
    ),
  ]
    .join('\n')
    .concat('\n');
