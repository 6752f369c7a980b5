import { lastValueFrom } from 'rxjs';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import { findTraining } from '../../pipeline/sources/trainings/index.ts';
import { memoryApi } from '../load/queries.ts';
import { serve, type WorkerScope } from '../load/serve-table.ts';
import { RunFileError } from '../load/table.ts';
import { blockSize, SLICE } from './block-size.ts';
import type { LabOptions } from './lab-parameters.ts';
import type { LabApi, LabStatus, Until } from './lab-protocol.ts';
import { type LabRun, labRun } from './lab-run.ts';
import { narrate, SPIKE_SHARE } from './narrate.ts';

/** A run that plays is told of this often, in milliseconds. */
const TOLD_EVERY = 33;
/** Rows that are computed at once, at most. */
const MOST_AT_ONCE = 16_384;
const FRAMES = 60;

const scope = self as unknown as WorkerScope;
let run: LabRun | undefined;
let options: LabOptions = {};
let forked = false;
/** Grows with all that makes other rows of those that were there. */
let edition = 0;
let playing = false;
/** Rows of the next block. */
let size = 1;
let speed = 0;
let until: Until = 'stopped';
/** Since when, and from which step, the speed has been kept. */
let begun = { at: 0, step: 0 };
let told = { at: 0, step: 0 };
/** L₁ of the row before the last. */
let lastL1 = Number.POSITIVE_INFINITY;
/** Wakes the worker at once, which no timer does. */
const channel = new MessageChannel();
channel.port1.onmessage = tick;

const started = (): LabRun => {
  if (!run) throw new RunFileError('no run was started');
  return run;
};

function status(): LabStatus {
  const current = started();
  const { config, step, divergedAt, changes } = current;
  const now = performance.now();
  const rate = playing ? ((step - told.step) / (now - told.at)) * 1000 : 0;
  told = { at: now, step };
  return { config, step, divergedAt, changes, playing, rate, text: narrate(current) };
}

function tick(): void {
  if (!playing || !run) return;
  const start = performance.now();
  const due = begun.step + ((start - begun.at) / 1000) * speed;
  const many = Math.max(1, Math.min(MOST_AT_ONCE, Math.round(speed / FRAMES)));
  while (playing && run.step < due && performance.now() - start < SLICE) {
    const wanted = rowsTo(until, run.step, many);
    size = Math.min(size, wanted);
    const from = performance.now();
    advance(run, size);
    size = blockSize(wanted, size, performance.now() - from);
  }
  const behind = run.step < due;
  // What could not be kept up with is not made up for.
  if (behind) begun = { at: performance.now(), step: run.step };
  if (!playing || performance.now() - told.at > TOLD_EVERY) scope.postMessage({ status: status() });
  if (!playing) return;
  if (behind) channel.port2.postMessage(0);
  else setTimeout(tick, 1000 / FRAMES);
}

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

const api: LabApi = {
  async start(said, from) {
    run = labRun(said, from);
    size = 1;
    options = said;
    forked = from !== undefined;
    edition++;
    playing = false;
    run.advance(1);
    return status();
  },
  async change(said) {
    started().change(said);
    edition++;
    return status();
  },
  async undo() {
    if (started().undo()) edition++;
    playing = false;
    return status();
  },
  async play(steps, end) {
    const current = started();
    speed = steps;
    until = end;
    const there = typeof end === 'number' && current.step >= end;
    playing = steps > 0 && current.divergedAt === null && !there;
    begun = { at: performance.now(), step: current.step };
    told = { at: begun.at, step: current.step };
    lastL1 = Number.POSITIVE_INFINITY;
    if (playing) tick();
    return status();
  },
  checkpoint: async () => started().checkpoint(),
  async save() {
    const { step, changes, divergedAt } = started();
    if (forked || changes.length > 0)
      throw new RunFileError(
        'a run whose parameters were changed under way is no run of eos stream',
      );
    const target = memoryTarget();
    const said = { ...options, steps: Math.max(step, divergedAt ?? 0) };
    const runs = await findTraining(said).open();
    const config = runs.resolve(said);
    const rows = runs.rows(config, {}).pipe(runs.pipeline(config, () => {}));
    await lastValueFrom(rows.pipe(parquetSink(target)));
    return target.bytes().slice().buffer;
  },
};

const table = memoryApi(
  () => `${edition}:${started().step}`,
  () => started().table(),
);

serve(scope, { ...table, ...api });
