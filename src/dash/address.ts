import type { App } from './app.ts';
import type { OpenRuns } from './runs/open-runs.ts';
import type { ListedRun } from './runs/run-list.ts';
import type { View } from './store.ts';
import { type LinkState, readLink, writeLink } from './url.ts';

/** The address follows so long after a change, behind what is drawn of it. */
const LINK_MS = 150;
/** Changes of the range within this long are one zoom, as a window that is dragged makes them. */
const PUSH_MS = 800;
/** Runs that a link names each; more are named by the query that finds them. */
const MOST_NAMED = 8;

/** Of a page from disk all stands behind the hash. */
const inQuery = /^https?:$/.test(location.protocol);

/** What the address of the page says. */
export const linkOfPage = (): LinkState =>
  readLink(inQuery ? location.search : location.hash.slice(1) || location.search);

/** What of a view Back undoes. */
const zoomOf = ({ x, range, last, y }: Pick<View, 'x' | 'range' | 'last' | 'y'>): string =>
  JSON.stringify([x, range, last, y]);

export interface PageAddress {
  /** Writes it soon. */
  write(): void;
  /** Whether it does not say yet what is shown. */
  waits(): boolean;
}

/**
 * Keeps the address a link to what the page shows.
 *
 * @param asked the runs that the query of the table asks for
 * @param rest what neither the view nor the runs tell
 * @param changed is called where it waits to be written, and once it is
 */
export function pageAddress(
  app: App,
  files: Pick<OpenRuns, 'list'>,
  asked: () => readonly ListedRun[],
  rest: () => Pick<LinkState, 'lab' | 'tour' | 'embed' | 'refreshGiven'>,
  changed: () => void,
): PageAddress {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pushedAt = 0;
  let zoom = zoomOf(app.store.get());

  /** Whether these runs are all that the query of the table asks for, and no other. */
  function isAsked(links: readonly string[]): boolean {
    if (links.length <= MOST_NAMED) return false;
    const listed = new Set(files.list().runs.map((run) => run.link));
    // What no list names, as cells of a sweep, no query finds again.
    if (!links.every((each) => listed.has(each))) return false;
    const found = asked();
    return found.length === links.length && found.every(({ link }) => links.includes(link ?? ''));
  }

  function write(): void {
    timer = undefined;
    const runs = app.runs();
    const view = app.store.get();
    // What a run does not have yet is kept, since it may come.
    const range =
      runs.some(({ writing }) => writing) || runs.length === 0 || view.last !== null
        ? view.range
        : app.zoomed()
          ? (app.range().map(app.axis().value) as [number, number])
          : null;
    const links = runs.flatMap((run) => run.link ?? []);
    const byQuery = isAsked(links);
    const query = writeLink({
      runs: byQuery ? [] : links,
      asked: byQuery,
      view: { ...view, range },
      ...rest(),
    });
    try {
      // A zoom is a step that Back undoes; all else, and its own way there, only renames where one
      // is.
      const now = zoomOf({ ...view, range });
      const zoomed = now !== zoom;
      const steps = zoomed && performance.now() - pushedAt > PUSH_MS;
      if (zoomed) pushedAt = performance.now();
      zoom = now;
      history[steps ? 'pushState' : 'replaceState'](
        null,
        '',
        inQuery ? `${location.pathname}${query ? `?${query}` : ''}` : `#${query}`,
      );
    } catch {
      // A page from disk may not be allowed to rewrite its address; it works all the same.
    }
    changed();
  }

  addEventListener('popstate', () => {
    const { view } = linkOfPage();
    zoom = zoomOf(view);
    app.store.set({ x: view.x, range: view.range, last: view.last, y: view.y });
  });
  return {
    write() {
      clearTimeout(timer);
      timer = setTimeout(write, LINK_MS);
      changed();
    },
    waits: () => timer !== undefined,
  };
}
