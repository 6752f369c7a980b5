import { startDashServer } from './dash-server/dash-server.ts';
import { EXIT, UsageError } from './errors.ts';
import { onInterrupt } from './interrupt.ts';
import { streamRun as run, type StreamRequest } from './stream-run.ts';

/** The page is to show new rows within two seconds. */
const FLUSH_EVERY = 1000;

/** Carries out `eos stream --dash`: the dashboard shows the run while it grows, and stays until Ctrl-C. */
export async function streamRun(request: StreamRequest): Promise<number> {
  const file = request.out ?? request.resume;
  if (file === undefined || request.dryRun) {
    throw new UsageError(
      '--dash: there is no file to show; give --out FILE.parquet and leave out --dry-run',
    );
  }
  const server = await startDashServer({ files: [file], waitForFiles: true });
  const say = (line: string) => {
    if (!request.quiet) process.stderr.write(`${line}\n`);
  };
  try {
    say(`dashboard: ${server.url}`);
    const code = await run({
      ...request,
      flushEvery: Math.min(request.flushEvery, FLUSH_EVERY),
    });
    if (code !== EXIT.done) return code;
    const interrupt = onInterrupt(() => {});
    say(`the dashboard stays at ${server.url} (Ctrl-C ends it)`);
    await new Promise<void>((resolve) =>
      interrupt.signal.addEventListener('abort', () => resolve()),
    );
    interrupt.release();
    return code;
  } finally {
    await server.close();
  }
}
