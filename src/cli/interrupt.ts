import { constants } from 'node:os';

export interface Interrupt {
  /**
   * Aborts at the first SIGHUP, SIGINT or SIGTERM, so that what is under way can be closed
   * properly.
   */
  readonly signal: AbortSignal;
  /** 129, 130 or 143 once that has happened, else undefined. */
  exitCode(): number | undefined;
  /** Gives the signals back. */
  release(): void;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** First Ctrl-C (or SIGTERM, or a terminal that is closed): ask to stop. Second: end at once. */
export function onInterrupt(notice: () => void): Interrupt {
  const controller = new AbortController();
  let code: number | undefined;
  const handler = (name: NodeJS.Signals) => {
    const exit = 128 + constants.signals[name];
    if (code !== undefined) process.exit(exit);
    code = exit;
    notice();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, handler);
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      for (const name of SIGNALS) process.off(name, handler);
    },
  };
}
