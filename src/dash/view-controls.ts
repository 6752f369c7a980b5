import { count, plural } from '../pipeline/format.ts';
import type { App } from './app.ts';
import { button, choose, el, icon, write } from './dom.ts';
import { roving } from './roving.ts';
import { nameParts } from './runs/short-name.ts';
import type { Theme } from './store.ts';

/** What the top bar does with files. */
export interface FileActions {
  drop(files: readonly File[]): void;
  /** Opens the lab. */
  lab(): void;
  refreshNow(): void;
  setRefresh(seconds: number): void;
  /** Stops following the files, or goes on. */
  pause(): void;
}

const REFRESH: readonly (readonly [number, string])[] = [
  [0, 'Off'],
  [0.25, '0.25 s'],
  [0.5, '0.5 s'],
  [1, '1 s'],
  [2, '2 s'],
  [5, '5 s'],
  [10, '10 s'],
  [30, '30 s'],
  [60, '1 min'],
];
const THEMES: readonly (readonly [Theme, string])[] = [
  ['auto', 'Auto'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** Widths of the window that moves along with a run, in steps; 0 is none. */
const WINDOWS = [0, 100, 1000, 10_000, 100_000];

/** How long the page says that something is done. */
const SAID_MS = 2500;

/** The top bar: what is shown, opening files, and how the page looks. */
export function viewControls(
  app: App,
  actions: FileActions,
  nameBox: HTMLElement,
  controlsBox: HTMLElement,
): { draw(): void } {
  const name = el('span', { class: 'run-title' });
  const input = el('input', {
    type: 'file',
    multiple: true,
    hidden: true,
    'aria-label': 'Run files and training logs',
  });
  input.addEventListener('change', () => {
    actions.drop([...(input.files ?? [])]);
    input.value = '';
  });
  const open = button(
    'Open run files and training logs',
    { class: 'text-button', 'data-act': 'open' },
    () => input.click(),
    icon('file'),
    'Open',
  );
  const lab = button(
    'Lab',
    { class: 'text-button', 'data-act': 'lab', title: 'Run gradient descent here' },
    actions.lab,
  );
  // The name last, so that nothing moves when it comes.
  nameBox.append(open, lab, name, input);

  const refresh = el(
    'select',
    { 'aria-label': 'Look at the files every', 'data-act': 'refresh' },
    ...REFRESH.map(([seconds, label]) => el('option', { value: seconds }, label)),
  );
  refresh.addEventListener('change', () => actions.setRefresh(Number(refresh.value)));
  const theme = el(
    'select',
    { 'aria-label': 'Theme', 'data-act': 'theme' },
    ...THEMES.map(([value, label]) => el('option', { value }, label)),
  );
  theme.addEventListener('change', () => app.store.set({ theme: theme.value as Theme }));
  const pause = button(
    'Pause',
    {
      ...{ class: 'text-button', 'data-act': 'pause', title: 'Stop following the files' },
      // Nothing moves while a finished run is loaded.
      hidden: true,
    },
    actions.pause,
  );
  pause.removeAttribute('aria-label');
  const last = el('select', {
    'aria-label': 'Steps shown while a run goes on',
    'data-act': 'last',
    hidden: true,
  });
  last.addEventListener('change', () =>
    app.store.set({ last: Number(last.value) || null, range: null }),
  );
  const fillWindows = (own: number | null) => {
    const widths = WINDOWS.includes(own ?? 0) ? WINDOWS : [...WINDOWS, own!];
    if (last.childElementCount === widths.length) return;
    last.replaceChildren(
      ...widths.map((width) =>
        el('option', { value: width }, width === 0 ? 'All steps' : `Last ${count(width)}`),
      ),
    );
  };
  // What it says is announced as well; this is for the eyes.
  const said = el('span', { class: 'said', 'aria-hidden': 'true', hidden: true });
  let saidTimer: ReturnType<typeof setTimeout> | undefined;
  controlsBox.append(
    said,
    last,
    pause,
    button(
      'Copy a link to this view',
      { class: 'icon', 'data-act': 'link' },
      () => {
        const told = (text: string) => {
          app.announce(text);
          said.textContent = text;
          said.hidden = false;
          clearTimeout(saidTimer);
          saidTimer = setTimeout(() => (said.hidden = true), SAID_MS);
        };
        // Dropped files and runs of cells are in this window alone.
        const left = app.runs().filter((run) => run.link === undefined).length;
        // Without HTTPS, and off this computer, browsers give pages no clipboard.
        const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
        copied.then(
          () =>
            told(
              'Link ' +
                `copied${left === 0 ? '' : `, without ${plural(left, 'run')} that it cannot name`}`,
            ),
          () => told('The link is in the address bar'),
        );
      },
      icon('link'),
    ),
    el(
      'span',
      { class: 'joined' },
      button(
        'Look at the files now',
        { class: 'icon', 'data-act': 'refresh-now' },
        actions.refreshNow,
        icon('reset'),
      ),
      refresh,
    ),
    theme,
  );

  roving(nameBox.parentElement!);

  return {
    draw() {
      const view = app.store.get();
      if (![...refresh.options].some(({ value }) => Number(value) === view.refresh))
        refresh.append(el('option', { value: view.refresh }, `${view.refresh} s`));
      choose(refresh, view.refresh);
      choose(theme, view.theme);
      const runs = app.runs();
      const writing = runs.filter((run) => run.writing);
      fillWindows(view.last);
      choose(last, view.last ?? 0);
      last.hidden = writing.length === 0 && view.last === null;
      pause.hidden = !writing.some(({ link }) => link !== undefined);
      const paused = view.refresh === 0;
      write(pause, paused ? 'Resume' : 'Pause');
      const [only] = runs;
      const all = runs.length > 1 ? `${runs.length} runs` : (only?.name ?? '');
      if (name.textContent !== all) {
        const [start, end] = nameParts(all);
        name.replaceChildren(
          el('span', { class: 'name-start' }, start),
          ...(end === '' ? [] : [el('span', {}, end)]),
        );
      }
      name.title = runs.length === 1 ? `${only!.name}\n${only!.facts.configText}`.trim() : '';
    },
  };
}
