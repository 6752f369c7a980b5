import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onInterrupt } from '../interrupt.ts';
import { type DashServerOptions, startDashServer } from './dash-server.ts';
import { packageRoot } from './page-files.ts';

/** Carries out `eos dash serve` until it is interrupted; Ctrl-C is how it is meant to end. */
export async function serveDash(options: DashServerOptions): Promise<number> {
  const sample = join(packageRoot(), 'data');
  const files = options.files.length > 0 || !existsSync(sample) ? options.files : [sample];
  const server = await startDashServer({ ...options, files });
  const interrupt = onInterrupt(() => {});
  const interrupted = new Promise<void>((resolve) => interrupt.signal.addEventListener('abort', () => resolve()));
  // Only now: who reads this line may send the signal at once.
  process.stdout.write(`dashboard: ${server.url} (Ctrl-C ends it)\n`);
  await interrupted;
  interrupt.release();
  await server.close();
  return 0;
}
