import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onInterrupt } from '../interrupt.ts';
import { packageRoot } from '../package-root.ts';
import { isLoopback } from './access.ts';
import { type DashServerOptions, startDashServer } from './dash-server.ts';

const PLAIN =
  'plain HTTP: others on the network can read what is sent, and the token; through ssh -L ' +
  'they cannot';

/** Carries out `eos dash serve` until it is interrupted; Ctrl-C is how it is meant to end. */
export async function serveDash({
  open,
  query,
  ...options
}: DashServerOptions & { readonly open: boolean; readonly query?: string }): Promise<number> {
  const sample = join(packageRoot, 'data');
  const files = options.files.length > 0 || !existsSync(sample) ? options.files : [sample];
  const server = await startDashServer({ ...options, files });
  const interrupt = onInterrupt(() => {});
  // Only now: who reads this line may send the signal at once.
  const url = query === undefined ? server.url : `${server.url}?${query}`;
  process.stdout.write(
    [
      `dashboard: ${url} (Ctrl-C ends it)`,
      ...server.forOthers.map((address) => `from other computers: ${address}`),
      ...(isLoopback(options.host ?? '127.0.0.1') ? [] : [PLAIN]),
      '',
    ].join('\n'),
  );
  if (open) openBrowser(url);
  await interrupt.stopped;
  interrupt.release();
  await server.close();
  return 0;
}

/**
 * Asks the system to open an address; where it cannot, the printed one is still there to be
 * clicked.
 */
export function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['explorer', url]
        : ['xdg-open', url];
  const child = spawn(command!, args, { stdio: 'ignore', detached: true });
  child.on('error', () =>
    process.stderr.write(`no browser could be started (${command}); open the address yourself\n`),
  );
  child.unref();
}
