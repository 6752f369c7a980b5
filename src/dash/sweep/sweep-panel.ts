import { count, formatNumber, plural } from '../../pipeline/format.ts';
import {
  type HeatMap,
  heatMap,
  QUANTITIES,
  type TableParameter,
  variedParameters,
} from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { type App, messageOf, type Panel, pageLook } from '../app.ts';
import { el, swatch } from '../dom.ts';
import {
  BORDER_LABEL,
  type DrawnMap,
  isLined,
  type MapKey,
  mapColors,
  outcomeColor,
  outcomeName,
  sweepMap,
} from '../plots/sweep-map.ts';
import { PAGE } from '../plots/theme.ts';
import { drawingHeight, panelFrame } from '../runs/panel-frame.ts';
import type { ListedRun, ListedSweep } from '../runs/run-list.ts';
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
    rows: () => mapCsv(map, drawing),
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
  let map: HeatMap | undefined;
  let drawing: DrawnMap | undefined;
  const opened = new Set<number>();
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
    mark.hidden = !cell;
    if (index === undefined || !cell || !drawing) {
      app.showTip(null);
      return;
    }
    const box = drawing.box(index);
    place(mark, box);
    const outcome = table.texts('outcome')[cell.row]!;
    const lines = QUANTITIES.slice(1).map(({ name, label, none }) => {
      const value = table.numbers(name)[cell.row]!;
      const text = Number.isNaN(value) && none ? none : formatNumber(value);
      return { label, value: text, exact: String(value) };
    });
    const title = varied.map(
      ({ column, symbol }) => `${symbol} = ${formatNumber(table.numbers(column)[cell.row]!, 5)}`,
    );
    const several = cell.runs > 1 ? [{ label: 'runs in this cell', value: count(cell.runs) }] : [];
    const outer = body.getBoundingClientRect();
    const [x, y] = tip ?? [outer.left + box[0] + box[2], outer.top + box[1] + box[3]];
    app.showTip({
      x,
      y,
      title: title.join(', '),
      lines: [
        {
          label: 'outcome',
          value: outcomeName(outcome),
          exact: outcome,
          color: outcomeColor(PAGE, outcome),
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
    opened.add(row);
    markOpened();
    const name = varied
      .map(({ column, symbol }) => `${symbol} = ${formatNumber(table.numbers(column)[row]!, 4)}`)
      .join(', ');
    show(async () => {
      const { rowOptions, runRow } = await import('./run-cell.ts');
      const bytes = await runRow(rowOptions(table, row));
      return { name, link: undefined, origin: { kind: 'bytes', bytes }, dynamics: [] };
    }).then(
      () => app.announce(`${name} is shown below`),
      (error: unknown) => frame.problem(`this run cannot be made: ${messageOf(error)}`),
    );
  }

  function cellUnder(event: MouseEvent): number | undefined {
    const box = body.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const index = drawing?.cells.findIndex((_, i) => {
      const [left, top, width, height] = drawing!.box(i);
      return x >= left && x < left + width && y >= top && y < top + height;
    });
    return index === -1 ? undefined : index;
  }

  /** The cell so many places further. */
  function neighbour(index: number, dx: number, dy: number): number | undefined {
    const from = drawing?.cells[index];
    if (!from || !map) return undefined;
    const [xs, ys] = [map.x.places, map.y.places];
    const [x, y] = [xs[xs.indexOf(from.x) + dx], ys[ys.indexOf(from.y) + dy]];
    const found = drawing!.cells.findIndex(
      (cell) => cell.x === x && cell.y === y && cell.facet === from.facet,
    );
    return found === -1 ? undefined : found;
  }

  /** Marks the cells whose runs were opened. */
  function markOpened(): void {
    body.querySelectorAll('.map-opened').forEach((each) => {
      each.remove();
    });
    drawing?.cells.forEach(({ row }, i) => {
      if (!opened.has(row)) return;
      const dot = el('div', { class: 'map-opened' });
      place(dot, drawing!.box(i));
      body.append(dot);
    });
  }

  body.addEventListener('pointermove', (event) => {
    point(cellUnder(event), [event.clientX, event.clientY]);
  });
  body.addEventListener('pointerleave', () => point(undefined, null));
  body.addEventListener('click', (event) => {
    const index = cellUnder(event);
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
    if (step) chosen = chosen === undefined ? 0 : (neighbour(chosen, step[0]!, step[1]!) ?? chosen);
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
      map = heatMap(table, now);
      const line = isLined(map) ? [borderKey()] : [];
      const omitted = map.omitted.map((value) => formatNumber(value, 4)).join(', ');
      frame.problem(
        omitted === '' ? undefined : `Not shown, for want of room: ${map.facet} = ${omitted}.`,
      );
      frame.legend.replaceChildren(...mapColors(map, PAGE).legend.map(colorKey), ...line);
      const look = pageLook(body.clientWidth, drawingHeight(app, frame, head.id));
      drawing = sweepMap(map, look);
      frame.show(drawing.svg, false);
      markOpened();
      body.dataset.drawn = writeMapView(now);
      body.dataset.cells = String(drawing.cells.length);
      mark.hidden = true;
      app.showTip(null);
    },
    follow() {},
  };
}

/** How many runs are shown, and of how many, where some are not there yet or any more. */
function extentOf(listed: ListedSweep, rows: number): string {
  return lackOf(listed, rows).join(', ') || plural(rows, 'run');
}

function lackOf({ missing = 0, damaged = 0 }: ListedSweep, rows: number): string[] {
  return [
    ...(missing > 0 ? [`${count(rows)} of ${plural(rows + missing, 'run')}`] : []),
    ...(damaged > 0 ? [`${plural(damaged, 'damaged part')} left out`] : []),
  ];
}

function captionOf({ quantity, filters }: MapView, varied: readonly TableParameter[]): string {
  const chosen = [...filters].map(([column, [value]]) => {
    const symbol = varied.find((parameter) => parameter.column === column)?.symbol ?? column;
    return `${symbol} = ${formatNumber(value ?? Number.NaN)}`;
  });
  return [quantity.label, ...chosen].join(', ');
}

function mapCsv(map: HeatMap | undefined, drawing: DrawnMap | undefined): string {
  if (!map || !drawing) return '';
  const { cells } = drawing;
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

function place(element: HTMLElement, [x, y, width, height]: readonly number[]): void {
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
}

function colorKey({ label, color }: MapKey): HTMLElement {
  const square = el('span', { class: 'map-swatch' });
  square.style.background = color;
  return el('span', { class: 'key static' }, square, label);
}

function borderKey(): HTMLElement {
  const line = swatch();
  line.look(PAGE.text, '6 4');
  return el('span', { class: 'key static' }, line.element, BORDER_LABEL);
}
