import * as Plot from '@observablehq/plot';
import { type App, hasColumns, type Panel, type Run, rowUnder, runColor } from '../app.ts';
import { el } from '../dom.ts';
import { formatNumber, phaseColor, phaseName, shortName } from '../format.ts';
import { interact, type StepAxis } from '../interact.ts';
import { drawPlot, MARGIN, stepText, stepTicks } from './draw.ts';
import { panelFrame } from './frame.ts';
import { type Bar, bars } from './phase-bands.ts';

const ROW = 34;
/** A phase of one step at the end of a run is seen all the same. */
const LEAST_PIXELS = 3;

/** Which phase each run is in, step by step; at the edge also which half of a cycle. */
export function timelinePanel(app: App): Panel {
  const head = {
    id: 'timeline',
    title: 'Phases',
    unit: 'steps',
    wide: true,
    csv: ['phase', 'regime', 'cycle'],
    description:
      'Progressive sharpening: S rises towards 2/η. Edge of stability: S hovers around 2/η, in turns sharpening (|α| grows) and stabilizing itself (a spike of L₁ pushes |α| back). Convergence: nothing beyond the threshold lies ahead.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Phases over steps. Left and right arrows move the crosshair, plus and minus zoom, 0 resets.',
  );
  let axis: StepAxis | undefined;
  let tipAt: { x: number; y: number } | null = null;
  const interaction = interact(
    app,
    body,
    () => axis,
    (at) => {
      tipAt = at;
      showTip();
    },
  );

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const runs = app.runs().filter(({ phases }) => phases.length > 0);
    const [from, to] = app.range();
    const width = Math.max(160, body.clientWidth);
    const pixel = (to - from) / (width - MARGIN.left - MARGIN.right);
    const drawn = runs.flatMap((run, row) =>
      visibleBars(run, from, to, pixel).map((bar) => ({ ...bar, row: String(row) })),
    );
    const svg = drawPlot({
      width,
      height: runs.length * ROW + 40,
      marginTop: 6,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain: [from, to], type: 'linear' },
      y: { domain: runs.map((_, row) => String(row)), type: 'band', padding: 0.16, axis: null },
      marks: [
        Plot.rect(drawn, {
          x1: 'x1',
          x2: 'x2',
          y: 'row',
          fill: (bar: { word: string }) => phaseColor(bar.word),
          fillOpacity: 0.9,
        }),
        Plot.axisX({
          label: 'step t',
          ticks: stepTicks([from, to], Math.max(2, Math.round(width / 110))),
          tickFormat: (step: number) => (Number.isInteger(step) ? stepText(step) : ''),
          labelAnchor: 'right',
          labelArrow: 'none',
          tickSize: 4,
        }),
        ...(runs.length > 1
          ? [
              Plot.text(runs, {
                x: from,
                dx: -8,
                y: (_: Run, row: number) => String(row),
                text: (_: Run, row: number) => `${row + 1}`,
                textAnchor: 'end',
                fontWeight: 700,
                fill: (run: Run) => runColor(run),
              }),
            ]
          : []),
      ],
    });
    axis = { left: MARGIN.left, right: width - MARGIN.right, from, to };
    body.classList.toggle('by-run', runs.length > 1);
    body.classList.add('numbered');
    body.querySelector('svg.main')?.remove();
    body.prepend(svg);
    const words = [...new Set(runs.flatMap(({ phases }) => phases.map(({ word }) => word)))].slice(
      0,
      12,
    );
    frame.legend.replaceChildren(
      ...words.map((word) => {
        const dot = el('span', { class: 'dot' });
        dot.style.background = phaseColor(word);
        return el('span', { class: 'key static' }, dot, phaseName(word));
      }),
    );
    body.dataset.drawn = `${from}:${to}`;
    follow();
  }

  function showTip(): void {
    if (!tipAt) {
      if (body.dataset.tip) app.showTip(null);
      delete body.dataset.tip;
      return;
    }
    const row = rowUnder(app);
    if (!row) return;
    body.dataset.tip = '1';
    app.showTip({
      ...tipAt,
      title: `step ${formatNumber(row.step)}`,
      lines: app.runs().flatMap((run) => {
        const own = app.rows().get(run.id);
        const phase = own?.values.phase;
        if (typeof phase !== 'string' || !own) return [];
        const interval = run.phases.find(
          ({ first, last }) => own.step >= first && own.step <= last,
        );
        return [
          {
            label:
              app.runs().length > 1
                ? `${phaseName(phase)} · ${shortName(run.name)}`
                : phaseName(phase),
            value: interval
              ? `${formatNumber(interval.first)} – ${formatNumber(interval.last)}`
              : '',
            color: phaseColor(phase),
          },
        ];
      }),
    });
  }

  function follow(): void {
    interaction.follow(rowUnder(app)?.step ?? app.store.get().cursor);
    showTip();
  }

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: ['phase'],
    shows: (run) => hasColumns(run, ['phase']),
    draw,
    follow,
  };
}

/** Intervals in view, those of the same pixel as one. */
function visibleBars(run: Run, from: number, to: number, pixel: number): Bar[] {
  if (!hasColumns(run, ['phase'])) return [];
  const visible: Bar[] = [];
  for (const bar of bars(run.phases, [from, to], LEAST_PIXELS * pixel)) {
    const before = visible.at(-1);
    if (before && bar.x2 - before.x1 < pixel)
      visible[visible.length - 1] = { ...before, x2: bar.x2 };
    else visible.push(bar);
  }
  return visible;
}
