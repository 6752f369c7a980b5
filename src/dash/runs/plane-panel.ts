import { formatNumber } from '../../pipeline/format.ts';
import { type App, hasColumns, messageOf, type Panel, type Run } from '../app.ts';
import { button, el, swatch } from '../dom.ts';
import type { Path } from '../load/protocol.ts';
import { type DrawnPlane, type PlanePath, planePlot } from '../plots/plane.ts';
import { dynamicsLook, PAGE, phaseColor, phaseName } from '../plots/theme.ts';
import { frameLook, panelFrame } from './panel-frame.ts';
import { startHandle } from './start-handle.ts';

/** Points of a path nearer to the pointer than this take the crosshair. */
const NEAR_PIXELS = 40;
const WEIGHTS = ['alpha', 'beta2'];

interface Key {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly dash?: string;
}

const KEYS: readonly Key[] = [
  { key: 'path', label: 'gradient descent', color: PAGE.text },
  { key: 'hyperbola', label: 'minima αβ₂ = 1', color: PAGE.muted, dash: '2 3' },
  { key: 'stable', label: 'stable set |α| ≤ α̂', color: PAGE.threshold, dash: '6 4' },
];

/** The trajectory in the plane of (β₂, α), coloured by phase, with what it moves along. */
export function planePanel(app: App): Panel {
  const head = {
    id: 'plane',
    title: 'Parameter plane',
    unit: 'dimensionless',
    csv: ['alpha', 'beta2', 'phase'],
    description:
      'Trajectory (β₂, α), coloured by phase. Dotted: the minima αβ₂ = 1. Shaded: the stable ' +
      'set β₁ = 0, |α| ≤ α̂, where S is at most the threshold. Where their files lie beside ' +
      'the run: other dynamics from the same start.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  const dots = el('div', { class: 'plane-dots' });
  const start = startHandle(app);
  body.append(dots, start.element);
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Parameter plane of alpha and beta 2. Left and right arrows move along the trajectory.',
  );
  let turn = 0;
  let drawn: DrawnPlane | undefined;
  let paths: readonly { readonly run: Run; readonly path: Path }[] = [];
  const hidden = (key: string) => app.store.get().hidden.includes(`plane.${key}`);

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const mine = ++turn;
    const runs = app.runs().filter((run) => hasColumns(run, WEIGHTS) && app.place(run));
    const beside = (runs[0]?.dynamics ?? []).filter((file) => hasColumns(file, WEIGHTS));
    let others: Path[];
    try {
      const shown = await Promise.all(
        runs.map(async (run) => {
          const phase = hasColumns(run, ['phase']) ? 'phase' : undefined;
          return { run, path: await run.client.path('beta2', 'alpha', phase, ...app.steps(run)) };
        }),
      );
      others = await Promise.all(
        beside.map(({ client, info }) =>
          client.path('beta2', 'alpha', undefined, info.firstStep, info.lastStep),
        ),
      );
      if (mine !== turn) return;
      paths = shown;
    } catch (error) {
      if (mine === turn && !runs.some(({ writing }) => writing)) frame.problem(messageOf(error));
      return;
    }
    frame.problem(undefined);
    const many = runs.length > 1;
    const { threshold, lambda1 } = runs[0]?.figures ?? {};
    const edge = threshold && lambda1 ? Math.sqrt(threshold / lambda1) : undefined;
    const looks = beside.map(
      ({ name }, i): Key => ({
        key: name,
        label: name.replaceAll('-', ' '),
        ...dynamicsLook(PAGE, name, i),
      }),
    );
    // Before the drawing, which in full screen takes the room that it leaves.
    frame.legend.replaceChildren(
      ...[...KEYS.filter(({ key }) => key !== 'stable' || edge), ...looks].map(legendKey),
    );
    drawn = planePlot(
      {
        frame: start.frame(),
        edge: hidden('stable') ? undefined : edge,
        stableSet: true,
        minima: !hidden('hyperbola'),
        paths: [
          ...(hidden('path')
            ? []
            : paths.map(({ run, path }) => runPath(path, many ? app.color(run) : undefined))),
          ...looks.flatMap(({ key, color, dash = '' }, i): PlanePath[] =>
            hidden(key)
              ? []
              : [{ points: others[i]!, color, dash, width: 1.6, className: `dynamics-${key}` }],
          ),
        ],
        dots: hidden('path') ? [] : paths.flatMap(({ path }) => ends(path)),
      },
      frameLook(app, frame, head.id),
    );
    frame.show(drawn.svg, many);
    start.draw(drawn, runs);
    body.dataset.drawn = app.range().join(':');
    follow();
  }

  function legendKey({ key, label, color, dash = '' }: Key): HTMLElement {
    const line = swatch();
    line.look(color, dash);
    return button(
      label,
      { class: 'key', 'data-series': key, 'aria-pressed': String(!hidden(key)) },
      () => app.store.toggle(`plane.${key}`),
      line.element,
      label,
    );
  }

  function follow(): void {
    const shown = app.store.get().cursor === null ? [] : paths;
    dots.replaceChildren(
      ...shown.flatMap(({ run }) => {
        const { alpha, beta2 } = app.rows().get(run.id)?.values ?? {};
        if (!drawn || typeof alpha !== 'number' || typeof beta2 !== 'number') return [];
        const [left, top] = drawn.place(beta2, alpha);
        const dot = el('div', { class: 'plane-dot' });
        dot.style.transform = `translate(${left}px, ${top}px)`;
        return [dot];
      }),
    );
  }

  function nearest(event: PointerEvent): number | undefined {
    const path = paths[0]?.path;
    if (!drawn || !path) return undefined;
    const box = body.getBoundingClientRect();
    let best = NEAR_PIXELS ** 2;
    let step: number | undefined;
    for (let i = 0; i < path.x.length; i++) {
      const [left, top] = drawn.place(path.x[i]!, path.y[i]!);
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
    const run = paths[0]!.run;
    if (!app.store.get().pinned) app.point(app.place(run)?.at(step) ?? 0);
    const row = app.rows().get(run.id);
    const { alpha, beta2, phase } = row?.values ?? {};
    if (!row || typeof alpha !== 'number' || typeof beta2 !== 'number') return;
    app.showTip({
      x: event.clientX,
      y: event.clientY,
      title: `step ${formatNumber(row.step)}`,
      lines: [
        ...(typeof phase === 'string'
          ? [{ label: phaseName(phase), value: '', color: phaseColor(PAGE, phase) }]
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
    const stride = Math.max(app.least() / 4, (to - from) / 400) * (event.shiftKey ? 20 : 1);
    const cursor = (app.cursor() ?? from) + move * stride;
    app.point(Math.min(to, Math.max(from, cursor)));
  });

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: WEIGHTS,
    shows: (run) => hasColumns(run, WEIGHTS),
    draw,
    follow,
  };
}

const runPath = (path: Path, color: string | undefined): PlanePath => ({
  points: path,
  color: color ?? PAGE.text,
  className: 'trajectory',
  ...(color ? {} : { phases: path }),
});

/** Its start as a ring, its end as a dot. */
function ends({ x, y }: Path) {
  const last = x.length - 1;
  if (last < 0) return [];
  return [
    { x: x[0]!, y: y[0]!, r: 4, color: PAGE.text, hollow: true },
    { x: x[last]!, y: y[last]!, r: 4, color: PAGE.text },
  ];
}
