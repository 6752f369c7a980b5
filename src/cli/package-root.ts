import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, from the sources and from what is built of them alike. */
export const packageRoot = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/** A program of the package that runs beside the command, as a process or a thread of its own. */
export const ownProgram = (name: string): string => join(packageRoot, 'dist', 'eos', `${name}.cjs`);
