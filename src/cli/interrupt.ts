import { EXIT } from './errors.ts';

export interface Interrupt {
  /** Aborts at the first SIGINT or SIGTERM, so that what is under way can be closed properly. */
  readonly signal: AbortSignal;
  /** 130 or 143 once that has happened, else undefined. */
  exitCode(): number | undefined;
  /** Gives the signals back. */
  release(): void;
}

/** First Ctrl-C (or SIGTERM): ask to stop. Second: end at once. */
export function onInterrupt(notice: () => void): Interrupt {
  const controller = new AbortController();
  let code: number | undefined;
  const handler = (name: NodeJS.Signals) => {
    const exit = name === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
    if (code !== undefined) process.exit(exit);
    code = exit;
    notice();
    controller.abort();
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    },
  };
}
