import { count, formatNumber, plural } from '../../pipeline/format.ts';
import {
  type HeatMap,
  heatMap,
  quantitiesOf,
  type SweepTable,
  type TableParameter,
  valueText,
  variedParameters,
} from '../../pipeline/sweep/heat-map.ts';
import { OUTCOMES } from '../../pipeline/sweep/sweep-columns.ts';
import { type App, messageOf, type Panel, type Tip } from '../app.ts';
import { el, swatch } from '../dom.ts';
import { outcomeColor, outcomeName } from '../plots/outcomes.ts';
import {
  borderLabel,
  type DrawnMap,
  type FacetCell,
  isLined,
  type MapKey,
  type MapRamp,
  mapColors,
  sweepMap,
} from '../plots/sweep-map.ts';
import { PAGE } from '../plots/theme.ts';
import { MOST_DRAWN } from '../runs/open-runs.ts';
import { frameLook, panelFrame } from '../runs/panel-frame.ts';
import type { ListedRun, ListedSweep } from '../runs/run-list.ts';
import { cellLink, isCell, linkedRow } from './cell-link.ts';
import { loadSweep } from './load-sweep.ts';
import { type MapView, readMapView, writeMapView } from './map-view.ts';

/** More values than this make no sensible list to choose from. */
const MOST_CHOICES = 500;
/** Movements of the pointer shorter than this are clicks. */
const DRAG_PIXELS = 5;

/** What the map has of the page around it. */
export interface Surroundings {
  /** Names of the sweeps to choose from. */
  sweeps(): readonly string[];
  /** Takes runs under way; the page shows that it is busy, and then the runs. */
  show(work: () => Promise<readonly ListedRun[]>): Promise<void>;
  /** Says what is wrong with a link. */
  problem(text: string): void;
  /** What has the focus in the map that this one takes the place of. */
  focus(): Element | null;
  /** Whether no run is shown below, nor will be at once. */
  alone(): boolean;
}

/** The map of a sweep, which makes the runs that links name by their cells. */
export interface SweepPanel extends Panel {
  openCells(links: readonly string[]): Promise<void>;
}

/** The map of a sweep over two of its parameters; a click on a cell runs that very run. */
export async function openSweepPanel(
  app: App,
  listed: ListedSweep,
  { sweeps, show, problem, focus, alone }: Surroundings,
): Promise<SweepPanel> {
  const table = await loadSweep(listed);
  const varied = variedParameters(table);
  const quantities = quantitiesOf(table);
  const view = () => readMapView(app.store.get().map, varied, table);
  const head = {
    id: 'sweep',
    title: `Sweep ${listed.name}`,
    unit: extentOf(listed, table.length),
    wide: true,
    rows: () => mapCsv(map, drawing),
    caption: () => [captionOf(view(), varied, table), ...lackOf(listed, table.length)].join(', '),
    description:
      'What became of the runs of a sweep, over two of its parameters. Where several runs ' +
      'share a cell it is parted by what they have. Dashed: where S∞(θ₀) is the threshold; ' +
      'where η is smaller, gradient flow from the start ends below it and there is no edge of ' +
      'stability. A click on a cell, or Enter, runs that very run here and shows it below; ' +
      'dragging over cells, or Shift and the arrows, takes all of theirs.',
  };
  const frame = panelFrame(app, head);
  const { body } = frame;
  // Seen at once, since the one before it may have had the focus.
  frame.element.classList.remove('waiting');
  const choices = el('div', {
    class: 'map-choices',
    role: 'group',
    'aria-label': 'What the map shows',
  });
  frame.legend.before(choices);
  const mark = el('div', { class: 'map-mark', hidden: true });
  body.append(mark);
  body.classList.add('map');
  body.tabIndex = 0;
  body.setAttribute('role', 'application');
  body.setAttribute(
    'aria-label',
    'Map of the sweep. Arrow keys move from cell to cell, with Shift they choose several, ' +
      'Enter runs their runs and shows them.',
  );
  let map: HeatMap | undefined;
  let drawing: DrawnMap | undefined;
  let chosen: number | undefined;
  /** Where a choice of several began. */
  let anchor: number | undefined;
  let downAt: readonly [number, number] | undefined;
  /** It stays as large when its runs come. */
  const isAlone = alone();
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
        quantities.map(({ name, label }) => [name, label]),
        quantity.name,
        (name) => change({ quantity: quantities.find((each) => each.name === name)! }),
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
            [
              ['', 'all'],
              ...values.map((value) => [String(value), valueText(table, column, value)] as const),
            ],
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
    const title = titleOf(cell);
    const outer = body.getBoundingClientRect();
    const [x, y] = tip ?? [outer.left + box[0] + box[2], outer.top + box[1] + box[3]];
    app.showTip({
      x,
      y,
      title,
      lines: cell.runs > 1 ? severalLines(cell) : runLines(cell.row),
    });
    const said = cell.runs > 1 ? plural(cell.runs, 'run') : outcomeName(outcomeOf(cell.row));
    if (!tip) app.announce(`${title}: ${said}`);
  }

  const outcomeOf = (row: number) => table.texts('outcome')[row]!;

  /** The parameters of a cell; those in which its runs differ are left out. */
  const titleOf = ({ rows }: FacetCell): string =>
    varied
      .flatMap(({ column, symbol }) => {
        const all = table.numbers(column);
        const value = all[rows[0]!]!;
        return rows.every((row) => all[row] === value)
          ? [`${symbol} = ${valueText(table, column, value, 5)}`]
          : [];
      })
      .join(', ');

  function runLines(row: number): Tip['lines'] {
    const outcome = outcomeOf(row);
    const lines = quantities.slice(1).map(({ name, label, none }) => {
      const value = table.numbers(name)[row]!;
      const text = Number.isNaN(value) && none ? none : formatNumber(value);
      return { label, value: text, exact: String(value) };
    });
    const color = outcomeColor(PAGE, outcome);
    return [{ label: 'outcome', value: outcomeName(outcome), exact: outcome, color }, ...lines];
  }

  /** Of several runs how many have which outcome, and from where to where their numbers go. */
  function severalLines({ rows, runs }: FacetCell): Tip['lines'] {
    const outcomes = Array.from(rows, outcomeOf);
    const tally = OUTCOMES.flatMap((outcome) => {
      const count = outcomes.filter((each) => each === outcome).length;
      const value = `${count} of ${plural(runs, 'run')}`;
      const color = outcomeColor(PAGE, outcome);
      return count === 0
        ? []
        : [{ label: outcomeName(outcome), value, exact: String(count), color }];
    });
    const spans = quantities.slice(1).flatMap(({ name, label }) => {
      const values = Array.from(rows, (row) => table.numbers(name)[row]!).filter(Number.isFinite);
      if (values.length === 0) return [];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const value =
        low === high ? formatNumber(low) : `${formatNumber(low)} – ${formatNumber(high)}`;
      return [{ label, value }];
    });
    return [...tally, ...spans];
  }

  const linkOf = (row: number) => cellLink(listed.name, varied, table, row);

  function openRows(asked: readonly number[]): Promise<void> {
    const there = new Set(app.runs().map(({ link }) => link));
    const rows = asked.filter((row) => !there.has(linkOf(row)));
    return show(async () => {
      const { runCell } = await import('./run-cell.ts');
      const made: ListedRun[] = [];
      const room = MOST_DRAWN - app.runs().length;
      for (const [i, row] of rows.entries()) {
        const name = varied
          .map(
            ({ column, symbol }) =>
              `${symbol} = ${valueText(table, column, table.numbers(column)[row]!, 4)}`,
          )
          .join(', ');
        // What is beyond those that are drawn is counted, not made.
        const bytes = i < room ? await runCell(table, row) : new ArrayBuffer(0);
        made.push({ name, link: linkOf(row), origin: { kind: 'bytes', bytes }, dynamics: [] });
      }
      return made;
    }).then(
      () => app.announce(`${plural(rows.length, 'run')} shown below`),
      (error: unknown) => frame.problem(`these runs cannot be made: ${messageOf(error)}`),
    );
  }

  function run(index: number): void {
    const row = drawing?.cells[index]?.row;
    if (row !== undefined) void openRows([row]);
  }

  /** All cells of a rectangle between two points of the window's map. */
  function cellsBetween(a: readonly [number, number], b: readonly [number, number]): number[] {
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
    return (drawing?.cells ?? []).flatMap((_, i) => {
      const [x, y, width, height] = drawing!.box(i);
      return x < right && x + width > left && y < bottom && y + height > top ? [i] : [];
    });
  }

  function openCellsAt(cells: readonly number[]): void {
    void openRows(cells.flatMap((index) => [...drawing!.cells[index]!.rows]));
  }

  /** The rectangle from the anchor to the chosen cell. */
  function choice(): number[] {
    if (chosen === undefined || anchor === undefined) return chosen === undefined ? [] : [chosen];
    const middle = (index: number): readonly [number, number] => {
      const [x, y, width, height] = drawing!.box(index);
      return [x + width / 2, y + height / 2];
    };
    return cellsBetween(middle(anchor), middle(chosen));
  }

  function markChoice(): void {
    const boxes = choice().map((index) => drawing!.box(index));
    if (boxes.length < 2) return;
    const [left, top] = [Math.min(...boxes.map(([x]) => x)), Math.min(...boxes.map(([, y]) => y))];
    const right = Math.max(...boxes.map(([x, , width]) => x + width));
    const bottom = Math.max(...boxes.map(([, y, , height]) => y + height));
    place(mark, [left, top, right - left, bottom - top]);
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
    const links = new Set(app.runs().flatMap(({ link }) => link ?? []));
    if (![...links].some(isCell)) return;
    drawing?.cells.forEach(({ rows }, i) => {
      if (!rows.some((row) => links.has(linkOf(row)))) return;
      const dot = el('div', { class: 'map-opened' });
      place(dot, drawing!.box(i));
      body.append(dot);
    });
  }

  const within = (event: MouseEvent): readonly [number, number] => {
    const box = body.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const isDrag = (at: readonly [number, number]) =>
    downAt !== undefined && Math.hypot(at[0] - downAt[0], at[1] - downAt[1]) > DRAG_PIXELS;
  body.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    downAt = within(event);
    body.setPointerCapture(event.pointerId);
  });
  body.addEventListener('pointermove', (event) => {
    const at = within(event);
    if (!downAt || !isDrag(at)) return point(cellUnder(event), [event.clientX, event.clientY]);
    app.showTip(null);
    mark.hidden = false;
    place(mark, [
      Math.min(at[0], downAt[0]),
      Math.min(at[1], downAt[1]),
      Math.abs(at[0] - downAt[0]),
      Math.abs(at[1] - downAt[1]),
    ]);
  });
  body.addEventListener('pointerleave', () => point(undefined, null));
  body.addEventListener('pointercancel', () => {
    downAt = undefined;
    point(undefined, null);
  });
  body.addEventListener('pointerup', (event) => {
    const from = downAt;
    const at = within(event);
    const dragged = isDrag(at);
    downAt = undefined;
    if (!from) return;
    const index = cellUnder(event);
    if (dragged) openCellsAt(cellsBetween(from, at));
    else if (index !== undefined) {
      chosen = index;
      anchor = undefined;
      run(index);
    }
  });
  body.addEventListener('blur', () => point(undefined, null));
  body.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
      event.key
    ];
    if (!drawing || (!step && event.key !== 'Enter')) return;
    event.preventDefault();
    if (step) {
      anchor = event.shiftKey ? (anchor ?? chosen ?? 0) : undefined;
      chosen = chosen === undefined ? 0 : (neighbour(chosen, step[0]!, step[1]!) ?? chosen);
    }
    point(chosen, null);
    markChoice();
    if (event.key !== 'Enter' || chosen === undefined) return;
    const cells = choice();
    if (cells.length > 1) openCellsAt(cells);
    else run(chosen);
  });

  return {
    id: head.id,
    title: head.title,
    element: frame.element,
    needs: [],
    shows: () => true,
    async draw() {
      const now = view();
      frame.update();
      mark.hidden = true;
      app.showTip(null);
      // Runs that come, or are zoomed, leave the map as it is.
      const room = [body.clientWidth, window.innerHeight, app.store.get().full === head.id];
      const asked = `${writeMapView(now)} ${room} ${sweeps()}`;
      if (asked === body.dataset.asked) return markOpened();
      body.dataset.asked = asked;
      drawChoices(now);
      map = heatMap(table, now);
      const line = isLined(map) ? [borderKey(map)] : [];
      const omitted = map.omitted.map((value) => valueText(table, now.facet!, value, 4)).join(', ');
      frame.problem(
        omitted === '' ? undefined : `Not shown, for want of room: ${map.facet} = ${omitted}.`,
      );
      const { ramp, legend } = mapColors(map, PAGE);
      frame.legend.replaceChildren(
        ...(ramp ? [rampKey(ramp)] : []),
        ...legend.map(colorKey),
        ...line,
      );
      drawing = sweepMap(map, frameLook(app, frame, head.id, isAlone));
      frame.show(drawing.svg, false);
      markOpened();
      body.dataset.drawn = writeMapView(now);
      body.dataset.cells = String(drawing.cells.length);
    },
    follow() {},
    async openCells(links) {
      const rows = links.map((link) => linkedRow(link, listed.name, table));
      const lost = links.filter((_, i) => rows[i] === undefined);
      if (lost.length > 0) problem(`the sweep ${listed.name} has no run ${lost.join(', ')}`);
      const found = rows.flatMap((row) => row ?? []);
      if (found.length > 0) await openRows(found);
    },
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

function captionOf(
  { quantity, filters }: MapView,
  varied: readonly TableParameter[],
  table: SweepTable,
): string {
  const chosen = [...filters].map(([column, [value]]) => {
    const symbol = varied.find((parameter) => parameter.column === column)?.symbol ?? column;
    return `${symbol} = ${valueText(table, column, value ?? Number.NaN)}`;
  });
  return [quantity.label, ...chosen].join(', ');
}

function mapCsv(map: HeatMap | undefined, drawing: DrawnMap | undefined): string {
  if (!map || !drawing) return '';
  const { cells } = drawing;
  const value = (number: number) =>
    map.quantity.name === 'outcome' ? OUTCOMES[number]! : String(number);
  const lines = cells.flatMap(({ x, y, facet, runs, shares }) =>
    shares.map((part) =>
      [
        map.x.words?.[x.value] ?? x.value,
        map.y.words?.[y.value] ?? y.value,
        ...(map.facet ? [map.facetWords?.[facet!] ?? facet] : []),
        part.diverged ? 'diverged' : value(part.value),
        part.share,
        runs,
      ].join(','),
    ),
  );
  const places = [map.x.column, map.y.column, ...(map.facet ? [map.facet] : [])];
  const head = [...places, map.quantity.name, 'share', 'runs'].join(',');
  return `${[head, ...lines].join('\n')}\n`;
}

function place(element: HTMLElement, [x, y, width, height]: readonly number[]): void {
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
}

/** A scale without steps, with the values at its ends and one that is marked between them. */
function rampKey({ colors, ticks }: MapRamp): HTMLElement {
  const mark = el('span', { class: 'ramp-mark' });
  const bar = el('span', { class: 'ramp-bar' }, ticks[2] ? mark : undefined);
  bar.style.background = `linear-gradient(to right, ${colors.join(', ')})`;
  bar.dataset.colors = colors.join(';');
  // A picture has its values beside it.
  bar.dataset.label = ticks.map(({ label }) => label).join(' … ');
  const [low, middle, high] = ticks;
  mark.style.left = `${100 * (middle?.at ?? 0)}%`;
  return el(
    'span',
    { class: 'key static ramp-key' },
    low?.label,
    bar,
    high?.label,
    middle ? el('span', {}, `(${middle.label} at the mark)`) : undefined,
  );
}

function colorKey({ label, color, hatched }: MapKey): HTMLElement {
  const square = el('span', { class: hatched ? 'map-swatch hatched' : 'map-swatch' });
  square.style.background = color;
  return el('span', { class: 'key static' }, square, label);
}

function borderKey(map: HeatMap): HTMLElement {
  const line = swatch();
  line.look(PAGE.text, '6 4');
  return el('span', { class: 'key static' }, line.element, borderLabel(map));
}
