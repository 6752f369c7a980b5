import { constants } from 'node:os';

export interface Interrupt {
  /**
   * Aborts at the first SIGHUP, SIGINT or SIGTERM, so that what is under way can be closed
   * properly.
   */
  readonly signal: AbortSignal;
  /** Resolves then. */
  readonly stopped: Promise<void>;
  /** 129, 130 or 143 once that has happened, else undefined. */
  exitCode(): number | undefined;
  /** Gives the signals back. */
  release(): void;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Exit code of the signal that has come, while anybody listens. */
let noted: number | undefined;
let listeners = 0;

/**
 * First Ctrl-C (or SIGTERM, or a terminal that is closed): ask to stop. Second: end at once. One
 * that came to a listener that still stands is known to those that follow it: nothing is lost
 * between two parts of a command.
 */
export function onInterrupt(notice: () => void): Interrupt {
  const controller = new AbortController();
  const stopped = new Promise<void>((resolve) =>
    controller.signal.addEventListener('abort', () => resolve()),
  );
  let code = noted;
  if (code !== undefined) controller.abort();
  const handler = (name: NodeJS.Signals) => {
    const exit = 128 + constants.signals[name];
    if (code !== undefined) process.exit(exit);
    code = exit;
    noted = exit;
    notice();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handler);
  listeners++;
  let listens = true;
  return {
    signal: controller.signal,
    stopped,
    exitCode: () => code,
    release() {
      for (const name of SIGNALS) process.off(name, handler);
      if (listens && --listeners === 0) noted = undefined;
      listens = false;
    },
  };
}
