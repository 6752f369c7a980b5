import type { XName } from './plots/x-axis.ts';

/** Everything that a link reproduces. */
export interface View {
  /** What the runs are drawn over. */
  readonly x: XName;
  /** From where to where of that; null is the whole run, also while it grows. */
  readonly range: readonly [number, number] | null;
  /** So many last steps, while no range is chosen: a window that moves along with a run. */
  readonly last: number | null;
  /** Where on that the crosshair is. */
  readonly cursor: number | null;
  /** The crosshair stays where it is while the pointer moves on. */
  readonly pinned: boolean;
  readonly theme: Theme;
  /** Seconds between looks at the files; 0 is never. */
  readonly refresh: number;
  /** Values that a panel shows: all, also those far from the others, or a range. */
  readonly y: Readonly<Record<string, YRange>>;
  /** Panels that are in their other unit. */
  readonly units: readonly string[];
  /** Parameter by whose values runs are coloured, and by which their means are drawn. */
  readonly color: string | null;
  readonly group: string | null;
  /** Run, or dynamics beside each run, that is taken off; by link or name. */
  readonly minus: string | null;
  /** What is asked of the table of runs, and its additional columns. */
  readonly where: string;
  readonly columns: readonly string[];
  /** Panels whose scale differs from their own default. */
  readonly scales: Readonly<Record<string, Scale>>;
  /** Series switched off, as `panel.series`. */
  readonly hidden: readonly string[];
  /** Columns that have panels of their own. */
  readonly added: readonly string[];
  /** The panel that fills the page. */
  readonly full: string | null;
  /** Name of the sweep whose map is shown; null is the first. */
  readonly sweep: string | null;
  /** What the map of a sweep shows, as `sweep/map-view.ts` writes it; null is its own choice. */
  readonly map: string | null;
}

export type Theme = 'auto' | 'light' | 'dark';
export type YRange = 'all' | readonly [number, number];
export type Scale = 'log' | 'linear';

export const FIRST_VIEW: View = {
  x: 'step',
  range: null,
  last: null,
  cursor: null,
  pinned: false,
  theme: 'auto',
  refresh: 0,
  y: {},
  units: [],
  color: null,
  group: null,
  minus: null,
  where: '',
  columns: [],
  scales: {},
  hidden: [],
  added: [],
  full: null,
  sweep: null,
  map: null,
};

type Listener = (view: View, before: View) => void;

/** The state of the page, in one place. */
export interface Store {
  get(): View;
  set(change: Partial<View>): void;
  /** Switches a series, `panel.series`, off or on. */
  toggle(series: string): void;
  subscribe(listener: Listener): void;
}

export function createStore(first: View): Store {
  let view = first;
  const listeners: Listener[] = [];
  const set = (change: Partial<View>): void => {
    const before = view;
    view = { ...view, ...change };
    for (const listener of listeners) listener(view, before);
  };
  return {
    get: () => view,
    set,
    toggle: (series) =>
      set({
        hidden: view.hidden.includes(series)
          ? view.hidden.filter((other) => other !== series)
          : [...view.hidden, series],
      }),
    subscribe: (listener) => listeners.push(listener),
  };
}
