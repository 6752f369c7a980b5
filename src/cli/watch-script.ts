import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { UsageError } from './errors.ts';

/** Told to the script, so that eos_watch says in that file which log it writes. */
const NOTE_VARIABLE = 'EOS_WATCH_NOTE';

export interface Script {
  /** Aborts when the script has ended, so that its log is read to the end and no further. */
  readonly ended: AbortSignal;
  /** Exit code of the script; 128 and the number of the signal that ended it. */
  readonly code: Promise<number>;
  /** Ends the script, where it has not ended by itself. */
  stop(): void;
}

/** Starts a training script whose lines come as they are printed. */
export function startScript(command: readonly string[], note: string): Script {
  const [program, ...args] = command;
  const child = spawn(program!, args, {
    stdio: 'inherit',
    env: { ...process.env, PYTHONUNBUFFERED: '1', [NOTE_VARIABLE]: note },
  });
  const ended = new AbortController();
  const code = new Promise<number>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such program' : error.message;
      reject(
        new UsageError(`${program}: ${why}; name it behind --, as in eos watch -- python train.py`),
      );
    });
    child.on('exit', (status, signal) =>
      resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)),
    );
  }).finally(() => ended.abort());
  return { ended: ended.signal, code, stop: () => stop(child) };
}

function stop(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}
