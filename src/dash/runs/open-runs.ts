import type { Run } from '../app.ts';
import type { FileState } from '../load/bytes.ts';
import type { ServerNews } from '../load/server-news.ts';
import { openRun, withPhases } from './open-run.ts';
import {
  distinct,
  droppedRuns,
  droppedSweep,
  type ListedRun,
  type ListedSweep,
  linkedRun,
  listRuns,
  NO_RUNS,
  type RunList,
  sameRun,
} from './run-list.ts';

/**
 * Finished runs are looked at this seldom, in milliseconds: a new run may take the place of one.
 */
const FINISHED_EVERY = 5000;
/** So many looks one after the other must fail until a file that was readable counts as damaged. */
const FAILED_LOOKS = 3;
/** Over how long the pace of a run is measured, in milliseconds. */
const PACE_OVER = 10_000;

/** More lines than this in every chart tell nothing apart. */
export const MOST_DRAWN = 50;

export interface OpenRunsEvents {
  /** Runs came, went, or grew. */
  changed(): void;
  /** The set of runs changed, which the link tells. */
  relinked(): void;
  /** Loading began or ended. */
  loading(): void;
  /** So many bytes of the files were read since loading began. */
  progress(bytes: number): void;
  /** A sweep is there, or has grown. */
  sweep(listed: ListedSweep): Promise<void>;
  /** What is wrong with a file; undefined where it is well again. */
  problem(name: string, error: unknown): void;
  /** Since when the server has been silent; undefined where it answers. */
  lost(since: number | undefined): void;
}

/** The runs on the page: opens, follows and closes them. */
export interface OpenRuns {
  runs(): readonly Run[];
  list(): RunList;
  /** All runs to choose from: listed, named by a link, dropped, or made of a sweep. */
  known(): readonly ListedRun[];
  /** The sweeps to choose from, those dropped on the page among them. */
  sweeps(): readonly ListedSweep[];
  /** Shows the sweep of this name, or without one, or where it is unknown, the first. */
  showSweep(name: string | null): Promise<void>;
  loading(): boolean;
  /**
   * Opens the runs and the sweep of a link; where it names no run, the first of the list if there
   * is to be one.
   */
  start(links: readonly string[], sweep: string | null, first: boolean): Promise<void>;
  add(...listed: readonly ListedRun[]): Promise<void>;
  /** Does some work during which the page counts as loading. */
  whileLoading<T>(work: () => Promise<T>): Promise<T>;
  remove(...ids: readonly number[]): void;
  drop(files: readonly File[]): Promise<void>;
  /**
   * Takes over what has become of a run that is no file; tells whether it is on the page, which is
   * then drawn.
   */
  look(source: ListedRun, change?: Partial<Run>): Promise<boolean>;
  /**
   * Looks whether files have grown or appeared, finished ones too where `all`; tells whether any
   * has.
   */
  refresh(all: boolean): Promise<boolean>;
  /** Follows what the server has told; tells whether any run has changed. */
  heard(news: ServerNews): Promise<boolean>;
  /** The server says nothing any more. */
  silent(): void;
}

export function openRuns(events: OpenRunsEvents): OpenRuns {
  let runs: readonly Run[] = [];
  let list: RunList = NO_RUNS;
  let opening = 0;
  let bytes = 0;
  let dropped: readonly ListedSweep[] = [];
  let shown: ListedSweep | undefined;
  let lostSince: number | undefined;
  let finishedAt = 0;
  /** Runs that no list names; they can be shown again. */
  let extra: readonly ListedRun[] = [];
  /** What the server said of its files when the list was read last. */
  let listed = '';
  const failed = new Map<string, ListedRun>();
  const underway = new Set<string>();
  const looks = new Map<number, { failures: number; steps: { at: number; step: number }[] }>();

  const onBytes = (read: number): void => {
    bytes += read;
    events.progress(bytes);
  };
  const update = (id: number, change: Partial<Run>): void => {
    runs = runs.map((run) => (run.id === id ? { ...run, ...change } : run));
  };

  const known = () => [
    ...list.runs,
    ...extra.filter((each) => !list.runs.some((listed) => sameRun(listed, each))),
  ];

  async function whileLoading<T>(work: () => Promise<T>): Promise<T> {
    if (opening++ === 0) bytes = 0;
    events.loading();
    try {
      return await work();
    } finally {
      opening--;
      events.loading();
    }
  }

  function freeSlot(): number {
    const taken = new Set(runs.map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }

  /** Opens runs together, and shows them in the order named, so that the page is drawn once. */
  async function add(...all: readonly ListedRun[]): Promise<void> {
    const fresh = all.filter(
      ({ link }) =>
        link === undefined || !(underway.has(link) || runs.some((run) => run.link === link)),
    );
    const wanted = fresh.slice(0, Math.max(0, MOST_DRAWN - runs.length));
    const left = fresh.length - wanted.length;
    if (left > 0)
      events.problem('Runs', `${MOST_DRAWN} are drawn at once; ${left} more were asked for`);
    for (const { link } of wanted) if (link !== undefined) underway.add(link);
    const found = await whileLoading(() => Promise.all(wanted.map(opened)));
    for (const run of found) if (run) runs = [...runs, { ...run, slot: freeSlot() }];
    for (const { link } of wanted) underway.delete(link ?? '');
    const unlisted = found.flatMap((run) =>
      run && !known().includes(run.source) ? [run.source] : [],
    );
    extra = [...extra, ...unlisted];
    events.relinked();
    events.changed();
  }

  async function opened(listed: ListedRun): Promise<Run | undefined> {
    try {
      if (listed.empty) throw new Error('nothing of it has been written yet');
      const run = await openRun(listed, onBytes);
      failed.delete(listed.link ?? listed.name);
      events.problem(listed.name, undefined);
      try {
        return { ...run, ...(await withPhases(run, run.info)) };
      } catch (error) {
        if (!run.writing) events.problem(run.name, error);
        return run;
      }
    } catch (error) {
      if (listed.link !== undefined) failed.set(listed.link, listed);
      // A file that has just been begun may have no rows yet.
      if (!listed.writing) events.problem(listed.name, error);
      return undefined;
    }
  }

  const sweeps = () => distinct([...list.sweeps, ...dropped]);

  async function showSweep(listed: ListedSweep): Promise<void> {
    shown = listed;
    await whileLoading(async () => {
      try {
        await events.sweep(listed);
        events.problem(listed.name, undefined);
      } catch (error) {
        events.problem(listed.name, error);
      }
    });
    events.changed();
  }

  async function follow(run: Run, known?: FileState): Promise<boolean> {
    const look = looks.get(run.id) ?? { failures: 0, steps: [] };
    looks.set(run.id, look);
    try {
      const info = await run.client.refresh(known);
      if (info) {
        const change = await withPhases(run, info, info.phases);
        update(run.id, { ...change, pace: paceOf(look, info) });
      }
      look.failures = 0;
      events.problem(run.name, undefined);
      return info !== undefined;
    } catch (error) {
      // While a file is being written it may be unreadable for a moment; what is shown stays.
      const writing = listedAs(run.link)?.writing ?? run.writing;
      if (!writing && lostSince === undefined && ++look.failures >= FAILED_LOOKS)
        events.problem(run.name, error);
      return false;
    }
  }

  function paceOf(look: { steps: { at: number; step: number }[] }, info: Run['info']) {
    const now = { at: Date.now(), step: info.lastStep };
    look.steps = [...look.steps.filter(({ at }) => now.at - at < PACE_OVER), now];
    const [first] = look.steps;
    const seconds = (now.at - first!.at) / 1000;
    return { grownAt: now.at, rate: seconds > 1 ? (now.step - first!.step) / seconds : undefined };
  }

  /** Takes from the list which runs are still being written; tells whether that has changed. */
  function followList(): boolean {
    const changed = runs.filter(
      ({ link, writing }) => link !== undefined && writing !== (listedAs(link)?.writing ?? false),
    );
    for (const { id, writing } of changed) update(id, { writing: !writing });
    return changed.length > 0;
  }

  const listedAs = (link: string | undefined) =>
    link === undefined ? undefined : list.runs.find((listed) => listed.link === link);

  /** The list anew; while its server is silent, the last one. */
  async function relist(): Promise<void> {
    const next = await listRuns();
    setLost(next === undefined);
    // A folder that is watched may be empty now, and a page without a list has none to take.
    if (next && (next.live || next.runs.length + next.sweeps.length > 0)) list = next;
  }

  function setLost(lost: boolean): void {
    const since = lost ? (lostSince ?? Date.now()) : undefined;
    if (since !== lostSince) events.lost(since);
    lostSince = since;
  }

  /** Looks at the sweeps and at runs that could not be opened yet, and follows those that are. */
  async function look(watched: readonly Run[], before: RunList): Promise<boolean> {
    const now = sweeps().find(({ name }) => name === shown?.name) ?? sweeps()[0];
    if (list.live && now && (now.name !== shown?.name || now.parts.length !== shown.parts.length))
      await showSweep(now);
    if (failed.size > 0) await add(...[...failed.values()].map((run) => listedAs(run.link) ?? run));
    const grown = (await Promise.all(watched.map((run) => follow(run)))).some(Boolean);
    return followList() || grown || before.runs.length !== list.runs.length;
  }

  return {
    runs: () => runs,
    list: () => list,
    known,
    sweeps,
    async showSweep(name) {
      const listed = sweeps().find((sweep) => sweep.name === name) ?? sweeps()[0];
      if (listed && listed.name !== shown?.name) await showSweep(listed);
    },
    loading: () => opening > 0,
    async start(links, sweep, first) {
      await whileLoading(relist);
      await this.showSweep(sweep);
      await add(
        ...(links.length > 0
          ? links.map((link) => linkedRun(link, list))
          : list.runs.slice(0, first ? 1 : 0)),
      );
    },
    add,
    whileLoading,
    remove(...ids) {
      for (const run of runs.filter(({ id }) => ids.includes(id))) {
        run.client.close();
        for (const { client } of run.dynamics) client.close();
        looks.delete(run.id);
      }
      runs = runs.filter(({ id }) => !ids.includes(id));
      events.problem('Runs', undefined);
      events.relinked();
      events.changed();
    },
    async drop(files) {
      const sweep = droppedSweep(files);
      if (sweep) {
        // A second one takes the place of the first: a folder is often dropped in several goes.
        dropped = [sweep];
        await showSweep(sweeps().at(-1)!);
      }
      const listed = droppedRuns(files);
      if (listed.length > 0) await add(...listed);
    },
    async look(source, change = {}) {
      const run = runs.find((each) => each.source === source);
      if (!run) return false;
      update(run.id, change);
      const { grownAt } = run.pace;
      await follow(run);
      if (change.writing === false) update(run.id, { pace: { grownAt } });
      events.changed();
      return true;
    },
    async refresh(all) {
      const before = list;
      const paused = runs.filter(({ writing }) => writing).length;
      if (list.live || all) await relist();
      if (lostSince !== undefined) return false;
      const due = all || !list.live || Date.now() - finishedAt > FINISHED_EVERY;
      if (due) finishedAt = Date.now();
      // A dropped file is what it was: the browser gives no newer bytes.
      const watched = runs.filter(({ link, writing }) => link !== undefined && (writing || due));
      const changed = await look(watched, before);
      // Whether a run stands still shows with time alone.
      if (changed || paused > 0) events.changed();
      return changed;
    },
    async heard({ list: number, growing }) {
      setLost(false);
      const states = new Map(
        Object.entries(growing).map(([path, state]) => [encodeURI(path), state]),
      );
      const told = JSON.stringify([
        number,
        ...[...states].map(([path, { writing, etag }]) => [path, writing, etag !== undefined]),
      ]);
      const before = list;
      const paused = runs.some(({ writing }) => writing);
      const stateOf = ({ link }: Run): FileState | undefined => {
        const { etag, size } = states.get(link ?? '') ?? {};
        return etag === undefined || size === undefined ? undefined : { etag, size };
      };
      // What has grown is drawn at once; the list may take longer.
      const grown = Promise.all(
        runs.map((run) => {
          const state = stateOf(run);
          return state && follow(run, state);
        }),
      ).then((all) => all.some(Boolean));
      grown.then((any) => any && events.changed());
      let changed = false;
      if (told !== listed || failed.size > 0) {
        await relist();
        if (lostSince === undefined) {
          listed = told;
          const others = runs.filter((run) => run.link !== undefined && !stateOf(run));
          changed = await look(others, before);
        }
      }
      const any = await grown;
      changed ||= any;
      // Whether a run stands still shows with time alone.
      if (changed || paused) events.changed();
      return changed;
    },
    silent: () => setLost(true),
  };
}
