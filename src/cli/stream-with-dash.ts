import { UsageError } from './errors.ts';
import { streamRun as run, type StreamRequest } from './stream-run.ts';
import { DASH_FLUSH_EVERY, withDash } from './with-dash.ts';

/**
 * Carries out `eos stream --dash`: the dashboard shows the run while it grows, and stays until
 * Ctrl-C.
 */
export async function streamRun(request: StreamRequest): Promise<number> {
  const file = request.out ?? request.resume;
  if (file === undefined || request.dryRun) {
    throw new UsageError(
      '--dash: there is no file to show; give --out FILE.parquet and leave out --dry-run',
    );
  }
  return withDash({ file, quiet: request.quiet }, () =>
    run({ ...request, flushEvery: Math.min(request.flushEvery, DASH_FLUSH_EVERY) }),
  );
}
