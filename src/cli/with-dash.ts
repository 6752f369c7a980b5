import { startDashServer } from './dash-server/dash-server.ts';
import { openBrowser } from './dash-server/serve.ts';
import { EXIT } from './errors.ts';
import { onInterrupt } from './interrupt.ts';

/** The page is to show new rows within two seconds. */
export const DASH_FLUSH_EVERY = 1000;

export interface WithDash {
  /** The run file that `work` writes. */
  readonly file: string;
  readonly quiet: boolean;
  readonly open?: boolean;
}

/**
 * Shows a file in the dashboard while it is written, and until Ctrl-C; answers with the exit code
 * of the work.
 */
export async function withDash(
  { file, quiet, open = false }: WithDash,
  work: () => Promise<number>,
): Promise<number> {
  const server = await startDashServer({ files: [file], waitForFiles: true });
  // From here to the end: a Ctrl-C at the last line of the work is one to the dashboard.
  const interrupt = onInterrupt(() => {});
  const say = (line: string) => {
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  try {
    say(`dashboard: ${server.url}`);
    if (open) openBrowser(server.url);
    const code = await work();
    if (code !== EXIT.done) return code;
    say(`the dashboard stays at ${server.url} (Ctrl-C ends it)`);
    await interrupt.stopped;
    return code;
  } finally {
    interrupt.release();
    await server.close();
  }
}
