import { formatNumber } from '../../pipeline/format.ts';
import type { App, Run } from '../app.ts';
import { button, el, icon, write } from '../dom.ts';
import { roving } from '../roving.ts';
import type { KnownRun } from './key-figures.ts';
import { MOST_DRAWN } from './open-runs.ts';
import { type ListedRun, sameRun } from './run-list.ts';
import { type Cells, columnTitle, matches, NUMBERS, tableCells } from './run-query.ts';
import { nameParts } from './short-name.ts';
import { viewMenu } from './view-menu.ts';

/** What the table does with runs. */
export interface RunActions {
  /** All runs there are to choose from. */
  known(): readonly ListedRun[];
  /** What is known of a run that is not open; undefined until its metadata is read. */
  facts(listed: ListedRun): KnownRun | undefined;
  add(...runs: readonly ListedRun[]): void;
  remove(...ids: readonly number[]): void;
}

interface Row {
  readonly listed: ListedRun;
  readonly run: Run | undefined;
  readonly cells: Cells;
}

interface Column {
  readonly key: string;
  readonly title: string;
}

export interface RunTable {
  draw(): void;
  /** The runs that its query asks for, in its order. */
  asked(): readonly ListedRun[];
}

/** The table of all runs: which are shown, what became of them, and how they differ. */
export function runTable(app: App, actions: RunActions, into: HTMLElement): RunTable {
  const filter = el('input', {
    type: 'search',
    placeholder: 'Filter: eta>0.1 diverged',
    'aria-label': 'Filter runs',
    class: 'run-filter',
  });
  const told = el('span', { class: 'unit', role: 'status' });
  const all = button('Show all', { class: 'text-button' }, () => {
    const more = kept().filter(({ run }) => !run);
    actions.add(...more.map(({ listed }) => listed));
  });
  const none = button('Hide all', { class: 'text-button' }, () => {
    const shown = new Set(kept().map(({ run }) => run?.id));
    actions.remove(...app.runs().flatMap(({ id }) => (shown.has(id) ? [id] : [])));
  });
  const menu = viewMenu(app);
  const head = el('tr');
  const body = el('tbody');
  const scroller = el(
    'div',
    { class: 'run-scroll', role: 'region', 'aria-label': 'Table of runs' },
    el('table', {}, el('thead', {}, head), body),
  );
  const tools = el(
    'div',
    { class: 'run-tools' },
    el('h2', {}, 'Runs'),
    told,
    filter,
    all,
    none,
    menu.scale,
    menu.element,
  );
  roving(tools);
  roving(scroller, true);
  into.append(tools, scroller);
  let sorted: { readonly key: string; readonly down: boolean } = { key: '', down: false };
  let drawn = '';
  /** What is written of the rows that stand there. */
  let written: readonly ((row: Row) => void)[] = [];
  filter.addEventListener('input', () => app.store.set({ where: filter.value }));

  function rows(): Row[] {
    const open = app.runs();
    const known = actions.known();
    return known.map((listed) => {
      const run = open.find(({ source }) => sameRun(source, listed));
      const facts = run ?? actions.facts(listed);
      return { listed, run, cells: facts ? tableCells(facts) : new Map() };
    });
  }

  function kept(): Row[] {
    const { where } = app.store.get();
    const found = rows().filter(({ listed, cells }) => matches(where, listed.name, cells));
    if (sorted.key === '') return found;
    const value = ({ listed, cells }: Row) =>
      sorted.key === 'name' ? listed.name : cells.get(sorted.key)?.sort;
    const order = (a: Row, b: Row) => compare(value(a), value(b));
    return found.sort((a, b) => (sorted.down ? order(b, a) : order(a, b)));
  }

  function draw(): void {
    const every = rows();
    into.hidden = every.length < 2;
    if (into.hidden) return;
    const shown = kept();
    const { where, columns: chosen } = app.store.get();
    if (document.activeElement !== filter) filter.value = where;
    const { shown: columns, differing, others } = columnsOf(every, chosen);
    menu.draw(differing, others);
    const open = app.runs().length;
    write(
      told,
      `${formatNumber(open)} of ${formatNumber(every.length)} ` +
        `shown${shown.length < every.length ? `, ${formatNumber(shown.length)} match` : ''}`,
    );
    all.disabled = open >= MOST_DRAWN || shown.every(({ run }) => run);
    none.disabled = open === 0;
    // Rebuilt only where it changes: a focused button must outlive the redraws of a growing run.
    const signature = JSON.stringify([
      sorted,
      columns,
      shown.map(({ listed, run }) => [listed.name, run?.id, run && app.color(run)]),
    ]);
    if (signature === drawn) {
      for (const [i, row] of shown.entries()) written[i]!(row);
      return;
    }
    drawn = signature;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.row;
    head.replaceChildren(...[{ key: 'name', title: 'Run' }, ...columns].map(heading));
    const made = shown.map((row) => tableRow(row, columns));
    written = made.map((each) => each.fill);
    body.replaceChildren(...made.map(({ element }) => element));
    if (focused !== undefined)
      body.querySelector<HTMLElement>(`[data-row="${CSS.escape(focused)}"]`)?.focus();
  }

  function heading({ key, title }: Column): HTMLElement {
    const own = sorted.key === key;
    const sort = own ? (sorted.down ? 'descending' : 'ascending') : 'none';
    return el(
      'th',
      { scope: 'col', 'aria-sort': sort },
      button(
        `Sort by ${title}`,
        { class: 'sort' },
        () => {
          sorted = { key, down: own && !sorted.down };
          draw();
        },
        title,
        own ? (sorted.down ? ' ↓' : ' ↑') : '',
      ),
    );
  }

  /** A row, and what writes in it what is known of its run. */
  function tableRow(of: Row, columns: readonly Column[]) {
    const { listed, run } = of;
    const dot = el('span', { class: 'dot' });
    if (run) dot.style.background = app.color(run);
    const [start, end] = nameParts(listed.name);
    const change = () => (run ? actions.remove(run.id) : actions.add(listed));
    const name = button(
      listed.name,
      {
        class: 'run-name',
        'aria-pressed': String(run !== undefined),
        'data-row': listed.name,
      },
      change,
      dot,
      el('span', { class: 'name-start' }, start),
      end === '' ? undefined : el('span', {}, end),
    );
    const only = button(
      `Show only ${listed.name}`,
      { class: 'icon small only' },
      () => {
        if (!run) actions.add(listed);
        actions.remove(...app.runs().flatMap(({ id }) => (id === run?.id ? [] : [id])));
      },
      icon('only'),
    );
    const cells = columns.map(({ key }) => el('td', { 'data-cell': key }));
    const row = el(
      'tr',
      { class: run ? 'run-row shown' : 'run-row' },
      el('td', {}, el('div', { class: 'run-cell' }, name, only)),
      ...cells,
    );
    const fill = (now: Row): void => {
      name.title = `${now.listed.name}\n${now.run?.facts.configText ?? ''}`.trim();
      for (const [i, { key }] of columns.entries()) {
        write(cells[i]!, now.cells.get(key)?.text ?? '');
      }
    };
    fill(of);
    row.addEventListener('click', (event) => {
      if (!(event.target as Element).closest('button')) change();
    });
    row.addEventListener('pointerenter', () => lift(run?.id));
    row.addEventListener('pointerleave', () => lift(undefined));
    return { element: row, fill };
  }

  return { draw, asked: () => kept().map(({ listed }) => listed) };
}

/** Lets the lines of one run stand out from all others. */
function lift(id: number | undefined): void {
  document.body.classList.toggle('lifting', id !== undefined);
  for (const line of document.querySelectorAll('.lifted')) line.classList.remove('lifted');
  if (id === undefined) return;
  for (const line of document.querySelectorAll(`.of-run-${id}`)) line.classList.add('lifted');
}

/** Columns that a table may show: those in which runs differ, those chosen, and all others. */
function columnsOf(rows: readonly Row[], chosen: readonly string[]) {
  const known = rows.filter(({ cells }) => cells.size > 0);
  const keys = [...new Set(known.flatMap(({ cells }) => [...cells.keys()]))];
  const differing = keys.filter(
    (key) =>
      key.startsWith('=') && new Set(known.map(({ cells }) => cells.get(key)?.text ?? '')).size > 1,
  );
  const fixed = [
    ...keys.filter((key) => key === 'outcome'),
    ...differing,
    ...NUMBERS.filter((key) => keys.includes(key)),
  ];
  const more = chosen.filter((key) => keys.includes(key) && !fixed.includes(key));
  return {
    differing,
    shown: [...fixed, ...more].map((key) => ({ key, title: columnTitle(key) })),
    others: keys.filter((key) => !fixed.includes(key) && !/^[a-z]/.test(key)),
  };
}

function compare(a: number | string | undefined, b: number | string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
