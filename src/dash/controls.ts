import { type App, runColor } from './app.ts';
import { button, el, icon } from './dom.ts';
import { nameParts } from './format.ts';
import type { ListedRun } from './runs.ts';
import type { Theme } from './store.ts';

/** What the top bar can do with runs. */
export interface RunActions {
  listed(): readonly ListedRun[];
  add(run: ListedRun): void;
  remove(id: number): void;
  drop(files: readonly File[]): void;
  refreshNow(): void;
  setRefresh(seconds: number): void;
}

const REFRESH: readonly (readonly [number, string])[] = [
  [0, 'Off'],
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

/** How long the page says that something is done. */
const SAID_MS = 2500;
/** A run's name, shortened in its middle where there is no room. */
function chipName(name: string): HTMLElement {
  const [start, end] = nameParts(name);
  return el(
    'span',
    { class: 'chip-name' },
    el('span', { class: 'chip-start' }, start),
    end === '' ? undefined : el('span', {}, end),
  );
}

/** The top bar: the runs shown, a picker for more, and how the page looks. */
export function controls(
  app: App,
  actions: RunActions,
  runsBox: HTMLElement,
  controlsBox: HTMLElement,
): { draw(): void } {
  const chips = el('ul', { class: 'chips', 'aria-label': 'Runs shown' });
  const picker = el('select', { 'aria-label': 'Add a run', class: 'picker' });
  picker.addEventListener('change', () => {
    const run = actions.listed()[Number(picker.value)];
    picker.value = '';
    if (run) actions.add(run);
  });
  const input = el('input', {
    type: 'file',
    multiple: true,
    accept: '.parquet,.arrow,.partial',
    hidden: true,
    'aria-label': 'Run files',
  });
  input.addEventListener('change', () => {
    actions.drop([...(input.files ?? [])]);
    input.value = '';
  });
  const open = button(
    'Open run files',
    { class: 'text-button', 'data-act': 'open' },
    () => input.click(),
    icon('file'),
    'Open',
  );
  runsBox.append(chips, picker, open, input);

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
  // What it says is announced as well; this is for the eyes.
  const said = el('span', { class: 'said', 'aria-hidden': 'true', hidden: true });
  let saidTimer: ReturnType<typeof setTimeout> | undefined;
  controlsBox.append(
    said,
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
        // Without HTTPS, and off this computer, browsers give pages no clipboard.
        const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
        copied.then(
          () => told('Link copied'),
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

  let drawn = '';
  return {
    draw() {
      const view = app.store.get();
      if (![...refresh.options].some(({ value }) => Number(value) === view.refresh))
        refresh.append(el('option', { value: view.refresh }, `${view.refresh} s`));
      refresh.value = String(view.refresh);
      theme.value = view.theme;
      const runs = app.runs();
      const more = actions
        .listed()
        .flatMap((run, i) =>
          runs.some(({ link }) => link === run.link) ? [] : [[i, run.name] as const],
        );
      // Rebuilt only where they change: an open list or a focused button must outlive the redraws of a growing run.
      const signature = JSON.stringify([runs.map(({ id, name, slot }) => [id, name, slot]), more]);
      if (signature === drawn) return;
      drawn = signature;
      const focused = [...chips.querySelectorAll('button')].indexOf(
        document.activeElement as HTMLButtonElement,
      );
      chips.replaceChildren(
        ...runs.map((run) => {
          const dot = el('span', { class: 'dot' });
          dot.style.background = runs.length > 1 ? runColor(run) : 'var(--series-1)';
          return el(
            'li',
            { class: 'chip', title: `${run.name}\n${run.facts.configText}`.trim() },
            dot,
            chipName(run.name),
            button(
              `Remove ${run.name}`,
              { class: 'icon small' },
              () => actions.remove(run.id),
              icon('close'),
            ),
          );
        }),
      );
      // Who removes a run by key goes on from the next.
      if (focused >= 0) {
        const left = [...chips.querySelectorAll('button')];
        (left[Math.min(focused, left.length - 1)] ?? open).focus();
      }
      picker.hidden = more.length === 0;
      picker.replaceChildren(
        el('option', { value: '' }, runs.length > 0 ? 'Compare with…' : 'Choose a run…'),
        ...more.map(([i, name]) => el('option', { value: i }, name)),
      );
    },
  };
}
