import { formatNumber } from '../../pipeline/format.ts';
import { type App, hasColumns, messageOf, type Panel, pageLook, type Run } from '../app.ts';
import { button, el, swatch } from '../dom.ts';
import { type Drawing, MARGIN } from '../plots/draw.ts';
import { linesPlot } from '../plots/lines.ts';
import { PAGE, phaseName } from '../plots/theme.ts';
import {
  DASHES,
  fittingScale,
  type RunLines,
  type Series,
  type SeriesLine,
  seriesLines,
  type TimeSeries,
  timeSeriesPlot,
} from '../plots/time-series.ts';
import type { Scale } from '../store.ts';
import { type StepAxis, stepCrosshair } from './crosshair.ts';
import { drawingHeight, panelFrame } from './panel-frame.ts';
import { readLines } from './read-lines.ts';
import { shortName } from './short-name.ts';

const NOTHING_ABOVE =
  'No value here is above 0, so a logarithmic scale shows none; switch to linear.';

/** More lines than this fill the window. */
const MOST_IN_TIP = 11;

/** The lines of one run on the page. */
interface PageLines extends RunLines {
  readonly page: Run;
}
type PageLine = SeriesLine<PageLines>;

/** A panel of time series: one line a series and run, as an envelope that keeps every spike. */
export function timePanel(app: App, spec: TimeSeries): Panel {
  const columns = spec.series.flatMap(({ column }) => column ?? []);
  /**
   * Columns without any of which the panel has nothing to say; what can also be derived is not
   * among them.
   */
  const main = spec.series.flatMap(({ column, derived }) => (column && !derived ? [column] : []));
  let fitting: Scale = spec.scale;
  const scale = (): Scale => app.store.get().scales[spec.id] ?? fitting;
  const frame = panelFrame(
    app,
    { ...spec, csv: columns, scales: true, wide: spec.order === 0, main: spec.order === 0 },
    scale,
  );
  const { body } = frame;
  // In the line of the title, which is as wide.
  if (spec.order === 0) frame.element.querySelector('.info')?.after(frame.legend);
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    `${spec.title} over steps. Left and right arrows move the crosshair, plus and minus zoom, 0 resets, Enter pins.`,
  );
  let axis: StepAxis | undefined;
  let scaleY: ReturnType<Drawing['scale']>;
  let drawn: readonly PageLine[] = [];
  let turn = 0;
  let empty = false;
  let silent: ReadonlySet<string> = new Set();
  const crosshair = stepCrosshair(app, body, () => axis, tipLines);
  const keys = new Map(spec.series.map((series) => [series.key, legendKey(app, spec.id, series)]));
  const eventKey = el('span', { class: 'key static', hidden: true });
  const doubtKey = el('span', { class: 'key static', hidden: true, 'data-key': 'doubt' });
  frame.legend.append(...[...keys.values()].map(({ element }) => element), eventKey, doubtKey);

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
    const look = pageLook(body.clientWidth, drawingHeight(app, frame, spec.id));
    // Its room is there before its rows, so that nothing moves when they come.
    body.style.minHeight = `${look.height}px`;
    const pixels = Math.max(40, Math.round(look.width - MARGIN.left - MARGIN.right));
    const many = runs.length > 1;
    let read: PageLines[];
    try {
      read = await Promise.all(
        runs.map(async (run): Promise<PageLines> => {
          const present = columns.filter((column) => hasColumns(run, [column]));
          const lines = await readLines(app, run, run.client, present, pixels);
          const points = new Map(present.map((column, i) => [column, lines[i]!]));
          return {
            page: run,
            run: run.figures,
            place: app.place(run),
            points,
            color: many ? app.color(run) : undefined,
            className: `of-run-${run.id}`,
          };
        }),
      );
    } catch (error) {
      // While a file is being written it may be unreadable for a moment; the last drawing stays.
      if (mine === turn && !runs.some(({ writing }) => writing)) frame.problem(messageOf(error));
      return;
    }
    if (mine !== turn) return;
    const lines = seriesLines(spec, read, steps, PAGE);
    // A column of nothing but nulls is left out; only the whole run can tell.
    if (!app.zoomed()) {
      silent = new Set(lines.filter(isSilent).map(keyOf));
      fitting = fittingScale(spec, lines);
    }
    drawn = lines.filter((line) => !silent.has(keyOf(line)));
    empty = !drawn.some(({ series }) => main.includes(series.column ?? ''));
    const visible = drawn.filter((line) => !hidden(line));
    frame.problem(scale() === 'log' && noneAbove(visible) ? NOTHING_ABOVE : undefined);
    const plotted = timeSeriesPlot(spec, visible, steps, scale(), app.axis());
    const { svg, values } = linesPlot(plotted, look);
    axis = { left: MARGIN.left, right: look.width - MARGIN.right, from: steps[0], to: steps[1] };
    scaleY = svg.scale('y');
    frame.show(svg, many);
    for (const [index, [key, legend]] of [...keys].entries()) {
      const line = drawn.find(({ series }) => series.key === key);
      legend.element.hidden = line === undefined;
      if (!line) continue;
      const dash = many ? DASHES[index % DASHES.length]! : (line.series.dash ?? '');
      legend.update(nameOf(line), !hidden(line), many ? PAGE.text : line.line.color, dash);
    }
    const events = (plotted.events ?? []).length;
    eventKey.hidden = events === 0;
    eventKey.textContent = `▾ ${spec.events?.label}`;
    const doubted = plotted.doubtedFrom;
    doubtKey.hidden = doubted === undefined;
    doubtKey.textContent = `▒ digits not true beyond ${app.axis().say(doubted ?? 0)}`;
    body.dataset.drawn = steps.join(':');
    body.dataset.y = values.join(':');
    follow();
  }

  function follow(): void {
    crosshair.follow();
    // Of several runs a legend would name the value of one alone; the tooltip names each.
    const single = app.runs().length === 1;
    for (const [key, legend] of keys) {
      const line = drawn.find(({ series }) => series.key === key);
      const value = single && line ? valueAt(line) : Number.NaN;
      legend.value(Number.isNaN(value) ? '' : formatNumber(value, 5));
    }
  }

  function valueAt({ of, series, at }: PageLine): number {
    const row = app.rows().get(of.page.id);
    if (!row) return Number.NaN;
    if (at) return at(row.step);
    const value = row.values[series.column ?? ''];
    return typeof value === 'number' ? value : Number.NaN;
  }

  function tipLines(y: number) {
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
      ...nearest(
        drawn.filter((line) => !hidden(line)),
        y,
      ).map((line) => {
        const value = valueAt(line);
        const name = nameOf(line);
        return {
          label: many ? `${name} · ${shortName(line.of.page.name)}` : name,
          value: formatNumber(value),
          exact: String(value),
          color: line.line.color,
        };
      }),
    ];
  }

  /** As many lines as a tooltip has room for: those nearest to the pointer, the nearest first. */
  function nearest(lines: readonly PageLine[], y: number): readonly PageLine[] {
    if (lines.length <= MOST_IN_TIP || !scaleY) return lines;
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

const keyOf = ({ of, series }: PageLine): string => `${of.page.id}:${series.key}`;
const isSilent = ({ line, at }: PageLine): boolean => !at && line.points.x.length === 0;
const nameOf = ({ of, series }: PageLine): string => series.name?.(of.run) ?? series.label;

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
    value: (text: string) => {
      value.textContent = text;
    },
    update(name: string, shown: boolean, color: string, dash: string) {
      label.textContent = name;
      element.setAttribute('aria-pressed', String(shown));
      line.look(color, dash);
    },
  };
}
