import { execFileSync } from 'node:child_process';
import { root } from './parts.ts';

/** Vitest global setup: tests run the command as users do, from dist, so dist must not be older than src. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
