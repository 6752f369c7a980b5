import * as Plot from '@observablehq/plot';
import { type App, hasColumns, type Panel, type Run, rowUnder, runColor } from '../app.ts';
import { formatNumber, phaseName, shortName } from '../format.ts';
import { interact, type StepAxis } from '../interact.ts';
import type { Scale } from '../store.ts';
import {
  drawPlot,
  linearTicks,
  logTicks,
  MARGIN,
  powerText,
  stepText,
  stepTicks,
  tickText,
} from './draw.ts';
import { fullHeight, panelFrame } from './frame.ts';
import { legendKey } from './legend-key.ts';
import { phaseBands } from './phase-bands.ts';
import { DASHES, type Drawn, dotMark, lineMark, linesOf, type Series, yDomain } from './series.ts';

export interface TimePanelSpec {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly axis: string;
  readonly description: string;
  readonly scale: Scale;
  readonly series: readonly Series[];
  /** Drawn below the lines: bands and reference levels. */
  readonly below?: (run: Run, dark: readonly [number, number]) => Plot.Markish[];
}

const HEIGHT = 250;
const NOTHING_ABOVE =
  'No value here is above 0, so a logarithmic scale shows none; switch to linear.';

/** A panel of time series: one line a series and run, as an envelope that keeps every spike. */
export function timePanel(app: App, spec: TimePanelSpec): Panel {
  const columns = spec.series.flatMap(({ column }) => column ?? []);
  /** Columns without any of which the panel has nothing to say; what can also be derived is not among them. */
  const main = spec.series.flatMap(({ column, derived }) => (column && !derived ? [column] : []));
  const scale = (): Scale => app.store.get().scales[spec.id] ?? spec.scale;
  const frame = panelFrame(app, { ...spec, csv: columns, scales: true }, scale);
  const { body } = frame;
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    `${spec.title} over steps. Left and right arrows move the crosshair, plus and minus zoom, 0 resets, Enter pins.`,
  );
  let axis: StepAxis | undefined;
  let drawn: readonly Drawn[] = [];
  let turn = 0;
  let empty = false;
  let silent: ReadonlySet<string> = new Set();
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
  const keys = new Map(spec.series.map((series) => [series.key, legendKey(app, spec.id, series)]));
  frame.legend.append(...[...keys.values()].map(({ element }) => element));

  const hidden = (key: string): boolean => app.store.get().hidden.includes(`${spec.id}.${key}`);

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const mine = ++turn;
    const runs = app.runs().filter((run) => main.some((column) => hasColumns(run, [column])));
    const [from, to] = app.range();
    const width = Math.max(160, body.clientWidth);
    const pixels = Math.max(40, Math.round(width - MARGIN.left - MARGIN.right));
    let next: Drawn[];
    try {
      next = (
        await Promise.all(runs.map((run) => linesOf(run, spec.series, from, to, pixels)))
      ).flat();
    } catch (error) {
      if (mine === turn) frame.problem(error instanceof Error ? error.message : String(error));
      return;
    }
    if (mine !== turn) return;
    // A column of nothing but nulls is left out; only the whole run can tell.
    if (!app.zoomed()) silent = new Set(next.filter(isSilent).map(keyOf));
    drawn = next.filter((line) => !silent.has(keyOf(line)));
    empty = !drawn.some(({ series }) => main.includes(series.column ?? ''));
    const log = scale() === 'log';
    const height = app.store.get().full === spec.id ? fullHeight(body, HEIGHT) : HEIGHT;
    const domain = yDomain(
      drawn.filter(({ series }) => !hidden(series.key)),
      from,
      to,
      log,
      spec.id === 'sharpness' ? runs[0]?.facts.threshold : undefined,
    );
    const allBelow = noneAbove(drawn.filter(({ series }) => !hidden(series.key)));
    frame.problem(log && allBelow ? NOTHING_ABOVE : undefined);
    const powers = log ? logTicks(domain) : undefined;
    const plain = log ? undefined : linearTicks(domain, spec.axis);
    const ticks = powers ?? plain?.ticks;
    const visible = drawn.filter(({ series }) => !hidden(series.key));
    const svg = drawPlot({
      width,
      height,
      marginTop: MARGIN.top,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain: [from, to], type: 'linear' },
      y: { domain, type: log ? 'log' : 'linear' },
      marks: [
        ...phaseBands(runs[0], [from, to], domain),
        Plot.gridY({ ticks: ticks ?? 5, stroke: 'var(--grid)', strokeOpacity: 1 }),
        ...(runs[0] && spec.below ? spec.below(runs[0], domain) : []),
        ...visible.map((line) => lineMark(line, log, runs.length > 1)),
        ...visible.flatMap((line) => dotMark(line, [from, to], pixels, log, runs.length > 1)),
        Plot.axisX({
          label: 'step t',
          ticks: stepTicks([from, to], Math.max(2, Math.round(width / 110))),
          tickFormat: (step: number) => (Number.isInteger(step) ? stepText(step) : ''),
          labelAnchor: 'right',
          labelArrow: 'none',
          tickSize: 4,
        }),
        Plot.axisY({
          label: plain?.title ?? spec.axis,
          ticks: ticks ?? 5,
          tickFormat: powers ? powerText : (plain?.text ?? tickText),
          labelArrow: 'none',
          labelAnchor: 'center',
          tickSize: 0,
          tickPadding: 6,
        }),
      ],
    });
    axis = { left: MARGIN.left, right: width - MARGIN.right, from, to };
    body.classList.toggle('by-run', runs.length > 1);
    body.querySelector('svg.main')?.remove();
    body.prepend(svg);
    for (const [key, legend] of keys) {
      const line = drawn.find(({ series }) => series.key === key);
      legend.element.hidden = line === undefined;
      if (line) legend.name(nameOf(line));
      legend.update(
        !hidden(key),
        runs.length > 1 ? 'var(--text)' : undefined,
        DASHES[spec.series.findIndex((series) => series.key === key) % DASHES.length]!,
        runs.length > 1,
      );
    }
    body.dataset.drawn = `${from}:${to}`;
    body.dataset.y = domain.join(':');
    follow();
  }

  function follow(): void {
    const { cursor } = app.store.get();
    interaction.follow(rowUnder(app)?.step ?? cursor);
    for (const [key, legend] of keys) {
      const line = drawn.find(({ series }) => series.key === key);
      legend.value(cursor === null || !line ? '' : formatNumber(valueAt(line), 5));
    }
    showTip();
  }

  function valueAt({ run, series, at }: Drawn): number {
    const row = app.rows().get(run.id);
    if (!row) return Number.NaN;
    if (at) return at(row.step);
    const value = row.values[series.column ?? ''];
    return typeof value === 'number' ? value : Number.NaN;
  }

  function showTip(): void {
    const row = rowUnder(app);
    if (!tipAt) {
      if (body.dataset.tip) app.showTip(null);
      delete body.dataset.tip;
      return;
    }
    if (!row) {
      app.showTip(null);
      return;
    }
    body.dataset.tip = '1';
    const many = app.runs().length > 1;
    const first = app.runs().find(({ id }) => app.rows().has(id));
    const { phase, cycle, regime } = (first && app.rows().get(first.id)?.values) ?? row.values;
    const ofWhom = many && first ? `${shortName(first.name)}: ` : '';
    const state = [
      typeof phase === 'string' ? phaseName(phase) : '',
      typeof cycle === 'number' ? `cycle ${cycle}` : '',
      typeof regime === 'string' ? regime : '',
    ].filter(Boolean);
    app.showTip({
      ...tipAt,
      title: `step ${formatNumber(row.step)}`,
      lines: [
        { label: state.length > 0 ? `${ofWhom}${state.join(' · ')}` : '', value: '' },
        ...drawn
          .filter(({ series }) => !hidden(series.key))
          .map((line) => {
            const value = valueAt(line);
            return {
              label: many ? `${nameOf(line)} · ${shortName(line.run.name)}` : nameOf(line),
              value: formatNumber(value),
              exact: String(value),
              color: many ? runColor(line.run) : line.series.color,
            };
          }),
      ],
    });
  }

  return {
    id: spec.id,
    title: spec.title,
    element: frame.element,
    needs: columns,
    empty: () => empty,
    shows: (run) => main.some((column) => hasColumns(run, [column])),
    draw,
    follow,
  };
}

/** Whether there are values, and none that a logarithmic scale has a place for. */
const noneAbove = (lines: readonly Drawn[]): boolean =>
  lines.some(({ points }) => points.y.length > 0) &&
  lines.every(({ points }) => points.y.every((value) => !(value > 0)));

const keyOf = ({ run, series }: Drawn): string => `${run.id}:${series.key}`;
const isSilent = ({ points, at }: Drawn): boolean => at === undefined && points.x.length === 0;
const nameOf = ({ run, series }: Drawn): string => series.name?.(run) ?? series.label;
