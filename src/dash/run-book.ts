import type { Run } from './app.ts';
import { runFacts } from './load/facts.ts';
import {
  distinct,
  droppedRuns,
  droppedSweep,
  type ListedRun,
  type ListedSweep,
  linkedRun,
  listRuns,
  openRun,
  type RunList,
  withPhases,
} from './runs.ts';

/** Phases of a short run are waited for, so that it is drawn once and not twice. */
const PHASES_WAIT_MS = 120;

export interface RunBookEvents {
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
}

/** The runs on the page: opens, follows and closes them. */
export interface RunBook {
  runs(): readonly Run[];
  list(): RunList;
  /** The sweeps to choose from, those dropped on the page among them. */
  sweeps(): readonly ListedSweep[];
  /** The sweep on the page. */
  sweep(): ListedSweep | undefined;
  /** Shows the sweep of this name, or without one, or where it is unknown, the first. */
  showSweep(name: string | null): Promise<void>;
  loading(): boolean;
  /** Opens the runs and the sweep of a link, or the first of the list. */
  start(links: readonly string[], sweep: string | null): Promise<void>;
  add(listed: ListedRun): Promise<void>;
  /** Does some work during which the page counts as loading. */
  whileLoading<T>(work: () => Promise<T>): Promise<T>;
  remove(id: number): void;
  drop(files: readonly File[]): Promise<void>;
  /** Looks whether files have grown or appeared; tells whether any has. */
  refresh(): Promise<boolean>;
}

export function runBook(events: RunBookEvents): RunBook {
  let runs: readonly Run[] = [];
  let list: RunList = { live: false, runs: [], sweeps: [] };
  let opening = 0;
  let bytes = 0;
  let dropped: readonly ListedSweep[] = [];
  let shown: ListedSweep | undefined;
  const failed = new Map<string, ListedRun>();
  const underway = new Set<string>();

  const onBytes = (read: number): void => {
    bytes += read;
    events.progress(bytes);
  };
  const update = (id: number, change: Partial<Run>): void => {
    runs = runs.map((run) => (run.id === id ? { ...run, ...change } : run));
  };

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

  async function add(listed: ListedRun): Promise<void> {
    if (listed.link !== undefined) {
      if (underway.has(listed.link) || runs.some((run) => run.link === listed.link)) return;
      underway.add(listed.link);
    }
    await whileLoading(async () => {
      try {
        const run = await openRun(listed, onBytes);
        failed.delete(listed.link ?? listed.name);
        events.problem(listed.name, undefined);
        runs = [...runs, { ...run, slot: freeSlot() }];
        events.relinked();
        const phases = loadPhases(run.id);
        await Promise.race([phases, new Promise((resolve) => setTimeout(resolve, PHASES_WAIT_MS))]);
        events.changed();
        await phases;
      } catch (error) {
        if (listed.link !== undefined) failed.set(listed.link, listed);
        events.problem(listed.name, error);
      }
    });
    underway.delete(listed.link ?? '');
    events.changed();
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

  async function loadPhases(id: number): Promise<void> {
    const run = runs.find((candidate) => candidate.id === id);
    if (!run) return;
    try {
      const { phases, anchors } = await withPhases(run);
      update(id, { phases, anchors });
      events.changed();
    } catch (error) {
      events.problem(run.name, error);
    }
  }

  async function follow(run: Run): Promise<boolean> {
    // A dropped file is what it was: the browser gives no newer bytes.
    if (run.link === undefined) return false;
    try {
      const info = await run.client.refresh();
      if (!info) return false;
      update(run.id, { info, facts: runFacts(info.metadata) });
      await loadPhases(run.id);
      events.problem(run.name, undefined);
      return true;
    } catch (error) {
      // While a file is being written it may be unreadable for a moment; what is shown stays.
      if (!list.live) events.problem(run.name, error);
      return false;
    }
  }

  /** Takes from the list which runs are still being written; tells whether that has changed. */
  function followList(): boolean {
    const changed = runs.filter(
      ({ link, writing }) => writing !== (listedAs(link)?.writing ?? false),
    );
    for (const { id, writing } of changed) update(id, { writing: !writing });
    return changed.length > 0;
  }

  const listedAs = (link: string | undefined) =>
    link === undefined ? undefined : list.runs.find((listed) => listed.link === link);

  return {
    runs: () => runs,
    list: () => list,
    sweeps,
    sweep: () => shown,
    async showSweep(name) {
      const listed = sweeps().find((sweep) => sweep.name === name) ?? sweeps()[0];
      if (listed && listed.name !== shown?.name) await showSweep(listed);
    },
    loading: () => opening > 0,
    async start(links, sweep) {
      list = await whileLoading(listRuns);
      await this.showSweep(sweep);
      const first =
        links.length > 0 ? links.map((link) => linkedRun(link, list)) : list.runs.slice(0, 1);
      // One after the other, so that colours follow the order of the link.
      for (const listed of first) await add(listed);
    },
    add,
    whileLoading,
    remove(id) {
      const run = runs.find((candidate) => candidate.id === id);
      run?.client.close();
      for (const { client } of run?.companions ?? []) client.close();
      runs = runs.filter((candidate) => candidate.id !== id);
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
      for (const listed of droppedRuns(files)) await add(listed);
    },
    async refresh() {
      if (list.live) {
        const next = await listRuns();
        if (next.runs.length + next.sweeps.length > 0) list = next;
        const now = sweeps().find(({ name }) => name === shown?.name) ?? sweeps()[0];
        if (now && (now.name !== shown?.name || now.parts.length !== shown.parts.length))
          await showSweep(now);
      }
      for (const listed of failed.values()) await add(listed);
      const grown = (await Promise.all(runs.map(follow))).some(Boolean);
      const changed = followList() || grown;
      if (changed) events.changed();
      return changed;
    },
  };
}
