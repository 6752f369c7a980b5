import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

/** Packages that are asked for together, apart from those that draw figures. */
const APART = [['bullmq', 'ioredis'], ['parquetjs-lite']];

/**
 * One line on how to install what an `import` did not find. The library installs without the
 * packages that only the commands use: they are optional peers.
 *
 * @returns undefined where the error is another one, or the package none of ours
 */
export function missingPackage(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  const name = /^Cannot find (?:package|module) '([^']+)'/.exec(message)?.[1];
  const manifest = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  const { peerDependencies: peers } = JSON.parse(manifest) as {
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  if (name === undefined || !(name in peers)) return undefined;
  const apart = APART.find((group) => group.includes(name));
  const wanted = apart ?? Object.keys(peers).filter((peer) => !APART.flat().includes(peer));
  const list = wanted.map((peer) => `${peer}@${peers[peer]}`).join(' ');
  return `${name} is not installed; install what this needs with: npm install ${list}`;
}
