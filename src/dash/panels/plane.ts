import * as Plot from '@observablehq/plot';
import {
  type App,
  type CompanionKind,
  hasColumns,
  type Panel,
  type Run,
  runColor,
} from '../app.ts';
import { button, el, swatch } from '../dom.ts';
import { formatNumber, phaseColor, phaseName } from '../format.ts';
import type { Path } from '../load/protocol.ts';
import { drawPlot, linearTicks } from './draw.ts';
import { fullHeight, panelFrame } from './frame.ts';
import { domain, hyperbola, LINES, nearestMinimum, stableSet, trajectory } from './plane-marks.ts';

const HEIGHT = 250;
const MARGINS = { top: 14, right: 18, bottom: 38, left: 68 };
/** Points of a path nearer to the pointer than this take the crosshair. */
const NEAR_PIXELS = 40;

/** The trajectory in the plane of (α, β₂), coloured by phase, with what it moves along. */
export function planePanel(app: App): Panel {
  const head = {
    id: 'plane',
    title: 'Parameter plane',
    unit: 'dimensionless',
    csv: ['alpha', 'beta2', 'phase'],
    description:
      'Trajectory (α, β₂), coloured by phase. Dotted: the minima αβ₂ = 1. Shaded: the stable set β₁ = 0, |α| ≤ α̂, where S ≤ 2/η. Where their files lie beside the run: gradient flow, the constrained trajectory and the central flow from the same start.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  const dots = el('div', { class: 'plane-dots' });
  body.append(dots);
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Parameter plane of alpha and beta 2. Left and right arrows move along the trajectory.',
  );
  let turn = 0;
  let place: ((alpha: number, beta: number) => readonly [number, number]) | undefined;
  let paths: readonly { readonly run: Run; readonly path: Path }[] = [];
  const hidden = (key: string) => app.store.get().hidden.includes(`plane.${key}`);
  const keys = new Map(LINES.map((line) => [line.key, legendKey(app, line)]));
  const phases = el('span', { class: 'phase-keys' });
  frame.legend.append(...keys.values(), phases);

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const mine = ++turn;
    const runs = app.runs().filter((run) => hasColumns(run, ['alpha', 'beta2']));
    const range = app.range();
    const text = (run: Run) => (hasColumns(run, ['phase']) ? 'phase' : undefined);
    let companions: { kind: CompanionKind; path: Path }[];
    try {
      const shown = await Promise.all(
        runs.map(async (run) => ({
          run,
          path: await run.client.path('alpha', 'beta2', text(run), ...range),
        })),
      );
      const beside = (runs[0]?.companions ?? []).filter(({ info }) =>
        ['alpha', 'beta2'].every((name) => info.columns.some((column) => column.name === name)),
      );
      companions = await Promise.all(
        beside.map(async ({ kind, client, info }) => ({
          kind,
          path: await client.path('alpha', 'beta2', undefined, info.firstStep, info.lastStep),
        })),
      );
      if (mine !== turn) return;
      paths = shown;
    } catch (error) {
      if (mine === turn) frame.problem(error instanceof Error ? error.message : String(error));
      return;
    }
    frame.problem(undefined);
    const facts = runs[0]?.facts;
    const edge =
      facts?.eta && facts.lambda1 ? Math.sqrt(2 / (facts.eta * facts.lambda1)) : undefined;
    const many = runs.length > 1;
    // Before the drawing, which in full screen takes the room that it leaves.
    drawLegend(
      new Set([
        'path',
        'hyperbola',
        ...(edge ? ['stable'] : []),
        ...companions.map(({ kind }) => kind),
      ]),
    );
    phases.replaceChildren(...(many || hidden('path') ? [] : phaseKeys(paths[0]?.path)));
    const width = Math.max(160, body.clientWidth);
    const height = app.store.get().full === 'plane' ? fullHeight(body, HEIGHT) : HEIGHT;
    const seen = [...paths, ...companions.filter(({ kind }) => !hidden(kind))].map(
      ({ path }) => path,
    );
    const x = domain(seen.map((path) => path.x));
    const y = domain([...seen.map((path) => path.y), ...seen.map(nearestMinimum)]);
    const [across, upward] = [linearTicks(x, 'α'), linearTicks(y, 'β₂')];
    const svg = drawPlot({
      width,
      height,
      marginTop: MARGINS.top,
      marginRight: MARGINS.right,
      marginBottom: MARGINS.bottom,
      marginLeft: MARGINS.left,
      x: { domain: x, type: 'linear' },
      y: { domain: y, type: 'linear' },
      marks: [
        ...(edge && !hidden('stable') ? stableSet(edge, x, y) : []),
        Plot.gridX({ stroke: 'var(--grid)', strokeOpacity: 1, ticks: across.ticks }),
        Plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1, ticks: upward.ticks }),
        ...(hidden('hyperbola') ? [] : hyperbola(x, y)),
        ...companions
          .filter(({ kind }) => !hidden(kind))
          .map(({ kind, path }) => {
            const look = LINES.find(({ key }) => key === kind);
            return Plot.line(path.x, {
              x: path.x,
              y: path.y,
              stroke: look?.color ?? 'var(--text)',
              strokeWidth: 1.6,
              strokeDasharray: look?.dash ?? '',
              clip: true,
              className: `companion-${kind}`,
            });
          }),
        ...(hidden('path')
          ? []
          : paths.flatMap(({ run, path }) => trajectory(path, many ? runColor(run) : undefined))),
        Plot.axisX({
          label: across.title,
          labelArrow: 'none',
          tickFormat: across.text,
          ticks: across.ticks,
          tickSize: 4,
        }),
        Plot.axisY({
          label: upward.title,
          labelArrow: 'none',
          labelAnchor: 'center',
          tickFormat: upward.text,
          ticks: upward.ticks,
          tickSize: 0,
          tickPadding: 6,
        }),
      ],
    });
    place = (alpha, beta) => [
      MARGINS.left + ((alpha - x[0]) / (x[1] - x[0])) * (width - MARGINS.left - MARGINS.right),
      height -
        MARGINS.bottom -
        ((beta - y[0]) / (y[1] - y[0])) * (height - MARGINS.top - MARGINS.bottom),
    ];
    body.classList.toggle('by-run', many);
    body.querySelector('svg.main')?.remove();
    body.prepend(svg);
    body.dataset.drawn = range.join(':');
    follow();
  }

  function drawLegend(present: ReadonlySet<string>): void {
    for (const [key, element] of keys) {
      element.hidden = !present.has(key);
      element.setAttribute('aria-pressed', String(!hidden(key)));
    }
  }

  function follow(): void {
    const shown = app.store.get().cursor === null ? [] : paths;
    dots.replaceChildren(
      ...shown.flatMap(({ run }) => {
        const values = app.rows().get(run.id)?.values;
        if (!place || typeof values?.alpha !== 'number' || typeof values.beta2 !== 'number')
          return [];
        const [left, top] = place(values.alpha, values.beta2);
        const dot = el('div', { class: 'plane-dot' });
        dot.style.transform = `translate(${left}px, ${top}px)`;
        return [dot];
      }),
    );
  }

  function nearest(event: PointerEvent): number | undefined {
    if (!place) return undefined;
    const box = body.getBoundingClientRect();
    let best = NEAR_PIXELS ** 2;
    let step: number | undefined;
    const path = paths[0]?.path;
    for (let i = 0; path && i < path.x.length; i++) {
      const [left, top] = place(path.x[i]!, path.y[i]!);
      const away =
        (left - (event.clientX - box.left)) ** 2 + (top - (event.clientY - box.top)) ** 2;
      if (away >= best) continue;
      best = away;
      step = path.step[i]!;
    }
    return step;
  }

  body.addEventListener('pointermove', (event) => {
    const step = nearest(event);
    if (step === undefined) {
      app.showTip(null);
      return;
    }
    if (!app.store.get().pinned) app.store.set({ cursor: step });
    const run = app.runs()[0];
    const row = run && app.rows().get(run.id);
    const { alpha, beta2, phase } = row?.values ?? {};
    if (!row || typeof alpha !== 'number' || typeof beta2 !== 'number') return;
    app.showTip({
      x: event.clientX,
      y: event.clientY,
      title: `step ${formatNumber(row.step)}`,
      lines: [
        ...(typeof phase === 'string'
          ? [{ label: phaseName(phase), value: '', color: phaseColor(phase) }]
          : []),
        { label: 'α', value: formatNumber(alpha), exact: String(alpha) },
        { label: 'β₂', value: formatNumber(beta2), exact: String(beta2) },
      ],
    });
  });
  body.addEventListener('pointerleave', () => {
    app.showTip(null);
    if (!app.store.get().pinned) app.store.set({ cursor: null });
  });
  body.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const [from, to] = app.range();
    const stride = Math.max(1, (to - from) / 400) * (event.shiftKey ? 20 : 1);
    app.store.set({
      cursor: Math.round(
        Math.min(to, Math.max(from, (app.store.get().cursor ?? from) + move * stride)),
      ),
    });
  });

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: ['alpha', 'beta2'],
    shows: (run) => hasColumns(run, ['alpha', 'beta2']),
    draw,
    follow,
  };
}

/** What the colours of a path stand for. */
function phaseKeys(path: Path | undefined): HTMLElement[] {
  const words = [...new Set(path?.code)].map((code) => path?.words[code] ?? '').filter(Boolean);
  // Words of one colour, such as a stranger's, are not told apart by it.
  const byColor = new Map(words.slice(0, 12).map((word) => [phaseColor(word), word]));
  return [...byColor].map(([color, word]) => {
    const dot = el('span', { class: 'dot' });
    dot.style.background = color;
    return el('span', { class: 'key static' }, dot, phaseName(word));
  });
}

function legendKey(app: App, { key, label, color, dash }: (typeof LINES)[number]): HTMLElement {
  const line = swatch();
  line.look(color, dash ?? '');
  const id = `plane.${key}`;
  return button(
    label,
    { class: 'key', 'data-series': key },
    () => {
      const { hidden } = app.store.get();
      app.store.set({
        hidden: hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id],
      });
    },
    line.element,
    label,
  );
}
