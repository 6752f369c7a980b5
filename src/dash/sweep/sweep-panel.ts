import {
  heatMap,
  QUANTITIES,
  type TableParameter,
  variedParameters,
} from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import type { App, Panel } from '../app.ts';
import { el } from '../dom.ts';
import { counted, formatCount, formatNumber } from '../format.ts';
import { fullHeight, panelFrame } from '../panels/frame.ts';
import type { ListedRun, ListedSweep } from '../runs.ts';
import { drawMap, type MapDrawing, outcomeName } from './draw-map.ts';
import { loadSweep } from './load-sweep.ts';
import { type MapView, readMapView, writeMapView } from './map-view.ts';

/** More values than this make no sensible list to choose from. */
const MOST_CHOICES = 500;

/** What the map has of the page around it. */
export interface Surroundings {
  /** Names of the sweeps to choose from. */
  sweeps(): readonly string[];
  /** Takes a run under way; the page shows that it is busy, and then the run. */
  show(work: () => Promise<ListedRun>): Promise<void>;
  /** What has the focus in the map that this one takes the place of. */
  focus(): Element | null;
}

/** The map of a sweep over two of its parameters; a click on a cell runs that very run. */
export async function openSweepPanel(
  app: App,
  listed: ListedSweep,
  { sweeps, show, focus }: Surroundings,
): Promise<Panel> {
  const table = await loadSweep(listed);
  const varied = variedParameters(table);
  const view = () => readMapView(app.store.get().map, varied, table);
  const head = {
    id: 'sweep',
    title: `Sweep ${listed.name}`,
    unit: extentOf(listed, table.length),
    wide: true,
    rows: () => mapCsv(drawing),
    caption: () => [captionOf(view(), varied), ...lackOf(listed, table.length)].join(', '),
    description:
      'What became of the runs of a sweep, over two of its parameters. Where several runs share a cell it shows their median (of outcomes the most frequent). Dashed: S∞(θ₀) = 2/η; where η is smaller, gradient flow from the start ends below 2/η and there is no edge of stability. A click on a cell, or Enter, runs that very run here and shows it below.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  const choices = el('div', {
    class: 'map-choices',
    role: 'group',
    'aria-label': 'What the map shows',
  });
  frame.element.insertBefore(choices, frame.legend);
  const mark = el('div', { class: 'map-mark', hidden: true });
  body.append(mark);
  body.classList.add('map');
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Map of the sweep. Arrow keys move from cell to cell, Enter runs the run of a cell and shows it.',
  );
  let drawing: MapDrawing | undefined;
  let chosen: number | undefined;
  let inherited = focus()?.getAttribute('data-choice');

  const change = (next: Partial<MapView>) => {
    chosen = undefined;
    app.store.set({ map: writeMapView({ ...view(), ...next }) });
  };

  function chooser(
    label: string,
    options: readonly (readonly [string, string])[],
    value: string,
    pick: (value: string) => void,
  ) {
    const select = el(
      'select',
      { 'data-choice': label },
      ...options.map(([key, text]) => el('option', { value: key }, text)),
    );
    select.value = value;
    select.addEventListener('change', () => pick(select.value));
    return el('label', {}, el('span', {}, label), select);
  }

  function drawChoices({ quantity, x, y, facet, filters }: MapView): void {
    const focused = document.activeElement?.getAttribute('data-choice') ?? inherited;
    inherited = undefined;
    const axis = ({ column, symbol }: TableParameter) =>
      [column, symbol === column ? column : `${symbol} (${column})`] as const;
    const others = varied.filter(({ column }) => column !== x && column !== y);
    const names = sweeps();
    choices.replaceChildren(
      ...(names.length > 1
        ? [
            chooser(
              'sweep',
              names.map((name) => [name, name]),
              listed.name,
              (name) => app.store.set({ sweep: name }),
            ),
          ]
        : []),
      chooser(
        'show',
        QUANTITIES.map(({ name, label }) => [name, label]),
        quantity.name,
        (name) => change({ quantity: QUANTITIES.find((each) => each.name === name)! }),
      ),
      chooser('x', varied.map(axis), x, (column) =>
        change(column === y ? { x: column, y: x } : { x: column, ...without(column) }),
      ),
      chooser('y', varied.map(axis), y, (column) =>
        change(column === x ? { x: y, y: column } : { y: column, ...without(column) }),
      ),
      ...(others.length === 0
        ? []
        : [
            chooser(
              'a map for each',
              [['-', 'none'], ...others.map(axis)],
              facet ?? '-',
              (column) =>
                change({ facet: column === '-' ? null : column, filters: dropped(column) }),
            ),
          ]),
      ...others
        .filter(({ column, values }) => column !== facet && values.length <= MOST_CHOICES)
        .map(({ column, symbol, values }) =>
          chooser(
            symbol,
            [['', 'all'], ...values.map((value) => [String(value), formatNumber(value)] as const)],
            String(filters.get(column)?.[0] ?? ''),
            (value) => {
              const next = new Map(dropped(column));
              if (value !== '') next.set(column, [Number(value)]);
              change({ filters: next });
            },
          ),
        ),
    );
    if (focused) choices.querySelector<HTMLElement>(`[data-choice="${focused}"]`)?.focus();
  }

  const dropped = (column: string) =>
    new Map([...view().filters].filter(([name]) => name !== column));
  /** A parameter that becomes an axis is neither facet nor filter any longer. */
  const without = (column: string) => ({
    facet: view().facet === column ? null : view().facet,
    filters: dropped(column),
  });

  function point(index: number | undefined, tip: readonly [number, number] | null): void {
    const cell = index === undefined ? undefined : drawing?.cells[index];
    const rect = index === undefined ? undefined : drawing?.rect(index);
    mark.hidden = !rect;
    if (!cell || !rect || !drawing) {
      app.showTip(null);
      return;
    }
    const [outer, inner] = [body.getBoundingClientRect(), rect.getBoundingClientRect()];
    mark.style.transform = `translate(${inner.left - outer.left}px, ${inner.top - outer.top}px)`;
    mark.style.width = `${inner.width}px`;
    mark.style.height = `${inner.height}px`;
    const outcome = table.texts('outcome')[cell.row]!;
    const lines = QUANTITIES.slice(1).map(({ name, label }) => ({
      label,
      value: formatNumber(table.numbers(name)[cell.row]!),
      exact: String(table.numbers(name)[cell.row]!),
    }));
    const title = varied.map(
      ({ column, symbol }) => `${symbol} = ${formatNumber(table.numbers(column)[cell.row]!, 5)}`,
    );
    const several =
      cell.runs > 1 ? [{ label: 'runs in this cell', value: formatCount(cell.runs) }] : [];
    const [x, y] = tip ?? [inner.right, inner.bottom];
    app.showTip({
      x,
      y,
      title: title.join(', '),
      lines: [
        {
          label: 'outcome',
          value: outcomeName(outcome),
          exact: outcome,
          color: drawing.outcomeColor(outcome),
        },
        ...lines,
        ...several,
      ],
    });
    if (!tip) app.announce(`${title.join(', ')}: ${outcomeName(outcome)}`);
  }

  function run(index: number): void {
    const row = drawing?.cells[index]?.row;
    if (row === undefined) return;
    const name = varied
      .map(({ column, symbol }) => `${symbol} = ${formatNumber(table.numbers(column)[row]!, 4)}`)
      .join(', ');
    show(async () => {
      const { rowOptions, runRow } = await import('./run-cell.ts');
      const bytes = await runRow(rowOptions(table, row));
      return { name, link: undefined, origin: { kind: 'bytes', bytes }, companions: [] };
    }).then(
      () => app.announce(`${name} is shown below`),
      (error: unknown) =>
        frame.problem(`this run cannot be made: ${error instanceof Error ? error.message : error}`),
    );
  }

  body.addEventListener('pointermove', (event) => {
    const index = drawing?.indexOf(event.target);
    point(index, [event.clientX, event.clientY]);
  });
  body.addEventListener('pointerleave', () => point(undefined, null));
  body.addEventListener('click', (event) => {
    const index = drawing?.indexOf(event.target);
    if (index === undefined) return;
    chosen = index;
    run(index);
  });
  body.addEventListener('blur', () => point(undefined, null));
  body.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (!drawing || (!step && event.key !== 'Enter')) return;
    event.preventDefault();
    if (step)
      chosen = chosen === undefined ? 0 : (drawing.neighbour(chosen, step[0]!, step[1]!) ?? chosen);
    point(chosen, null);
    if (event.key === 'Enter' && chosen !== undefined) run(chosen);
  });

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: [],
    shows: () => true,
    async draw() {
      const now = view();
      drawChoices(now);
      frame.update();
      const map = heatMap(table, now);
      const full = app.store.get().full === head.id;
      drawing = drawMap(map, {
        width: body.clientWidth,
        height: full ? fullHeight(body, 320) : 400,
      });
      body.querySelector('svg')?.remove();
      body.prepend(drawing.svg);
      frame.legend.replaceChildren(...drawing.legend);
      body.dataset.drawn = writeMapView(now);
      mark.hidden = true;
      app.showTip(null);
    },
    follow() {},
  };
}

/** The quantity of a map, and what it is of where not of all runs. */
/** How many runs are shown, and of how many, where some are not there yet or any more. */
function extentOf(listed: ListedSweep, rows: number): string {
  return lackOf(listed, rows).join(', ') || counted(rows, 'run');
}

function lackOf({ missing = 0, damaged = 0 }: ListedSweep, rows: number): string[] {
  return [
    ...(missing > 0 ? [`${formatCount(rows)} of ${counted(rows + missing, 'run')}`] : []),
    ...(damaged > 0 ? [`${counted(damaged, 'damaged part')} left out`] : []),
  ];
}

function captionOf({ quantity, filters }: MapView, varied: readonly TableParameter[]): string {
  const chosen = [...filters].map(([column, [value]]) => {
    const symbol = varied.find((parameter) => parameter.column === column)?.symbol ?? column;
    return `${symbol} = ${formatNumber(value ?? Number.NaN)}`;
  });
  return [quantity.label, ...chosen].join(', ');
}

function mapCsv(drawing: MapDrawing | undefined): string {
  if (!drawing) return '';
  const { map, cells } = drawing;
  const value = (number: number) =>
    map.quantity.name === 'outcome' ? OUTCOMES[number]! : String(number);
  const lines = cells.map(({ x, y, facet, value: number, runs, diverged }) =>
    [
      x.value,
      y.value,
      ...(map.facet ? [facet] : []),
      diverged ? 'diverged' : value(number),
      runs,
    ].join(','),
  );
  return `${[map.x.column, map.y.column, ...(map.facet ? [map.facet] : []), map.quantity.name, 'runs'].join(',')}\n${lines.join('\n')}\n`;
}
