import { xAxisOf } from './plots/x-axis.ts';
import { FIRST_VIEW, type Scale, type Theme, type View, type YRange } from './store.ts';

/** What a link holds: the runs shown, and the view of them. */
export interface LinkState {
  readonly runs: readonly string[];
  /** The runs are those that the query of the table asks for. */
  readonly asked: boolean;
  readonly view: View;
  /** What runs in the lab, as `lab/lab-link.ts` writes it; null where there is none. */
  readonly lab: string | null;
  /** The stop of the lab's tour, from 1; null where nobody is on it. */
  readonly tour: number | null;
  /** Whether the page stands in another one, and leaves out what that has itself. */
  readonly embed: boolean;
  /** Whether the link itself says how often to look at the files. */
  readonly refreshGiven: boolean;
}

const THEMES: readonly string[] = ['auto', 'light', 'dark'];
/** Seconds between looks at the files, at least. */
export const LEAST_REFRESH = 0.25;
const MAX_NAME = 200;
const MAX_COLUMNS = 40;
const MAX_LAB = 4000;
const MAX_ADDED = 40;

/** Reads a link; what it cannot mean is left out. */
export function readLink(query: string): LinkState {
  const params = new URLSearchParams(query);
  const from = number(params.get('from'));
  const to = number(params.get('to'));
  const last = number(params.get('last'));
  const at = number(params.get('at'));
  const refresh = number(params.get('refresh'));
  const theme = params.get('theme') ?? 'auto';
  const text = (name: string) => params.get(name)?.slice(0, MAX_NAME) || null;
  const scale = (name: string, value: Scale) =>
    words(params.get(name)).map((panel): [string, Scale] => [panel, value]);
  return {
    runs: params.getAll('run').filter(Boolean),
    asked: params.get('show') === 'where',
    refreshGiven: refresh !== undefined,
    lab: params.get('lab')?.slice(0, MAX_LAB) ?? null,
    tour: tourStop(number(params.get('tour'))),
    embed: params.get('embed') === '1',
    view: {
      ...FIRST_VIEW,
      x: xAxisOf(params.get('x')).name,
      range: from !== undefined && to !== undefined && from < to ? [from, to] : null,
      last: last !== undefined && last >= 1 ? Math.round(last) : null,
      cursor: at ?? null,
      pinned: at !== undefined,
      theme: THEMES.includes(theme) ? (theme as Theme) : 'auto',
      refresh:
        refresh !== undefined && refresh > 0 ? Math.min(3600, Math.max(LEAST_REFRESH, refresh)) : 0,
      scales: Object.fromEntries([...scale('log', 'log'), ...scale('linear', 'linear')]),
      y: Object.fromEntries((params.get('y') ?? '').split(',').flatMap(yRange)),
      units: words(params.get('units')),
      color: text('color'),
      group: text('group'),
      minus: text('minus'),
      where: text('where') ?? '',
      columns: (params.get('cols') ?? '').split(',').filter(Boolean).slice(0, MAX_COLUMNS),
      hidden: words(params.get('hide')),
      added: [...new Set(params.getAll('add').filter(Boolean))]
        .slice(0, MAX_ADDED)
        .map((name) => name.slice(0, MAX_NAME)),
      full: params.get('panel'),
      sweep: params.get('sweep')?.slice(0, MAX_NAME) || null,
      map: /^[\w.,=+-]{1,400}$/.test(params.get('map') ?? '') ? params.get('map') : null,
    },
  };
}

/** The query that `readLink` reads back as the same state. */
export function writeLink({
  runs,
  asked,
  view,
  lab,
  tour,
  embed,
  refreshGiven,
}: LinkState): string {
  const params = new URLSearchParams();
  for (const run of runs) params.append('run', run);
  if (asked) params.set('show', 'where');
  if (lab !== null) params.set('lab', lab);
  if (tour !== null) params.set('tour', String(tour));
  if (embed) params.set('embed', '1');
  if (view.x !== 'step') params.set('x', view.x);
  if (view.range) {
    params.set('from', String(view.range[0]));
    params.set('to', String(view.range[1]));
  }
  if (view.last !== null) params.set('last', String(view.last));
  if (view.pinned && view.cursor !== null) params.set('at', String(view.cursor));
  if (view.theme !== 'auto') params.set('theme', view.theme);
  if (refreshGiven) params.set('refresh', String(view.refresh));
  for (const scale of ['log', 'linear'] as const) {
    const panels = Object.keys(view.scales).filter((panel) => view.scales[panel] === scale);
    if (panels.length > 0) params.set(scale, panels.join(','));
  }
  const ranges = Object.entries(view.y).map(([panel, y]) => [panel, y].flat().join(':'));
  if (ranges.length > 0) params.set('y', ranges.join(','));
  for (const name of ['color', 'group', 'minus', 'where'] as const)
    if (view[name]) params.set(name, view[name]);
  if (view.columns.length > 0) params.set('cols', view.columns.join(','));
  if (view.units.length > 0) params.set('units', view.units.join(','));
  if (view.hidden.length > 0) params.set('hide', view.hidden.join(','));
  for (const column of view.added) params.append('add', column);
  if (view.full) params.set('panel', view.full);
  if (view.sweep) params.set('sweep', view.sweep);
  if (view.map) params.set('map', view.map);
  // A path reads better unescaped, and means the same in a query.
  return params
    .toString()
    .replaceAll('%2F', '/')
    .replaceAll('%2C', ',')
    .replaceAll('%3A', ':')
    .replaceAll('%3D', '=')
    .replaceAll('%3B', ';');
}

const words = (value: string | null): string[] =>
  (value ?? '').split(',').filter((word) => /^[\w.-]{1,60}$/.test(word));

/** `panel:all` or `panel:low:high`. */
function yRange(text: string): [string, YRange][] {
  const [panel = '', first = '', second = ''] = text.split(':');
  if (!/^[\w.-]{1,60}$/.test(panel)) return [];
  if (first === 'all') return [[panel, 'all']];
  const [low, high] = [number(first), number(second)];
  return low !== undefined && high !== undefined && low < high ? [[panel, [low, high]]] : [];
}

const tourStop = (value: number | undefined): number | null =>
  value !== undefined && Number.isInteger(value) && value > 0 ? value : null;

function number(value: string | null): number | undefined {
  const parsed = value === null || value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}
