import { canFollow, followServer, type ServerNews } from './load/server-news.ts';
import type { OpenRuns } from './runs/open-runs.ts';
import type { Store } from './store.ts';

/** Follows what becomes of the files, as often as the view says. */
export interface FileFollower {
  /** Brings it in line with the view, and with whether anybody sees the page. */
  update(): void;
  /** Looks at the files now, finished ones too where `all`. */
  refresh(all?: boolean): Promise<void>;
  /** Whether what the server has told is under way. */
  hearing(): boolean;
}

/**
 * The page is told of changes, or looks at the files from time to time; one that nobody sees does
 * neither.
 *
 * @param changed is called where any run has changed
 * @param rested where what was told is there
 */
export function fileFollower(
  files: OpenRuns,
  store: Store,
  changed: () => Promise<void>,
  rested: () => void,
): FileFollower {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unfollow: (() => void) | undefined;
  /** The newest word of the server, until the page has come to it. */
  let unheard: ServerNews | undefined;
  let hearing = false;

  async function refresh(all = false): Promise<void> {
    if (await files.refresh(all)) await changed();
  }

  /** Follows the server's newest word; those that come meanwhile, or too soon after it, are one. */
  async function hear(): Promise<void> {
    if (hearing) return;
    hearing = true;
    while (unheard && store.get().refresh > 0) {
      const news = unheard;
      unheard = undefined;
      const pause = new Promise((resolve) => setTimeout(resolve, store.get().refresh * 1000));
      if (await files.heard(news)) await changed();
      if (store.get().refresh > 0) await pause;
    }
    hearing = false;
    rested();
  }

  function update(): void {
    clearTimeout(timer);
    const { refresh: seconds } = store.get();
    const awake = seconds > 0 && !document.hidden;
    if (files.list().live && canFollow()) {
      if (!awake) {
        unfollow?.();
        unfollow = undefined;
      } else
        unfollow ??= followServer({
          heard(news) {
            unheard = news;
            void hear();
          },
          silent: files.silent,
        });
    } else if (awake) timer = setTimeout(() => void refresh().finally(update), seconds * 1000);
  }

  document.addEventListener('visibilitychange', update);
  return { update, refresh, hearing: () => hearing };
}
