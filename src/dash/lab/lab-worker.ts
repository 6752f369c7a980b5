import { ConfigError } from '../../pipeline/core/parameters.ts';
import { formatNumber } from '../../pipeline/format.ts';
import type { TableApi } from '../load/protocol.ts';
import { memoryApi } from '../load/queries.ts';
import { serve, type WorkerScope } from '../load/serve-table.ts';
import { RunFileError } from '../load/table.ts';
import { SLICE } from './block-size.ts';
import { type Companion, companion, isDefined } from './companions.ts';
import { answersTo } from './foreseen.ts';
import { labTable, withOptions } from './lab-parameters.ts';
import type { LabStatus, LabWorkerApi, Question, Renewed, Until } from './lab-protocol.ts';
import { type LabRun, labRun } from './lab-run.ts';
import { formulasOf, narrate, SPIKE_SHARE } from './narrate.ts';
import { pacer } from './pacer.ts';
import { replay } from './replay.ts';

/** A run that plays is told of this often, in milliseconds. */
const TOLD_EVERY = 50;
const FRAMES = 60;
/** Steps that are computed before anything is shown: half a minute. */
const MOST_ANEW = { minimal: 300_000_000, mlp: 100_000 } as const;
/** A summary takes as long as some rows of a network. */
const SUMMARY_EVERY = 500;

const scope = self as unknown as WorkerScope;
let run: LabRun | undefined;
let companions: readonly Companion[] = [];
/** Grows with all that makes other rows of those that were there. */
let edition = 0;
let playing = false;
let until: Until = 'stopped';
let told = { at: 0, step: 0 };
/** L₁ of the row before the last. */
let lastL1 = Number.POSITIVE_INFINITY;
/** Wakes the worker at once, which no timer does. */
const channel = new MessageChannel();
channel.port1.onmessage = tick;

const pace = pacer(
  {
    step: () => started().step,
    goes: () => playing,
    upTo: (rows) => rowsTo(until, started().step, rows),
    advance: (rows) => advance(started(), rows),
  },
  () => performance.now(),
);

const started = (): LabRun => {
  if (!run) throw new RunFileError('no run was started');
  return run;
};

function status(): LabStatus {
  const current = started();
  const { config, recipe, step, divergedAt, undoable } = current;
  const now = performance.now();
  const rate = playing ? ((step - told.step) / (now - told.at)) * 1000 : 0;
  told = { at: now, step };
  return {
    config,
    recipe,
    step,
    divergedAt,
    undoable,
    playing,
    rate,
    along: accompaniedBy(),
    text: narrate(current),
    formulas: formulasOf(current),
  };
}

function tick(): void {
  if (!run) return;
  const start = performance.now();
  const behind = pace.slice();
  const lagging = follow(run.step, start + 2 * SLICE);
  if (!playing || performance.now() - told.at > TOLD_EVERY) scope.postMessage({ status: status() });
  if (behind || lagging) channel.port2.postMessage(0);
  else if (playing) setTimeout(tick, 1000 / FRAMES);
}

/** Lets the dynamics that go along come up to the run; true where one has not by then. */
function follow(step: number, until: number): boolean {
  for (const along of companions) {
    while (along.step < step) {
      if (performance.now() > until) return true;
      along.advance();
    }
  }
  return false;
}

/** Lets these dynamics go along from where the run began, or was changed last. */
function accompany(names: readonly string[]): void {
  const current = started();
  companions = names.map((name) => companion(name, current));
  for (const along of companions) {
    if (!tables.has(along.name)) tables.set(along.name, tableOf(along.name));
  }
  // They come up to a run that stands, too.
  if (!playing && companions.length > 0) channel.port2.postMessage(0);
}

/** Dynamics that are no longer there still answer for what they were. */
const tables = new Map<string, TableApi>();
const latest = new Map<string, Companion>();

function tableOf(name: string): TableApi {
  const now = () => {
    const along = companions.find((each) => each.name === name) ?? latest.get(name)!;
    latest.set(name, along);
    return along;
  };
  return memoryApi(
    () => `${edition}:${now().step}`,
    () => now().table(),
  );
}

const accompaniedBy = () => companions.map(({ name }) => name);

/** Rows that may be computed at once without going further than is wanted. */
function rowsTo(end: Until, step: number, many: number): number {
  if (typeof end === 'number') return Math.max(1, Math.min(many, end - step));
  return end === 'stopped' ? many : 1;
}

/** Goes on by so many rows, and stops where it was to stop. */
function advance(current: LabRun, size: number): void {
  const [l1, loss] = [current.last('l1'), current.last('loss')];
  const rising = l1 > lastL1;
  lastL1 = l1;
  current.advance(size);
  const peaked = rising && current.last('l1') < l1 && l1 > SPIKE_SHARE * loss;
  const reached = typeof until === 'number' && current.step >= until;
  if (current.divergedAt !== null || until === 'step' || reached || (until === 'spike' && peaked))
    playing = false;
}

/** Makes other rows of those that were there; the dynamics that go along begin again. */
function renew(): void {
  edition++;
  const current = started();
  accompany(accompaniedBy().filter((name) => isDefined(name, current)));
}

/** What goes wrong is said of the run, since there is no file that could be damaged. */
function saying<Api extends object>(methods: Api): object {
  const said = (error: unknown): unknown => {
    if (error instanceof ConfigError) return new RunFileError(error.message);
    // A kernel without memory ends in a trap.
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError)
      return new RunFileError('such a run needs more memory than there is here');
    return error;
  };
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      (...args: readonly unknown[]) =>
        (method(...args) as Promise<unknown>).catch((error) => Promise.reject(said(error))),
    ]),
  );
}

const api: LabWorkerApi = {
  async start(questions, recipe, to, from) {
    playing = false;
    const { model } = labTable(recipe.options);
    const most = model === 'minimal' ? MOST_ANEW.minimal : MOST_ANEW.mlp;
    if (to > most)
      throw new ConfigError(
        'at',
        `step ${formatNumber(to)} is too far to be computed anew; at most ${formatNumber(most)}`,
      );
    const next =
      from === undefined
        ? await replay(recipe, to)
        : labRun(recipe.options, { checkpoint: from, recipe });
    if (from !== undefined) next.advance(1);
    run = next;
    companions = [];
    pace.restart();
    edition++;
    return renewed(questions);
  },
  async change(questions, said) {
    const current = started();
    const { options, changes } = current.recipe;
    // Before the first step there is nothing that could be kept.
    if (current.step === 0 && changes.length === 0) {
      run = labRun(withOptions(options, said));
      run.advance(1);
    } else current.change(said);
    renew();
    return renewed(questions);
  },
  async undo() {
    playing = false;
    if (started().undo()) renew();
    return status();
  },
  async play(steps, end) {
    const current = started();
    until = end;
    const there = typeof end === 'number' && current.step >= end;
    playing = steps > 0 && current.divergedAt === null && !there;
    pace.keep(steps, current.step);
    told = { at: performance.now(), step: current.step };
    lastL1 = Number.POSITIVE_INFINITY;
    if (playing) tick();
    return status();
  },
  checkpoint: async () => started().checkpoint(),
  accompany: async (names) => accompany(names),
  async ofDynamics(name, method, args) {
    return (tables.get(name)![method] as (...all: readonly unknown[]) => Promise<unknown>)(...args);
  },
};

/** The summary that was told last. */
let summarized:
  | { readonly at: number; readonly edition: number; readonly summary: object | undefined }
  | undefined;

/** The summary of the run; while it plays that of a while ago will do. */
function summary(current: LabRun): object | undefined {
  const now = performance.now();
  if (!playing || summarized?.edition !== edition || now - summarized.at > SUMMARY_EVERY)
    summarized = { at: now, edition, summary: current.summary() };
  return summarized.summary;
}

/** The run that the page knows; it may be another than the one that goes on, until it asks. */
let shown: LabRun | undefined;

const table = memoryApi(
  () => `${edition}:${started().step}:${playing}`,
  () => {
    const current = started();
    // What is asked of it was answered before this message came: no answer waits for anything else.
    if (shown !== current) shown?.release();
    shown = current;
    return current.table(summary(current));
  },
);

/** How the run stands, and what is going to be asked of it. */
async function renewed(questions: readonly Question[]): Promise<Renewed> {
  const now = status();
  return { status: now, answers: await answersTo(table, questions) };
}

serve(scope, { ...table, ...saying(api) });
