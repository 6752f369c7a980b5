import * as Plot from '@observablehq/plot';
import { type App, hasColumns, type Panel, type Run, runColor } from '../app.ts';
import { button, el } from '../dom.ts';
import { formatNumber, phaseName } from '../format.ts';
import { interact, type StepAxis } from '../interact.ts';
import type { Points } from '../load/envelope.ts';
import type { Scale } from '../store.ts';
import { drawPlot, logTicks, MARGIN, niceDomain, powerText, stepText, tickText } from './draw.ts';
import { panelFrame } from './frame.ts';
import { phaseBands } from './phase-bands.ts';

/** A line of a time series. */
export interface Series {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  /** The file's column it shows … */
  readonly column?: string;
  /** … or what follows from the run's parameters: its value at a step, and over which steps it is drawn. */
  readonly derived?: (run: Run, lines: ReadonlyMap<string, Points>) => DerivedLine | undefined;
  readonly dash?: string;
  readonly width?: number;
}

export interface DerivedLine {
  readonly at: (step: number) => number;
  readonly from?: number;
  readonly to?: number;
}

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

const DASHES = ['', '7 3', '2 3', '9 3 2 3', '1 2'];
const HEIGHT = 250;

interface Drawn {
  readonly run: Run;
  readonly series: Series;
  readonly index: number;
  readonly points: Points;
  readonly at: ((step: number) => number) | undefined;
}

/** A panel of time series: one line a series and run, as an envelope that keeps every spike. */
export function timePanel(app: App, spec: TimePanelSpec): Panel {
  const columns = spec.series.flatMap(({ column }) => column ?? []);
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
    const mine = ++turn;
    const runs = app.runs().filter((run) => columns.some((column) => hasColumns(run, [column])));
    const [from, to] = app.range();
    const width = Math.max(160, body.clientWidth);
    const pixels = Math.max(40, Math.round(width - MARGIN.left - MARGIN.right));
    let next: Drawn[];
    try {
      next = (await Promise.all(runs.map((run) => linesOf(run, from, to, pixels)))).flat();
    } catch (error) {
      if (mine === turn) frame.problem(error instanceof Error ? error.message : String(error));
      return;
    }
    if (mine !== turn) return;
    frame.problem(undefined);
    drawn = next;
    const log = scale() === 'log';
    const height = app.store.get().full === spec.id ? Math.max(HEIGHT, window.innerHeight - 330) : HEIGHT;
    const domain = yDomain(
      drawn.filter(({ series }) => !hidden(series.key)),
      from,
      to,
      log,
      spec.id === 'sharpness' ? runs[0]?.facts.threshold : undefined,
    );
    const ticks = log ? logTicks(domain) : undefined;
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
        Plot.gridY({ ...(ticks ? { ticks } : { ticks: 5 }), stroke: 'var(--grid)', strokeOpacity: 1 }),
        ...(runs[0] && spec.below ? spec.below(runs[0], domain) : []),
        ...drawn.filter(({ series }) => !hidden(series.key)).map((line) => lineMark(line, log, runs.length > 1)),
        Plot.axisX({
          label: 'step t',
          ticks: Math.max(2, Math.round(width / 110)),
          tickFormat: (step: number) => (Number.isInteger(step) ? stepText(step) : ''),
          labelAnchor: 'right',
          labelArrow: 'none',
          tickSize: 4,
        }),
        Plot.axisY({
          label: spec.axis,
          ...(ticks ? { ticks } : { ticks: 5 }),
          tickFormat: log && ticks ? powerText : tickText,
          labelArrow: 'none',
          labelAnchor: 'center',
          tickSize: 0,
          tickPadding: 6,
        }),
      ],
    });
    axis = { left: MARGIN.left, right: width - MARGIN.right, from, to };
    body.querySelector('svg.main')?.remove();
    body.prepend(svg);
    for (const [key, legend] of keys) {
      const present = drawn.some(({ series }) => series.key === key);
      legend.element.hidden = !present;
      legend.update(
        !hidden(key),
        runs.length > 1 ? 'var(--text)' : undefined,
        DASHES[spec.series.findIndex((series) => series.key === key) % DASHES.length]!,
        runs.length > 1,
      );
    }
    frame.update();
    body.dataset.drawn = `${from}:${to}`;
    body.dataset.y = domain.join(':');
    follow();
  }

  async function linesOf(run: Run, from: number, to: number, pixels: number): Promise<Drawn[]> {
    const present = spec.series.flatMap(({ column }) => (column && hasColumns(run, [column]) ? [column] : []));
    const lines = await run.client.lines(present, from, to, pixels);
    const byColumn = new Map(present.map((column, i) => [column, lines[i]!]));
    return spec.series.flatMap((series, index): Drawn[] => {
      if (series.column) {
        const points = byColumn.get(series.column);
        return points ? [{ run, series, index, points, at: undefined }] : [];
      }
      const line = series.derived?.(run, byColumn);
      return line
        ? [
            {
              run,
              series,
              index,
              points: sample(line, from, to, pixels),
              at: (step) => (step >= (line.from ?? step) && step <= (line.to ?? step) ? line.at(step) : Number.NaN),
            },
          ]
        : [];
    });
  }

  function follow(): void {
    const { cursor } = app.store.get();
    const rows = app.rows();
    const first = app.runs()[0];
    const row = first && rows.get(first.id);
    interaction.follow(cursor === null ? null : (row?.step ?? cursor));
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
    const { cursor } = app.store.get();
    const first = app.runs()[0];
    const row = first && app.rows().get(first.id);
    if (!tipAt) {
      if (body.dataset.tip) app.showTip(null);
      delete body.dataset.tip;
      return;
    }
    if (cursor === null || !row) return;
    body.dataset.tip = '1';
    const many = app.runs().length > 1;
    const { phase, cycle, regime } = row.values;
    const state = [
      typeof phase === 'string' ? phaseName(phase) : '',
      typeof cycle === 'number' ? `cycle ${cycle}` : '',
      typeof regime === 'string' ? regime : '',
    ].filter(Boolean);
    app.showTip({
      ...tipAt,
      title: `step ${formatNumber(row.step)}`,
      lines: [
        { label: state.join(' · '), value: '' },
        ...drawn
          .filter(({ series }) => !hidden(series.key))
          .map((line) => {
            const value = valueAt(line);
            return {
              label: many ? `${line.series.label} · ${line.run.name}` : line.series.label,
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
    shows: (run) => columns.some((column) => hasColumns(run, [column])),
    draw,
    follow,
  };
}

function lineMark({ run, series, index, points }: Drawn, log: boolean, many: boolean): Plot.Markish {
  const dash = many ? DASHES[index % DASHES.length] : series.dash;
  const y = log ? points.y.map((value) => (value > 0 ? value : Number.NaN)) : points.y;
  return Plot.line(points.x, {
    x: points.x,
    y,
    stroke: many ? runColor(run) : series.color,
    strokeWidth: series.width ?? 1.4,
    strokeLinejoin: 'round',
    clip: true,
    ...(dash ? { strokeDasharray: dash } : {}),
  });
}

function sample(line: DerivedLine, from: number, to: number, pixels: number): Points {
  const start = Math.max(from, line.from ?? from);
  const end = Math.min(to, line.to ?? to);
  if (!(start < end)) return { x: new Float64Array(), y: new Float64Array() };
  const n = Math.min(pixels, 120);
  const x = Float64Array.from({ length: n }, (_, i) => start + ((end - start) * i) / (n - 1));
  return { x, y: x.map(line.at) };
}

function yDomain(
  lines: readonly Drawn[],
  from: number,
  to: number,
  log: boolean,
  level: number | undefined,
): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { points } of lines) {
    for (let i = 0; i < points.x.length; i++) {
      const value = points.y[i]!;
      if (points.x[i]! < from || points.x[i]! > to || (log && !(value > 0))) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  // The threshold is what sharpness is looked at for, so it stays in view while it is near.
  if (level !== undefined && high > level / 2 && low < level * 2)
    return niceDomain(Math.min(low, level), Math.max(high, level), log);
  return niceDomain(low, high, log);
}

function legendKey(app: App, panel: string, series: Series) {
  const value = el('span', { class: 'legend-value' });
  const swatch = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  swatch.setAttribute('class', 'swatch');
  swatch.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  for (const [name, at] of Object.entries({ x1: '0', x2: '18', y1: '5', y2: '5', 'stroke-width': '2.5' }))
    line.setAttribute(name, at);
  swatch.append(line);
  const id = `${panel}.${series.key}`;
  const element = button(
    `Show ${series.label}`,
    { class: 'key', 'data-series': series.key, 'aria-pressed': 'true', title: 'Show or hide' },
    () => {
      const { hidden } = app.store.get();
      app.store.set({ hidden: hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id] });
    },
    swatch,
    series.label,
    value,
  );
  // Its name is what it shows: the label, and the value under the crosshair.
  element.removeAttribute('aria-label');
  return {
    element,
    value: (text: string) => {
      value.textContent = text;
    },
    update(shown: boolean, color: string | undefined, dash: string, many: boolean) {
      element.setAttribute('aria-pressed', String(shown));
      line.setAttribute('stroke', color ?? series.color);
      line.setAttribute('stroke-dasharray', many ? dash : (series.dash ?? ''));
    },
  };
}
