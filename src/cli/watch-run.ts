import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { detectRun } from './detect-run.ts';
import { EXIT, refuseAddress, UsageError } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { type Script, startScript } from './watch-script.ts';
import { DASH_FLUSH_EVERY, withDash } from './with-dash.ts';

export interface WatchRequest {
  /** The script and its arguments. */
  readonly command: readonly string[];
  /** The log that the script writes; undefined lets eos_watch tell it. */
  readonly log: string | undefined;
  readonly out: string | undefined;
  readonly dash: boolean;
  readonly open: boolean;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Milliseconds between two looks for the name of the log. */
const LOOK = 50;

const CTRL_C = 128 + constants.signals.SIGINT;

/**
 * Carries out `eos watch`: starts the script, follows its log, shows it; answers with the script's
 * exit code.
 */
export async function watchRun(request: WatchRequest): Promise<number> {
  if (request.command.length === 0) {
    throw new UsageError('name the script behind --, as in eos watch -- python train.py');
  }
  if (request.out !== undefined) refuseAddress('out', request.out);
  const folder = await mkdtemp(join(tmpdir(), 'eos-watch-'));
  const note = join(folder, 'log');
  // Before the script is there: its first line may be answered with a signal.
  const interrupt = onInterrupt(() => {});
  const script = startScript(request.command, note);
  // Who follows the log awaits it later; until then it may end badly.
  script.code.catch(() => {});
  try {
    const log =
      request.log ?? (await noted(note, AbortSignal.any([script.ended, interrupt.signal])));
    const interrupted = interrupt.exitCode();
    if (interrupted !== undefined) return await interruptedScript(script, interrupted);
    if (log === undefined) return await withoutLog(script.code);
    const out = request.out ?? `${basename(log, extname(log))}.parquet`;
    const follow = async () => {
      const detected = await detectRun(detectRequest(request, log, out, script.ended));
      return detected === EXIT.done ? script.code : interruptedScript(script, detected);
    };
    return request.dash
      ? await withDash({ file: out, quiet: request.quiet, open: request.open }, follow)
      : await follow();
  } finally {
    script.stop();
    await script.code.catch(() => {});
    interrupt.release();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Waits for the end of a script after a signal; a terminal's Ctrl-C went to it too, and it may be
 * saving its state.
 */
async function interruptedScript(script: Script, exitCode: number): Promise<number> {
  if (exitCode !== CTRL_C || !process.stdin.isTTY) script.stop();
  await script.code;
  return exitCode;
}

/** The log that eos_watch said it writes; undefined where the script ended without. */
async function noted(note: string, ended: AbortSignal): Promise<string | undefined> {
  for (;;) {
    // Looked at before the note is: a script may write it and end between the two.
    const over = ended.aborted;
    const text = await readFile(note, 'utf8').catch(() => '');
    const end = text.indexOf('\n');
    if (end > 0) return text.slice(0, end);
    if (over) return undefined;
    await sleep(LOOK, undefined, { signal: ended }).catch(() => {});
  }
}

async function withoutLog(code: Promise<number>): Promise<number> {
  const status = await code;
  if (status !== 0) return status;
  throw new UsageError(
    'the script ended without a log; write one with eos_watch (docs/watch.md), or name it ' +
      'with --log',
  );
}

function detectRequest(
  request: WatchRequest,
  log: string,
  out: string,
  until: AbortSignal,
): Parameters<typeof detectRun>[0] {
  return {
    log,
    eta: undefined,
    columns: {},
    format: undefined,
    stride: undefined,
    run: undefined,
    follow: true,
    until,
    optimizer: undefined,
    beta: undefined,
    band: undefined,
    detector: {},
    out,
    arrow: undefined,
    flushEvery: DASH_FLUSH_EVERY,
    force: request.force,
    logFormat: 'text',
    quiet: request.quiet,
  };
}
