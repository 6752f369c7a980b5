import { spawnSync } from 'node:child_process';

/**
 * The tests run the command as users do, from dist: make sure that it is built from these sources.
 */
export default function build(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.js'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed; its messages stand above');
}
