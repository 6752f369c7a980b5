import type { Run } from './app.ts';
import { runFacts } from './load/facts.ts';
import {
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
  loading(): boolean;
  /** Opens the runs of a link, or the first of the list. */
  start(links: readonly string[]): Promise<void>;
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

  async function showSweep(listed: ListedSweep): Promise<void> {
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

  return {
    runs: () => runs,
    list: () => list,
    loading: () => opening > 0,
    async start(links) {
      list = await whileLoading(listRuns);
      if (list.sweeps[0]) await showSweep(list.sweeps[0]);
      const first = links.length > 0 ? links.map((link) => linkedRun(link, list)) : list.runs.slice(0, 1);
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
      const dropped = droppedSweep(files);
      if (dropped) await showSweep(dropped);
      for (const listed of droppedRuns(files)) await add(listed);
    },
    async refresh() {
      if (list.live) {
        const parts = list.sweeps[0]?.parts.length;
        const next = await listRuns();
        if (next.runs.length + next.sweeps.length > 0) list = next;
        const [grown] = list.sweeps;
        if (grown && grown.parts.length !== parts) await showSweep(grown);
      }
      for (const listed of failed.values()) await add(listed);
      const changed = (await Promise.all(runs.map(follow))).some(Boolean);
      if (changed) events.changed();
      return changed;
    },
  };
}
