import { formatNumber } from '../pipeline/format.ts';
import { HEAD_BYTES, tableKind } from '../pipeline/formats/table-file.ts';
import { linkOfPage, pageAddress } from './address.ts';
import { type App, hasColumns, messageOf, type Panel, type Run, rowUnder } from './app.ts';
import { el, write } from './dom.ts';
import { fileFollower } from './follow-files.ts';
import { afterFrame, gathering, paced, soon } from './frames.ts';
import type { LinkedRun } from './lab/lab-link.ts';
import type { LabPanel } from './lab/lab-panel.ts';
import type { Row } from './load/protocol.ts';
import { emptyPage, showProblem } from './messages.ts';
import { setColors } from './plots/theme.ts';
import { addedPanels } from './runs/added-panels.ts';
import { colorOf } from './runs/colors.ts';
import { knownFacts } from './runs/known-facts.ts';
import { openRuns } from './runs/open-runs.ts';
import { readRooms } from './runs/panel-frame.ts';
import { allPanels } from './runs/panels.ts';
import { rangeBar } from './runs/range-bar.ts';
import type { ListedRun } from './runs/run-list.ts';
import { runTable } from './runs/run-table.ts';
import { shownPart } from './runs/shown-part.ts';
import { tiles } from './runs/tiles.ts';
import { createStore } from './store.ts';
import { isCell } from './sweep/cell-link.ts';
import type { SweepPanel } from './sweep/sweep-panel.ts';
import { tooltip } from './tooltip.ts';
import { LEAST_REFRESH } from './url.ts';
import { viewControls } from './view-controls.ts';

/** How often a page of `eos dash serve` looks at its files, unless its link says otherwise. */
const LIVE_SECONDS = LEAST_REFRESH;
/** Panels outside the window are drawn with new runs too unless they have more rows than this. */
const MOST_ROWS_UNSEEN = 500_000;
/** So long after a zoom or growth they follow: while one goes on, only what is seen is drawn. */
const REST_MS = 250;
/** Part of a frame that is spent on drawing a run that plays; the rest is for layout and paint. */
const FRAME_MS = 10;
/** The strip of phases and the main plot. */
const MAIN_PANELS = 2;

const box = (id: string): HTMLElement => document.getElementById(id)!;
box('unstarted').remove();
const page = document.documentElement;
setColors(page.style);
const link = linkOfPage();
const store = createStore(link.view);
let refreshGiven = link.refreshGiven;
/** What runs in the lab, for the link; null while it is closed. */
let lab = link.lab;
let tour = link.tour;
let labControls: LabPanel | undefined;
let rows: ReadonlyMap<number, Row> = new Map();
/** The map of a sweep, above the runs. */
let sweep: SweepPanel | undefined;
let sweepTurn = 0;

const files = openRuns({
  changed: schedule,
  relinked: () => address.write(),
  loading() {
    box('progress').hidden = !files.loading();
    showBusy();
  },
  progress(bytes) {
    const total = files.runs().reduce((sum, { info }) => sum + info.bytes, 0);
    // Nobody sees it else, and what is written is laid out anew.
    if (files.loading() && total > 0)
      (box('progress') as HTMLProgressElement).value = Math.min(100, (bytes / total) * 100);
  },
  async sweep(listed) {
    const mine = ++sweepTurn;
    const { openSweepPanel } = await import('./sweep/sweep-panel.ts');
    const next = await openSweepPanel(app, listed, {
      sweeps: () => files.sweeps().map(({ name }) => name),
      show: (work) => files.whileLoading(async () => files.add(...(await work()))),
      problem: (text) => showProblem(box('notices'), 'link', text),
      focus: () =>
        sweep?.element.contains(document.activeElement) ? document.activeElement : null,
      alone: () =>
        files.runs().length + files.list().runs.length + link.runs.length === 0 && !link.asked,
    });
    // Another may have been chosen meanwhile.
    if (mine !== sweepTurn) return;
    sweep?.element.remove();
    sweep = next;
    // The address names what is shown, also where it named what is not there.
    if ((store.get().sweep ?? files.sweeps()[0]?.name) !== listed.name)
      store.set({ sweep: listed.name });
    box('sweep').replaceChildren(next.element);
  },
  problem: (name, error) => showProblem(box('notices'), name, error),
  lost(since) {
    const text =
      `does not answer since ${new Date(since ?? 0).toLocaleTimeString('en-GB')}; what is shown ` +
      'is as it was then';
    showProblem(box('notices'), 'The server', since === undefined ? undefined : text);
  },
});

const gathered = gathering();
const app: App = {
  store,
  runs: files.runs,
  rows: () => rows,
  color: (run) => colorOf(files.runs(), run, store.get().group ?? store.get().color),
  ...shownPart(store, files.runs),
  gather: gathered.read,
  announce(text) {
    box('announce').textContent = text;
  },
  showTip: tooltip(box('tooltip')),
};

const fixed: readonly Panel[] = allPanels(app);
const tileRow = tiles(app, box('tiles'));
const range = rangeBar(app, box('rangebar'));
const missing = el('p', { class: 'note missing', hidden: true });
// The bar of steps stands right under the main plots, along the same axis.
box('rangebar').before(...fixed.slice(0, MAIN_PANELS).map(({ element }) => element));
const added = addedPanels(app, missing, (panel) => watcher.observe(panel.element));
box('panels').append(
  ...fixed.slice(MAIN_PANELS).map(({ element }) => element),
  missing,
  added.choice,
);
/** All panels there are now. */
const panels = (): readonly Panel[] => [...fixed, ...added.panels()];
const facts = knownFacts(() => table.draw());
const table = runTable(
  app,
  {
    known: files.known,
    facts: facts.of,
    add: (...runs) => void files.add(...runs),
    remove: files.remove,
  },
  box('runs'),
);
const top = viewControls(
  app,
  {
    drop: (dropped) => void drop(dropped),
    refreshNow: () => void follower.refresh(true),
    lab: () => void showLab(''),
    pause() {
      refreshGiven = true;
      store.set({ refresh: store.get().refresh > 0 ? 0 : LIVE_SECONDS });
    },
    setRefresh(seconds) {
      refreshGiven = true;
      store.set({ refresh: seconds });
    },
  },
  box('shown'),
  box('controls'),
);
box('empty').append(
  ...emptyPage(() => box('shown').querySelector<HTMLButtonElement>('[data-act=open]')?.click()),
);

/* ---- drawing ---- */

let scheduled = false;
let again = false;
let drawing = false;
/** Somebody waits for what is drawn. */
let hurry = false;
/** Runs of the lab that are looked at. */
let looks = 0;
let following = false;
let followAgain = false;
const address = pageAddress(
  app,
  files,
  table.asked,
  () => ({ lab, tour, embed: link.embed, refreshGiven }),
  showBusy,
);
const follower = fileFollower(files, store, followCursor, showBusy);

/** Says in the page whether anything is under way, for those who drive the page by program. */
function showBusy(): void {
  // A run that goes on is never at rest.
  const rests = resting !== undefined && !files.runs().some(({ writing }) => writing);
  // What was under way when the page was told to pause is still drawn.
  const pausing = follower.hearing() && store.get().refresh === 0;
  const works = scheduled || drawing || drawsBeside || following || looks > 0 || files.loading();
  page.dataset.busy = String(works || rests || pausing || address.waits());
}

/** Draws everything soon; changes that come while drawing are drawn together after it. */
function schedule(): void {
  if (drawing) again = true;
  if (scheduled || drawing) return;
  scheduled = true;
  showBusy();
  soon(async () => {
    scheduled = false;
    drawing = true;
    const start = performance.now();
    await drawAll();
    drawing = false;
    hurry = false;
    performance.measure('eos-draw', { start, end: performance.now() });
    page.dataset.draws = String(Number(page.dataset.draws ?? 0) + 1);
    showBusy();
    if (!again) return;
    again = false;
    schedule();
  });
}

async function drawAll(): Promise<void> {
  const runs = files.runs();
  const { full } = store.get();
  const all = panels();
  const able = [
    ...(sweep ? [sweep] : []),
    ...all.filter((panel) => runs.some((run) => panel.shows(run))),
  ];
  const fullPanel = able.find(({ id }) => id === full);
  const visible = fullPanel ? [fullPanel] : able;
  document.body.classList.toggle('has-full', fullPanel !== undefined);
  document.body.classList.toggle('no-runs', runs.length === 0);
  const title =
    runs.length > 0
      ? `${runs.map(({ name }) => name).join(', ')} · eos dashboard`
      : 'eos dashboard';
  // The browser is told of the same one, too.
  if (document.title !== title) document.title = title;
  // Of one file that cannot be read there is no table either.
  const opened = ['lab', 'logs'].some((id) => box(id).childElementCount > 0);
  const shown = runs.length > 0 || files.known().length > 1 || sweep !== undefined || opened;
  box('empty').hidden = shown || files.loading();
  const drawn = `${full}:${runs.map(({ id }) => id).join()}`;
  const others = drawn !== drawnFor;
  drawnFor = drawn;
  // First what stands above the panels, so that none of them moves when it comes; of the same runs
  // it is there already, and changes with them.
  if (others) {
    drawRuns();
    await tileRow.draw();
  }
  for (const panel of [...(sweep ? [sweep] : []), ...all])
    panel.element.hidden = !visible.includes(panel) || (panel.empty?.() ?? false);
  added.draw();
  // Of other steps, or of long runs, only what is looked at is drawn; the rest follows, or when it
  // comes into view.
  const rows = runs.reduce((sum, { info }) => sum + info.rows, 0);
  const every = others && rows <= MOST_ROWS_UNSEEN;
  const now = visible.filter((panel) => every || panel === sweep || isNear(panel.element));
  const beside = new Set(every ? [] : now.filter((panel) => panel !== sweep && !isSeen(panel)));
  readRooms(every ? [] : now.map(({ element }) => element));
  undrawn = new Set(visible.filter((panel) => !now.includes(panel)));
  clearTimeout(resting);
  // A run that goes on soon draws what is seen again; the rest waits until it ends.
  const goesOn = store.get().refresh > 0 && runs.some(({ writing }) => writing);
  resting =
    undrawn.size > 0 && rows <= MOST_ROWS_UNSEEN && !goesOn
      ? setTimeout(() => void drawRest(), REST_MS)
      : undefined;
  const above = [
    ...(others ? [] : [tileRow.draw, together(drawRuns)]),
    ...(labControls ? [together(labControls.draw)] : []),
    range.draw,
  ];
  const draws = (all: readonly Panel[]) => all.map((panel) => () => drawPanel(panel));
  // A run that plays in the lab is drawn part by part, as much as a frame has room for.
  if (!every && runs.some(({ writing, source }) => writing && source.client))
    await paced([...above, ...draws(now)], FRAME_MS, () => hurry);
  // The first drawings of a run come one by one, as soon as each is there.
  else if (every) await Promise.all([...above, ...draws(now)].map((draw) => draw()));
  else {
    await gathered.begin([...above, ...draws(now.filter((panel) => !beside.has(panel)))]);
    void drawBeside([...beside]);
  }
  tellOffAxis(runs);
  showMissing(
    all.filter(
      (panel) =>
        panel.needs.length > 0 &&
        !panel.optional &&
        (panel.empty?.() ||
          !(able.includes(panel) || runs.some((run) => hasColumns(run, panel.needs)))),
    ),
    fullPanel !== undefined || runs.length === 0,
  );
}

function drawRuns(): void {
  top.draw();
  table.draw();
}

/**
 * Draws with what else is drawn: written before that is asked how large it is, it would be laid out
 * by itself.
 */
const together = (draw: () => void) => async (): Promise<void> => {
  await app.gather(Promise.resolve());
  draw();
};

/** Draws what stands right beside the window, behind the frame that shows what is in it. */
async function drawBeside(panels: readonly Panel[]): Promise<void> {
  if (panels.length === 0) return;
  const mine = ++besideTurn;
  drawsBeside = true;
  // Whoever moves something has a frame to move on.
  await afterFrame();
  await afterFrame();
  for (const panel of panels) {
    // They are among those of the next drawing.
    if (scheduled || drawing || mine !== besideTurn) break;
    await drawPanel(panel);
  }
  if (mine !== besideTurn) return;
  drawsBeside = false;
  showBusy();
}

async function drawRest(): Promise<void> {
  // One by one: a hand that zooms on meanwhile is not kept waiting.
  for (const panel of undrawn) {
    await drawPanel(panel);
    if (scheduled || drawing) return;
  }
  undrawn = new Set();
  resting = undefined;
  showBusy();
}

let drawsBeside = false;
let besideTurn = 0;
let resting: ReturnType<typeof setTimeout> | undefined;
/** Whose panels were drawn last. */
let drawnFor = '';
/** Panels that wait until they come into view. */
let undrawn: ReadonlySet<Panel> = new Set();
const NEAR_PIXELS = 100;
const watcher = new IntersectionObserver(
  (entries) => {
    const seen = entries.filter(({ isIntersecting }) => isIntersecting);
    if ([...undrawn].some(({ element }) => seen.some(({ target }) => target === element)))
      schedule();
  },
  { rootMargin: `${NEAR_PIXELS}px` },
);
for (const { element } of fixed) watcher.observe(element);

function isNear(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top < innerHeight + NEAR_PIXELS && bottom > -NEAR_PIXELS;
}

/** Whether anything that a panel draws is in the window. */
function isSeen({ element }: Panel): boolean {
  const drawn = element.querySelector('.plot') ?? element;
  const { top, bottom } = drawn.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

async function drawPanel(panel: Panel): Promise<void> {
  await panel.draw();
  const empty = panel.empty?.() ?? false;
  if (panel.element.hidden && !empty) {
    // While hidden it had no width to draw at.
    panel.element.hidden = false;
    await panel.draw();
  }
  panel.element.hidden = empty;
  panel.element.classList.remove('waiting');
  if (performance.getEntriesByName('eos-first-panel').length === 0)
    performance.mark('eos-first-panel');
}

let offAxis = '';

/** Says which runs the axis has no place for, once. */
function tellOffAxis(runs: readonly Run[]): void {
  const { title, lack } = app.axis();
  const names = runs.filter((run) => !app.place(run)).map(({ name }) => name);
  const text =
    names.length === 0 ? '' : `not drawn over ${title}, since ${lack}: ${names.join(', ')}`;
  if (text === offAxis) return;
  offAxis = text;
  showProblem(box('notices'), 'Axis', text || undefined);
}

function showMissing(absent: readonly Panel[], covered: boolean): void {
  missing.hidden = covered || absent.length === 0;
  const names = absent.map(({ title, needs }) =>
    needs.length > 0 ? `${title} (${needs.join(', ')})` : title,
  );
  write(missing, `Not shown, for want of values: ${names.join('; ')}.`);
}

/* ---- state ---- */

/** The values of a row that the panel in focus draws, for those who listen. */
function valuesInFocus({ values }: Row): string[] {
  const panel = panels().find(({ element }) => element.contains(document.activeElement));
  return (panel?.needs ?? []).flatMap((column) => {
    const value = values[column];
    return typeof value === 'number' ? `${column} ${formatNumber(value)}` : [];
  });
}

/** Reads the row under the crosshair in every run, and tells the panels. */
async function followCursor(): Promise<void> {
  if (following) {
    followAgain = true;
    return;
  }
  following = true;
  showBusy();
  const cursor = app.cursor();
  const followed = [
    ...new Set([...panels().flatMap(({ needs }) => needs), 'phase', 'cycle', 'regime']),
  ];
  const found =
    cursor === null
      ? []
      : await Promise.all(
          files.runs().map(async (run) => {
            // Where a run has ended, or not begun, it has no values.
            const step = app.place(run)?.step(cursor);
            const { firstStep, lastStep } = run.info;
            if (step === undefined || step < firstStep - 1 || step > lastStep + 1)
              return [run.id, undefined] as const;
            const columns = followed.filter((column) => hasColumns(run, [column]));
            return [run.id, await run.client.row(step, columns).catch(() => undefined)] as const;
          }),
        );
  rows = new Map(found.flatMap(([id, row]) => (row ? [[id, row] as const] : [])));
  for (const panel of panels()) panel.follow();
  const row = rowUnder(app);
  if (row && document.activeElement?.matches('.plot'))
    app.announce(
      [app.axis().say(row.position), row.values.phase ?? '', ...valuesInFocus(row)].join(', '),
    );
  following = false;
  showBusy();
  if (!followAgain) return;
  followAgain = false;
  await followCursor();
}

store.subscribe((view, before) => {
  const redraw = [
    'x',
    'y',
    'units',
    'color',
    'group',
    'minus',
    'range',
    'last',
    'scales',
    'hidden',
    'added',
    'full',
    'map',
  ] as const;
  if (redraw.some((key) => view[key] !== before[key])) {
    hurry = true;
    schedule();
  }
  if (view.where !== before.where || view.columns !== before.columns) table.draw();
  if (view.cursor !== before.cursor) void followCursor();
  if (view.sweep !== before.sweep) void files.showSweep(view.sweep);
  if (view.refresh !== before.refresh) {
    follower.update();
    showBusy();
  }
  if (view.theme !== before.theme || view.refresh !== before.refresh) top.draw();
  page.dataset.theme = view.theme;
  document.body.classList.toggle('pinned', view.pinned);
  // The address tells of the crosshair only where it is pinned.
  if (view.cursor === before.cursor || view.pinned || before.pinned) address.write();
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape')
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

/** A link may come from another run than the one that is there. */
function tellWhatIsNotThere(): void {
  const asked = link.view.range;
  const runs = files.runs();
  const axis = app.axis();
  const [first, last] = app.fullRange().map(axis.value) as [number, number];
  if (!asked || runs.length === 0 || runs.some(({ writing }) => writing)) return;
  if (asked[0] < last && asked[1] > first) return;
  const steps = (from: number, to: number) => `${formatNumber(from)} – ${formatNumber(to)}`;
  const there = steps(Math.ceil(first), Math.floor(last));
  showProblem(
    box('notices'),
    'link',
    `it asks for steps ${steps(...asked)}, and there are steps ${there}; all of them are shown`,
  );
  address.write();
}

const removeRun = (gone: ListedRun): void =>
  files.remove(...files.runs().flatMap(({ id, source }) => (source === gone ? [id] : [])));

/** Names of files that are tables, or broken ones. */
const TABLE = /\.(parquet|arrow|feather|partial)$/i;

/** Opens files: tables as runs, all else as training logs. */
async function drop(dropped: readonly File[]): Promise<void> {
  const heads = await Promise.all(
    dropped.map(async (file) => new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer())),
  );
  const isLog = (i: number) =>
    heads[i]!.length > 0 && tableKind(heads[i]!) === undefined && !TABLE.test(dropped[i]!.name);
  const logs = dropped.filter((_, i) => isLog(i));
  if (logs.length < dropped.length) await files.drop(dropped.filter((_, i) => !isLog(i)));
  if (logs.length === 0) return;
  const { openLog } = await import('./log/log-panel.ts');
  const actions = {
    add: (run: ListedRun) => files.add(run),
    remove: removeRun,
    announce: app.announce,
  };
  box('logs').append(...logs.map((log) => openLog(log, actions)));
  box('logs').hidden = false;
  schedule();
}

/** What runs in the lab where nothing is said of it. */
const START: readonly LinkedRun[] = [{ recipe: { options: {}, changes: [] }, to: 0 }];

/** Opens the lab with what a link says of its run; a link that means none says so. */
async function showLab(said: string): Promise<void> {
  if (box('lab').childElementCount > 0) {
    box('lab').scrollIntoView();
    return;
  }
  const [{ openLab }, { readLab, writeLab }] = await Promise.all([
    import('./lab/lab-panel.ts'),
    import('./lab/lab-link.ts'),
  ]);
  const runs = readLab(said);
  if (!runs) showProblem(box('notices'), 'link', 'it names no run of the lab; one is started');
  const actions = {
    add: (run: ListedRun) => files.add(run),
    remove: removeRun,
    async look(run: ListedRun, change: () => Promise<Partial<Run>>) {
      looks++;
      showBusy();
      try {
        return await files.look(run, await change());
      } finally {
        looks--;
        showBusy();
      }
    },
    atLeisure: () => !(scheduled || drawing || looks > 0 || files.loading()),
    announce: app.announce,
    overTime: () => app.over('time'),
    relinked(now: readonly LinkedRun[], stop: number | null) {
      lab = writeLab(now);
      tour = stop;
      address.write();
    },
  };
  labControls = await files.whileLoading(() =>
    openLab(runs ?? START, tour, actions).catch((error: unknown) => {
      showProblem(box('notices'), 'link', `${messageOf(error)}; another run is started`);
      return openLab(START, tour, actions);
    }),
  );
  box('lab').append(labControls.element);
  box('lab').hidden = false;
  schedule();
}

let drawnSize = '';

export async function start(): Promise<void> {
  document.body.classList.toggle('embed', link.embed);
  page.dataset.theme = store.get().theme;
  document.body.classList.toggle('pinned', store.get().pinned);
  const inLab = link.lab ?? (link.tour === null ? null : '');
  const cells = link.runs.filter(isCell);
  const named = link.runs.filter((each) => !isCell(each));
  const first = inLab === null && !link.asked && cells.length === 0;
  await files.start(named, link.view.sweep, first);
  if (cells.length > 0 && !sweep)
    showProblem(box('notices'), 'link', 'it names cells of a sweep that is not here');
  await sweep?.openCells(cells);
  if (link.asked) {
    await files.whileLoading(() => facts.all(files.known()));
    await files.add(...table.asked());
  }
  if (inLab !== null) await showLab(inLab);
  tellWhatIsNotThere();
  if (files.list().live && !refreshGiven) store.set({ refresh: LIVE_SECONDS });
  schedule();
  follower.update();
  const resized = () => {
    // Drawing changes the height of the panels, and must not lead to the next drawing.
    const size = `${box('panels').clientWidth}:${window.innerHeight}`;
    if (size !== drawnSize && drawnSize !== '') schedule();
    drawnSize = size;
  };
  new ResizeObserver(resized).observe(box('panels'));
  addEventListener('resize', resized);
  if (store.get().cursor !== null) await followCursor();
  page.dataset.ready = '1';
}
