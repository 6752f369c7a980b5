import { count, duration, plural, rate } from '../../pipeline/format.ts';
import { anySweepSpec } from '../../pipeline/sweep/any-sweep.ts';
import { EXIT, UsageError } from '../errors.ts';
import { onInterrupt } from '../interrupt.ts';
import { watchPipes } from '../pipes.ts';
import { createProgress, timedLines } from '../terminal.ts';
import { type EngineFlags, openEngine, type Queueing } from './engine.ts';
import { totalSteps } from './estimate.ts';
import {
  claimFolder,
  clearPartials,
  type FolderSweep,
  findSweep,
  sweepFolder,
  unmarkCancelled,
} from './folder.ts';
import type { SaidSweep } from './grid.ts';
import type { EngineRequest, EngineResult } from './local-engine.ts';
import { removeParts, runsIn, sweepState } from './missing.ts';

export interface SweepRequest {
  readonly options: SaidSweep;
  readonly out: string;
  readonly engine: EngineFlags;
  readonly threads: number;
  readonly share: readonly [number, number];
  readonly extend: boolean;
  readonly confirmed: boolean;
  readonly detach: boolean;
  readonly logFormat: 'text' | 'json';
  readonly quiet: boolean;
}

/**
 * More runs than this are taken for a slip of the keyboard until somebody says that they are not.
 */
const UNCONFIRMED = 10_000_000;

/** Carries out `eos sweep`; resolves with the exit code. */
export async function sweepRun(request: SweepRequest): Promise<number> {
  const spec = anySweepSpec(request.options.said, request.options.trajectories);
  const folder = sweepFolder(request.out);
  const { place: planned } = await findSweep(folder, spec, request.extend);
  const say = sayer(request);
  const { runs } = planned.sweep;
  if (runs > UNCONFIRMED && !request.confirmed) {
    throw new UsageError(
      `sweep: these are ${count(runs)} runs; look at them with --dry-run, and confirm with ` +
        '--yes if you mean it',
    );
  }
  // A Redis that is absent is told before anything is written.
  const queueing = await openEngine(request.engine);
  const place = await claimFolder(folder, spec, request.extend);
  await unmarkCancelled(folder);
  return work(request, place, say, queueing);
}

type Sayer = (
  event: Readonly<Record<string, unknown>> & { readonly event: string },
  line: string,
) => void;

function sayer({ logFormat, quiet }: SweepRequest): Sayer {
  return (event, line) => {
    if (quiet) return;
    if (logFormat === 'json') process.stdout.write(`${JSON.stringify(event)}\n`);
    else process.stderr.write(`${line}\n`);
  };
}

async function work(
  request: SweepRequest,
  place: FolderSweep,
  say: Sayer,
  queueing: Queueing | undefined,
): Promise<number> {
  const folder = sweepFolder(request.out);
  const { sweep, plan } = place;
  const [index, of] = request.share;
  const { missing, damaged: harmed } = await sweepState(folder, place, request.share);
  await removeParts(folder, place, harmed);
  const damaged = harmed.length;
  const mine = Math.max(0, Math.ceil((plan.count - index) / of));
  const todo = runsIn(place, missing);
  const shareRuns = runsIn(place, range(index, plan.count, of));
  const start = {
    event: 'start',
    sweep: sweep.id,
    runs: shareRuns,
    done: shareRuns - todo,
    damaged_parts: damaged,
  };
  // Before it is told that the sweep began: whoever hears of it may stop it at once.
  const interrupt = onInterrupt(() => {
    if (request.logFormat === 'text' && !request.quiet)
      process.stderr.write('interrupted: what is done is kept\n');
  });
  // Whoever reads the log may leave; the sweep also goes into files.
  const pipes = watchPipes(false);
  say(
    start,
    startLine(request, place, {
      shareRuns,
      todo,
      damaged,
      resumed: missing.length < mine || damaged > 0,
    }),
  );

  const steps = todo * (totalSteps(sweep, sweep.config(0).steps + 1) / sweep.runs);
  const progress = createProgress(steps);
  const lines = timedLines(steps, (text) => {
    if (!process.stderr.isTTY && request.logFormat === 'text' && !request.quiet)
      process.stderr.write(`${text}\n`);
  });
  const tell = (line: string) => {
    progress.stop();
    say({ event: 'redis', message: line }, line);
  };
  const engineRequest: EngineRequest = {
    folder,
    place,
    missing,
    signal: interrupt.signal,
    totalSteps: steps,
    progress(done) {
      if (request.logFormat === 'json' || request.quiet) return;
      progress.update(done);
      lines.update(done);
    },
  };
  const began = performance.now();
  try {
    const result =
      missing.length === 0
        ? { made: 0, cancelled: false }
        : await runEngine(request, engineRequest, queueing, tell);
    progress.stop();
    await pipes.settled();
    const seconds = (performance.now() - began) / 1000;
    return await conclude(request, place, say, {
      ...result,
      todo,
      seconds,
      steps,
      code: interrupt.exitCode(),
    });
  } finally {
    progress.stop();
    interrupt.release();
    pipes.release();
  }
}

async function runEngine(
  request: SweepRequest,
  engine: EngineRequest,
  queueing: Queueing | undefined,
  say: (line: string) => void,
): Promise<EngineResult> {
  if (!queueing) {
    const { runLocally } = await import('./local-engine.ts');
    return runLocally({ ...engine, threads: request.threads });
  }
  const { redis, connection } = queueing;
  return redis.runDistributed({ ...engine, connection, detach: request.detach, say });
}

interface Outcome extends EngineResult {
  readonly todo: number;
  readonly steps: number;
  readonly seconds: number;
  readonly code: number | undefined;
}

async function conclude(
  { out, detach, share }: SweepRequest,
  place: FolderSweep,
  say: Sayer,
  { todo, steps, seconds, code, cancelled, made }: Outcome,
): Promise<number> {
  const folder = sweepFolder(out);
  const { missing } = await sweepState(folder, place, share);
  const left = runsIn(place, missing);
  const done = { event: 'done', runs: todo - left, missing: left, seconds, cancelled };
  if (left > 0) {
    const why =
      code !== undefined
        ? 'interrupted'
        : cancelled
          ? 'cancelled'
          : detach
            ? 'handed over'
            : 'incomplete';
    say(
      done,
      `${why}: ${count(todo - left)} runs done now, ${count(left)} to do; the same command ` +
        'goes on from here',
    );
    if (code !== undefined) return code;
    return detach && !cancelled ? EXIT.done : EXIT.failure;
  }
  if (share[1] === 1) await clearPartials(folder);
  const speed = made > 0 ? ` (${rate(steps / seconds)} steps/s)` : '';
  say(done, `wrote ${folder.summary}: ${count(todo)} runs in ${duration(seconds)}${speed}`);
  return code ?? EXIT.done;
}

function startLine(
  { share: [index, of], engine, threads }: SweepRequest,
  { sweep, earlier }: FolderSweep,
  {
    shareRuns,
    todo,
    damaged,
    resumed,
  }: { shareRuns: number; todo: number; damaged: number; resumed: boolean },
): string {
  const where = engine.engine === 'embedded' ? plural(threads, 'thread') : 'workers of the queue';
  const which = of === 1 ? '' : ` of shard ${index} of ${of}`;
  const others =
    earlier.length === 0 ? '' : ' (those that the folder has from before are left as they are)';
  if (!resumed) return `sweep ${sweep.id}: ${count(shareRuns)} runs${which} on ${where}${others}`;
  const redo =
    damaged === 0 ? '' : `, ${damaged} damaged ${damaged === 1 ? 'part is' : 'parts are'} redone`;
  if (todo === 0)
    return `sweep ${sweep.id}: all ${count(shareRuns)} runs${which} are there already`;
  return (
    `sweep ${sweep.id}: resuming, ${count(shareRuns - todo)} of ${count(shareRuns)} ` +
    `runs${which} are there already, ${count(todo)} to do on ${where}${redo}`
  );
}

function range(from: number, to: number, step: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.ceil((to - from) / step)) },
    (_, i) => from + i * step,
  );
}
