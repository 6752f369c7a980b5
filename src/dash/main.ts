import './style.css';
import { type App, hasColumns, type Panel, type Run } from './app.ts';
import { controls, type RunActions } from './controls.ts';
import { button, el, icon } from './dom.ts';
import { formatNumber } from './format.ts';
import { runFacts } from './load/facts.ts';
import type { Row } from './load/protocol.ts';
import { cyclesPanel } from './panels/cycles.ts';
import { lossPanel } from './panels/loss.ts';
import { oscillationPanel } from './panels/oscillation.ts';
import { planePanel } from './panels/plane.ts';
import { sharpnessPanel } from './panels/sharpness.ts';
import { splitPanel } from './panels/split.ts';
import { tiles } from './panels/tiles.ts';
import { timelinePanel } from './panels/timeline.ts';
import { weightsPanel } from './panels/weights.ts';
import { rangeBar } from './range-bar.ts';
import { droppedRuns, type ListedRun, linkedRun, listRuns, openRun, type RunList, withPhases } from './runs.ts';
import { createStore } from './store.ts';
import { tooltip } from './tooltip.ts';
import { readLink, writeLink } from './url.ts';

/** How often a page of `eos dash serve` looks at its files, unless its link says otherwise. */
const LIVE_SECONDS = 1;
/** Phases of a short run are waited for, so that it is drawn once and not twice. */
const PHASES_WAIT_MS = 120;

const box = (id: string): HTMLElement => document.getElementById(id)!;
const inQuery = /^https?:$/.test(location.protocol);
const link = readLink(inQuery ? location.search : location.hash.slice(1) || location.search);
const store = createStore(link.view);
let refreshGiven = link.refreshGiven;
let runs: readonly Run[] = [];
let list: RunList = { live: false, runs: [] };
let rows: ReadonlyMap<number, Row> = new Map();
const failed = new Map<string, ListedRun>();

const app: App = {
  store,
  runs: () => runs,
  fullRange() {
    const filled = runs.filter(({ info }) => info.rows > 0);
    if (filled.length === 0) return [0, 1];
    const first = Math.min(...filled.map(({ info }) => info.firstStep));
    return [first, Math.max(first + 1, ...filled.map(({ info }) => info.lastStep))];
  },
  range: () => store.get().range ?? app.fullRange(),
  rows: () => rows,
  zoom(range) {
    const [first, last] = app.fullRange();
    if (!range) {
      store.set({ range: null });
      return;
    }
    const span = Math.min(last - first, Math.max(4, range[1] - range[0]));
    const from = Math.min(Math.max(range[0], first), last - span);
    store.set({ range: span >= last - first ? null : [round(from), round(from + span)] });
  },
  announce(text) {
    box('announce').textContent = text;
  },
  showTip: tooltip(box('tooltip')),
};

const round = (step: number): number => Number(step.toFixed(2));
const panels: readonly Panel[] = [
  timelinePanel(app),
  lossPanel(app),
  sharpnessPanel(app),
  splitPanel(app),
  oscillationPanel(app),
  weightsPanel(app),
  planePanel(app),
  cyclesPanel(app),
];
const tileRow = tiles(app, box('tiles'));
const range = rangeBar(app, box('rangebar'));
const missing = el('p', { class: 'note missing', hidden: true });
box('panels').append(...panels.map(({ element }) => element), missing);
const columnsFollowed = [...new Set([...panels.flatMap(({ needs }) => needs), 'phase', 'cycle', 'regime'])];

/* ---- drawing ---- */

let opening = 0;
let following = false;
let scheduled = false;
let again = false;
let drawing = false;

/** Says in the page whether anything is under way, for tests and for those who drive the page by program. */
function showBusy(): void {
  document.documentElement.dataset.busy = String(scheduled || drawing || opening > 0 || following);
}

function schedule(): void {
  if (drawing) again = true;
  if (scheduled || drawing) return;
  scheduled = true;
  showBusy();
  requestAnimationFrame(() => {
    scheduled = false;
    drawing = true;
    const start = performance.now();
    drawAll().finally(() => {
      drawing = false;
      performance.measure('eos-draw', { start, end: performance.now() });
      document.documentElement.dataset.draws = String(Number(document.documentElement.dataset.draws ?? 0) + 1);
      showBusy();
      if (!again) return;
      again = false;
      schedule();
    });
  });
}

async function drawAll(): Promise<void> {
  const { full, theme } = store.get();
  document.documentElement.dataset.theme = theme;
  const shown = panels.filter((panel) => runs.some((run) => panel.shows(run)));
  const fullPanel = shown.find(({ id }) => id === full);
  document.body.classList.toggle('has-full', fullPanel !== undefined);
  for (const panel of panels)
    panel.element.hidden = !shown.includes(panel) || (fullPanel !== undefined && panel !== fullPanel);
  showMissing(
    panels.filter((panel) => !shown.includes(panel)),
    fullPanel !== undefined,
  );
  top.draw();
  document.title = runs.length > 0 ? `${runs.map(({ name }) => name).join(', ')} · eos dashboard` : 'eos dashboard';
  showEmpty();
  const visible = shown.filter((panel) => fullPanel === undefined || panel === fullPanel);
  await Promise.all([
    ...visible.map(async (panel) => {
      await panel.draw();
      if (performance.getEntriesByName('eos-first-panel').length === 0) performance.mark('eos-first-panel');
    }),
    tileRow.draw(),
    range.draw(),
  ]);
}

function showMissing(absent: readonly Panel[], covered: boolean): void {
  missing.hidden = covered || runs.length === 0 || absent.length === 0;
  missing.textContent = `Not shown, since the file has no such columns: ${absent.map(({ title, needs }) => `${title} (${needs.join(', ')})`).join('; ')}.`;
}

function showEmpty(): void {
  const empty = box('empty');
  empty.hidden = runs.length > 0 || opening > 0;
  document.body.classList.toggle('no-runs', runs.length === 0);
  if (empty.hidden || empty.childElementCount > 0) return;
  empty.append(
    el('h2', {}, 'No run yet'),
    el(
      'p',
      {},
      'Drop a run file (.parquet or .arrow) on this page, or open one. Files stay on this computer: nothing is uploaded.',
    ),
    button(
      'Open a file',
      { class: 'primary' },
      () => box('runs').querySelector<HTMLButtonElement>('[data-act=open]')?.click(),
      icon('file'),
      'Open a file',
    ),
    el('pre', {}, 'eos stream --preset paper --out run.parquet\neos dash serve run.parquet'),
  );
}

/* ---- runs ---- */

let bytesRead = 0;
let bytesShown = 0;

function onBytes(bytes: number): void {
  bytesRead += bytes;
  if (performance.now() - bytesShown < 50) return;
  bytesShown = performance.now();
  const total = runs.reduce((sum, { info }) => sum + info.bytes, 0);
  const bar = box('progress') as HTMLProgressElement;
  if (total > 0) bar.value = Math.min(100, (bytesRead / total) * 100);
}

/** Shows the progress bar while something loads. */
async function loading<T>(work: () => Promise<T>): Promise<T> {
  opening++;
  if (opening === 1) bytesRead = 0;
  box('progress').hidden = false;
  try {
    return await work();
  } finally {
    opening--;
    box('progress').hidden = opening === 0;
    showBusy();
  }
}

function freeSlot(): number {
  const taken = new Set(runs.map(({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot++;
  return slot;
}

async function add(listed: ListedRun): Promise<void> {
  if (listed.link !== undefined && runs.some((run) => run.link === listed.link)) return;
  await loading(async () => {
    try {
      const run = await openRun(listed, freeSlot(), onBytes);
      failed.delete(listed.link ?? listed.name);
      notice(listed.name, undefined);
      runs = [...runs, { ...run, slot: freeSlot() }];
      writeUrl();
      const phases = loadPhases(run.id);
      await Promise.race([phases, new Promise((resolve) => setTimeout(resolve, PHASES_WAIT_MS))]);
      schedule();
      await phases;
    } catch (error) {
      if (listed.link !== undefined) failed.set(listed.link, listed);
      notice(listed.name, error);
    }
  });
  schedule();
}

async function loadPhases(id: number): Promise<void> {
  const run = runs.find((candidate) => candidate.id === id);
  if (!run) return;
  try {
    const complete = await withPhases(run);
    runs = runs.map((candidate) =>
      candidate.id === id ? { ...candidate, phases: complete.phases, anchors: complete.anchors } : candidate,
    );
    schedule();
  } catch (error) {
    notice(run.name, error);
  }
}

function remove(id: number): void {
  const run = runs.find((candidate) => candidate.id === id);
  run?.client.close();
  for (const { client } of run?.companions ?? []) client.close();
  runs = runs.filter((candidate) => candidate.id !== id);
  writeUrl();
  schedule();
}

async function drop(files: readonly File[]): Promise<void> {
  for (const listed of droppedRuns(files)) await add(listed);
}

/** Looks whether files have grown or appeared. */
async function refresh(): Promise<void> {
  if (list.live) list = await listRuns().then((next) => (next.runs.length > 0 ? next : list));
  for (const listed of failed.values()) await add(listed);
  const changed = await Promise.all(
    runs.map(async (run) => {
      // A dropped file is what it was: the browser gives no newer bytes.
      if (run.link === undefined) return false;
      try {
        const info = await run.client.refresh();
        if (!info) return false;
        runs = runs.map((candidate) =>
          candidate.id === run.id ? { ...candidate, info, facts: runFacts(info.metadata) } : candidate,
        );
        await loadPhases(run.id);
        notice(run.name, undefined);
        return true;
      } catch (error) {
        // While a file is being written it may be unreadable for a moment; what is shown stays.
        if (!list.live) notice(run.name, error);
        return false;
      }
    }),
  );
  if (changed.some(Boolean)) {
    schedule();
    await followCursor();
  }
}

/** Messages about files, one a file, as text. */
function notice(name: string, error: unknown): void {
  const notices = box('notices');
  const old = [...notices.children].find((child) => child instanceof HTMLElement && child.dataset.run === name);
  old?.remove();
  if (error === undefined) return;
  const text = error instanceof Error ? error.message : String(error);
  const note = el('div', { class: 'notice', 'data-run': name }, el('span', {}, el('strong', {}, name), `: ${text}`));
  note.append(button('Dismiss', { class: 'icon small' }, () => note.remove(), icon('close')));
  notices.append(note);
}

const actions: RunActions = {
  listed: () => list.runs,
  add: (run) => void add(run),
  remove,
  drop: (files) => void drop(files),
  refreshNow: () => void refresh(),
  setRefresh(seconds) {
    refreshGiven = true;
    store.set({ refresh: seconds });
  },
};
const top = controls(app, actions, box('runs'), box('controls'));

/* ---- state ---- */

let urlTimer: ReturnType<typeof setTimeout> | undefined;

function writeUrl(): void {
  clearTimeout(urlTimer);
  urlTimer = setTimeout(() => {
    const query = writeLink({ runs: runs.flatMap((run) => run.link ?? []), view: store.get(), refreshGiven });
    try {
      history.replaceState(null, '', inQuery ? `${location.pathname}${query ? `?${query}` : ''}` : `#${query}`);
    } catch {
      // A page from disk may not be allowed to rewrite its address; it works all the same.
    }
  }, 80);
}

let followAgain = false;

async function followCursor(): Promise<void> {
  if (following) {
    followAgain = true;
    return;
  }
  following = true;
  showBusy();
  const { cursor } = store.get();
  const found =
    cursor === null
      ? []
      : await Promise.all(
          runs.map(
            async (run) =>
              [
                run.id,
                await run.client
                  .row(
                    cursor,
                    columnsFollowed.filter((column) => hasColumns(run, [column])),
                  )
                  .catch(() => undefined),
              ] as const,
          ),
        );
  rows = new Map(found.flatMap(([id, row]) => (row ? [[id, row] as const] : [])));
  for (const panel of panels) panel.follow();
  const row = runs[0] && rows.get(runs[0].id);
  if (row && document.activeElement?.matches('.plot'))
    app.announce(`step ${formatNumber(row.step)}, ${row.values.phase ?? ''}`);
  following = false;
  showBusy();
  if (!followAgain) return;
  followAgain = false;
  await followCursor();
}

let refreshTimer: ReturnType<typeof setTimeout> | undefined;

function setTimer(): void {
  clearTimeout(refreshTimer);
  const { refresh: seconds } = store.get();
  if (seconds > 0) refreshTimer = setTimeout(() => void refresh().finally(setTimer), seconds * 1000);
}

store.subscribe((view, before) => {
  if (
    view.range !== before.range ||
    view.scales !== before.scales ||
    view.hidden !== before.hidden ||
    view.full !== before.full
  )
    schedule();
  if (view.theme !== before.theme) {
    document.documentElement.dataset.theme = view.theme;
    top.draw();
  }
  if (view.cursor !== before.cursor) void followCursor();
  if (view.refresh !== before.refresh) {
    setTimer();
    top.draw();
  }
  document.body.classList.toggle('pinned', view.pinned);
  if (view.cursor === before.cursor || view.pinned || before.pinned) writeUrl();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  store.set(store.get().pinned ? { pinned: false, cursor: null } : { full: null });
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
document.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  void drop([...(event.dataTransfer?.files ?? [])]);
});

async function start(): Promise<void> {
  document.documentElement.dataset.theme = store.get().theme;
  list = await loading(listRuns);
  const first = link.runs.length > 0 ? link.runs.map((name) => linkedRun(name, list)) : list.runs.slice(0, 1);
  if (list.live && !refreshGiven) store.set({ refresh: LIVE_SECONDS });
  // One after the other, so that colours follow the order of the link.
  for (const listed of first) await add(listed);
  schedule();
  setTimer();
  new ResizeObserver(schedule).observe(box('panels'));
  if (store.get().cursor !== null) await followCursor();
  document.documentElement.dataset.ready = '1';
}

void start();
