import { formatNumber, plural } from '../../pipeline/format.ts';
import {
  type App,
  type DynamicsFile,
  hasColumns,
  messageOf,
  type Panel,
  type Run,
  rowUnder,
} from '../app.ts';
import { button, el, swatch, write } from '../dom.ts';
import { type Drawing, MARGIN } from '../plots/draw.ts';
import { linesPlot } from '../plots/lines.ts';
import { dynamicsLook, PAGE, phaseName } from '../plots/theme.ts';
import {
  DASHES,
  fittingScale,
  type Series,
  type SeriesLine,
  seriesLines,
  type TimeSeries,
  timeSeriesPlot,
} from '../plots/time-series.ts';
import type { Scale, YRange } from '../store.ts';
import { type StepAxis, stepCrosshair } from './crosshair.ts';
import { along, type PageLines, type ReadLines, readPageLines } from './page-lines.ts';
import { frameLook, panelFrame } from './panel-frame.ts';
import { readLines } from './read-lines.ts';
import { shortName } from './short-name.ts';
import { spikeAt } from './spikes-panel.ts';

/** Of so many runs extremes are drawn for every other pixel: their lines cover each other. */
const MANY_RUNS = 5;
const WIDER = 2;

const NOTHING_ABOVE =
  'No value here is above 0, so a logarithmic scale shows none; switch to linear.';

/** More lines than this fill the window. */
const MOST_IN_TIP = 10;

type PageLine = SeriesLine<PageLines>;

/** A panel of time series: one line a series and run, as an envelope that keeps every spike. */
export function timePanel(app: App, spec: TimeSeries, remove?: () => void): Panel {
  const columns = [...spec.series, ...(spec.other?.series ?? [])].flatMap(
    ({ column }) => column ?? [],
  );
  /**
   * Columns without any of which the panel has nothing to say; what can also be derived is not
   * among them.
   */
  const main = spec.series.flatMap(({ column, derived }) => (column && !derived ? [column] : []));
  const inOther = () => spec.other !== undefined && app.store.get().units.includes(spec.id);
  const isDifference = () => app.store.get().minus !== null;
  const drawnSpec = (): TimeSeries => {
    const chosen = (inOther() && spec.other) || spec;
    return isDifference() ? differenceOf(chosen) : chosen;
  };
  const shownY = (): YRange | undefined => app.store.get().y[spec.id];
  const setY = (range: YRange | null): void => {
    const { [spec.id]: _, ...others } = app.store.get().y;
    app.store.set({ y: range === null ? others : { ...others, [spec.id]: range } });
  };
  let fitting: Scale = spec.scale;
  const scale = (): Scale =>
    isDifference() ? 'linear' : (app.store.get().scales[spec.id] ?? fitting);
  const frame = panelFrame(
    app,
    { ...spec, csv: columns, scales: true, wide: spec.order === 0, main: spec.order === 0, remove },
    scale,
  );
  const { body } = frame;
  // In the line of the title, which is as wide.
  if (spec.order === 0) frame.element.querySelector('.info')?.after(frame.legend);
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    `${spec.title} over steps. Left and right arrows move the crosshair, plus and minus zoom, ` +
      'up and down zoom the values, 0 resets, Enter pins.',
  );
  let axis: StepAxis | undefined;
  let scaleY: ReturnType<Drawing['scale']>;
  let drawn: readonly PageLine[] = [];
  let shownValues: readonly [number, number] = [0, 1];
  let turn = 0;
  let empty = false;
  let silent: ReadonlySet<string> = new Set();
  const crosshair = stepCrosshair(app, body, () => axis, tipLines, {
    value: (pixel) => Number(scaleY?.invert?.(pixel)),
    shown: () => shownValues,
    log: () => scale() === 'log',
    zoom: setY,
  });
  const unit = spec.other && unitButton(app, spec.id, spec.other.button);
  if (unit) frame.element.querySelector('header .spacer')?.after(unit);
  const keys = new Map(spec.series.map((series) => [series.key, legendKey(app, spec.id, series)]));
  const eventKey = el('span', { class: 'key static', hidden: true });
  const doubtKey = el('span', { class: 'key static', hidden: true, 'data-key': 'doubt' });
  const modeKey = el('span', { class: 'key static', hidden: true, 'data-key': 'mode' });
  const valuesKey = button(
    '',
    { class: 'key', hidden: true, 'data-act': 'y', title: 'Which values the axis shows' },
    () => setY(shownY() === undefined ? 'all' : null),
    '',
  );
  valuesKey.removeAttribute('aria-label');
  frame.legend.append(
    ...[...keys.values()].map(({ element }) => element),
    eventKey,
    doubtKey,
    modeKey,
    valuesKey,
  );

  const hidden = ({ series: { key } }: PageLine): boolean =>
    app.store.get().hidden.includes(`${spec.id}.${key}`);

  async function draw(): Promise<void> {
    // First, since it may change the width to draw at.
    frame.update();
    const mine = ++turn;
    const runs = app
      .runs()
      .filter((run) => app.place(run) && main.some((column) => hasColumns(run, [column])));
    const steps = app.range();
    const look = frameLook(app, frame, spec.id);
    // Its room is there before its rows, so that nothing moves when they come.
    body.style.minHeight = `${look.height}px`;
    const room = look.width - MARGIN.left - MARGIN.right;
    const pixels = Math.max(40, Math.round(room / (runs.length < MANY_RUNS ? 1 : WIDER)));
    const many = runs.length > 1;
    const [only] = runs;
    const files = only && !many && !isDifference() && !inOther() ? only.dynamics : [];
    let read: ReadLines;
    let beside: PageLine[];
    unit?.setAttribute('aria-pressed', String(inOther()));
    try {
      const log = scale() === 'log';
      read = await app.gather(readPageLines(app, runs, { columns, pixels, log }));
      const [first] = read.lines;
      beside = first
        ? (await Promise.all(files.map((file, i) => besideLines(first, file, i, pixels)))).flat()
        : [];
    } catch (error) {
      // While a file is being written it may be unreadable for a moment; the last drawing stays.
      if (mine === turn && !runs.some(({ writing }) => writing)) frame.problem(messageOf(error));
      return;
    }
    if (mine !== turn) return;
    const now = drawnSpec();
    // One divergent step, of a run that blows up or of a log, does not flatten a panel.
    const y = shownY();
    const robust =
      y === undefined &&
      runs.some(({ figures }) => figures.diverged || figures.lambda1 === undefined);
    const lines = seriesLines(now, read.lines, steps, PAGE);
    // A column of nothing but nulls is left out; only the whole run can tell.
    if (!app.zoomed()) {
      silent = new Set(lines.filter(isSilent).map(keyOf));
      fitting = fittingScale(now, lines, robust);
    }
    drawn = [...lines.filter((line) => !silent.has(keyOf(line))), ...beside];
    for (const { series } of beside) {
      if (keys.has(series.key)) continue;
      const legend = legendKey(app, spec.id, series);
      keys.set(series.key, legend);
      eventKey.before(legend.element);
    }
    empty = !drawn.some(({ series }) => series.column !== undefined);
    const visible = drawn.filter((line) => !hidden(line));
    frame.problem(scale() === 'log' && noneAbove(visible) ? NOTHING_ABOVE : undefined);
    const plotted = timeSeriesPlot(now, visible, steps, scale(), app.axis());
    const { svg, values, out, furthest } = linesPlot(
      { ...plotted, areas: read.areas, robust, values: typeof y === 'object' ? y : undefined },
      look,
    );
    shownValues = values;
    axis = { left: MARGIN.left, right: look.width - MARGIN.right, from: steps[0], to: steps[1] };
    scaleY = svg.scale('y');
    frame.show(svg, many);
    modeKey.hidden = read.said === '';
    write(modeKey, read.said);
    valuesKey.hidden = y === undefined && out === 0;
    write(valuesKey, valuesText(y, out, furthest));
    for (const [index, [key, legend]] of [...keys].entries()) {
      const line = drawn.find(({ series }) => series.key === key);
      legend.element.hidden = line === undefined;
      if (!line) continue;
      const dash = line.of.color ? DASHES[index % DASHES.length]! : (line.series.dash ?? '');
      const name = `${nameOf(line)}${line.tick ? ', at the right end' : ''}`;
      legend.update(name, !hidden(line), line.of.color ? PAGE.text : line.line.color, dash);
    }
    const events = (plotted.events ?? []).length;
    eventKey.hidden = events === 0;
    write(eventKey, `▾ ${spec.events?.label}`);
    const doubted = plotted.doubtedFrom;
    doubtKey.hidden = doubted === undefined;
    write(doubtKey, `▒ digits not true beyond ${app.axis().say(doubted ?? 0)}`);
    body.dataset.drawn = steps.join(':');
    body.dataset.y = values.join(':');
    follow();
  }

  /** The same columns of another dynamics from the same start. */
  async function besideLines(
    of: PageLines,
    { name, client, info }: DynamicsFile,
    place: number,
    pixels: number,
  ): Promise<PageLine[]> {
    const shown = spec.series.filter(
      ({ dynamics, column }) => dynamics && column && hasColumns({ info }, [column]),
    );
    const columns = shown.map(({ column }) => column!);
    const { page } = of;
    const points =
      page && columns.length > 0 ? await readLines(app, page, client, columns, pixels) : [];
    const { color, dash } = dynamicsLook(PAGE, name, place);
    const key = `dynamics-${name}`;
    return points.map((line) => ({
      of,
      at: undefined,
      series: { key, label: name.replaceAll('-', ' '), color: 'other', dash },
      line: { points: line, color, dash, width: 1.4, className: key },
    }));
  }

  function follow(): void {
    crosshair.follow();
    // Of several runs a legend would name the value of one alone; the tooltip names each.
    const single = app.runs().length === 1 && !isDifference();
    for (const [key, legend] of keys) {
      const line = drawn.find(({ series }) => series.key === key);
      const value = single && line ? valueAt(line) : Number.NaN;
      legend.value(Number.isNaN(value) ? '' : formatNumber(value, 5));
    }
  }

  function valueAt({ of, series, at }: PageLine): number {
    const position = rowUnder(app)?.position;
    if (!of.page) {
      const points = of.points.get(series.column ?? '');
      return points && position !== undefined ? along(points.x, points.y)(position) : Number.NaN;
    }
    const row = app.rows().get(of.page.id);
    if (!row) return Number.NaN;
    if (at) return at(row.step);
    const value = row.values[series.column ?? ''];
    return typeof value === 'number' ? value * (series.factor?.(of.run) ?? 1) : Number.NaN;
  }

  function tipLines(down: () => number) {
    const many = app.runs().length > 1;
    const first = app.runs().find(({ id }) => app.rows().has(id));
    const { phase, cycle, regime } = (first && app.rows().get(first.id)?.values) ?? {};
    const ofWhom = many && first ? `${shortName(first.name)}: ` : '';
    const state = [
      typeof phase === 'string' ? phaseName(phase) : '',
      typeof cycle === 'number' ? `cycle ${formatNumber(cycle)}` : '',
      typeof regime === 'string' ? regime : '',
    ].filter(Boolean);
    return [
      { label: state.length > 0 ? `${ofWhom}${state.join(' · ')}` : '', value: '' },
      ...(spec.events ? app.runs().flatMap(spikeLines) : []),
      ...nearest(
        // What has no value at this step, as other dynamics have none, is not named.
        drawn.filter((line) => !hidden(line) && !Number.isNaN(valueAt(line))),
        down,
      ).map((line) => {
        const value = valueAt(line);
        const name = nameOf(line);
        return {
          label: many || !line.of.page ? `${name} · ${shortName(line.of.name)}` : name,
          // Between rows it is that of the drawing.
          value: line.of.page ? formatNumber(value) : `≈ ${formatNumber(value, 4)}`,
          exact: String(value),
          color: line.line.color,
        };
      }),
    ];
  }

  /** Why the loss spiked where the pointer is. */
  function spikeLines(run: Run) {
    const step = app.rows().get(run.id)?.step;
    const cause = step === undefined ? undefined : spikeAt(run, step);
    const whose = app.runs().length > 1 ? ` · ${shortName(run.name)}` : '';
    return cause === undefined ? [] : [{ label: `spike${whose}: ${cause}`, value: '' }];
  }

  /** As many lines as a tooltip has room for: those nearest to the pointer, the nearest first. */
  function nearest(lines: readonly PageLine[], down: () => number): readonly PageLine[] {
    if (lines.length <= MOST_IN_TIP || !scaleY) return lines;
    const y = down();
    const away = (line: PageLine) => {
      const distance = Math.abs(Number(scaleY!.apply(valueAt(line))) - y);
      return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    };
    return lines
      .map((line) => ({ line, distance: away(line) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, MOST_IN_TIP)
      .map(({ line }) => line);
  }

  return {
    id: spec.id,
    title: spec.title,
    element: frame.element,
    needs: columns,
    optional: spec.optional,
    empty: () => empty,
    shows: (run) => main.some((column) => hasColumns(run, [column])),
    draw,
    follow,
  };
}

/** Whether there are values, and none that a logarithmic scale has a place for. */
const noneAbove = (lines: readonly PageLine[]): boolean =>
  lines.some(({ line }) => line.points.y.length > 0) &&
  lines.every(({ line }) => Array.from(line.points.y).every((value) => !(value > 0)));

const keyOf = ({ of, series }: PageLine): string => `${of.key}:${series.column}`;
const isSilent = ({ line, at }: PageLine): boolean => !at && line.points.x.length === 0;
const nameOf = ({ of, series }: PageLine): string => series.name?.(of.run) ?? series.label;

/** The same plot of differences: from 0, without what follows from parameters. */
function differenceOf(spec: TimeSeries): TimeSeries {
  const { events: _, ...rest } = spec;
  return {
    ...rest,
    axis: `difference of ${spec.axis}`,
    scale: 'linear',
    series: spec.series.map(({ derived: __, ...series }) => series),
    level: () => ({ value: 0, label: '' }),
  };
}

function valuesText(y: YRange | undefined, out: number, furthest: number): string {
  if (y === 'all') return 'All values; show most';
  if (y !== undefined) return 'Values zoomed; reset';
  return `▴ ${plural(out, 'value')} up to ${formatNumber(furthest, 2)} beyond; show all`;
}

/** Switches a panel to its other unit and back. */
function unitButton(app: App, panel: string, label: string): HTMLButtonElement {
  return button(
    label,
    { class: 'scale', 'data-act': 'unit', 'aria-pressed': 'false', title: `Draw ${label}` },
    () => {
      const { units, y } = app.store.get();
      const { [panel]: _, ...others } = y;
      const on = units.includes(panel);
      app.store.set({
        units: on ? units.filter((each) => each !== panel) : [...units, panel],
        y: others,
      });
    },
  );
}

/** A button of the legend: shows or hides a series, and tells its value under the crosshair. */
function legendKey(app: App, panel: string, series: Series) {
  const value = el('span', { class: 'legend-value' });
  const line = swatch();
  const label = el('span', {}, series.label);
  const element = button(
    `Show ${series.label}`,
    { class: 'key', 'data-series': series.key, 'aria-pressed': 'true', title: 'Show or hide' },
    () => app.store.toggle(`${panel}.${series.key}`),
    line.element,
    label,
    value,
  );
  // Its name is what it shows: the label, and the value under the crosshair.
  element.removeAttribute('aria-label');
  return {
    element,
    value: (text: string) => write(value, text),
    update(name: string, shown: boolean, color: string, dash: string) {
      write(label, name);
      element.setAttribute('aria-pressed', String(shown));
      line.look(color, dash);
    },
  };
}
