/** Thrown where the only reader of a run has seen enough, such as `head`: no news to anybody. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

/**
 * Watches what a command prints, for those that must not end in the middle when nobody reads it any
 * more.
 */
export interface Pipes {
  /**
   * @throws what went wrong with an output; `ReaderGone` where a reader has left and nothing else
   * is written
   */
  check(): void;
  /** Waits until what was printed has gone, or failed to. @throws as `check` */
  settled(): Promise<void>;
  /**
   * Takes bytes for standard output, and waits for its reader; drops them where that one is gone.
   */
  print(bytes: Uint8Array | string): Promise<void>;
  release(): void;
}

/**
 * A reader that goes away ends no work that also goes into a file; any other trouble, such as a
 * full disk, does.
 * @param alone whether what is printed is all that the command makes
 */
export function watchPipes(alone: boolean): Pipes {
  let broken: Error | undefined;
  let gone = false;
  let wake = () => {};
  const note = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') broken ??= error;
    else if (alone) broken ??= new ReaderGone('the reader of the output is gone');
  };
  const leave = () => {
    gone = true;
    wake();
  };
  process.stdout.on('error', note);
  process.stdout.on('error', leave);
  process.stderr.on('error', note);
  return {
    check() {
      if (broken) throw broken;
    },
    async settled() {
      for (const stream of [process.stdout, process.stderr]) {
        if (!stream.destroyed) await new Promise<void>((done) => stream.write('', () => done()));
      }
      // The error of a write is told after its callback.
      await new Promise((done) => setImmediate(done));
      if (broken) throw broken;
    },
    async print(bytes) {
      if (gone || process.stdout.write(bytes)) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        process.stdout.once('drain', resolve);
      });
    },
    release() {
      // What is still on its way to a reader that has left fails later, and is no news either.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
      process.stdout.off('error', leave);
      process.stdout.off('error', note);
      process.stderr.off('error', note);
    },
  };
}
