import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { packageRoot } from '../package-root.ts';

/** Folder of the built page. */
export const pageFolder = (): string => join(packageRoot, 'dist', 'page');

/** The built page's files by the path under which they are asked for. */
export function pageFiles(folder = pageFolder()): ReadonlyMap<string, string> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new Error('the dashboard is not built; run npm run build in the folder of eos');
  }
  // The server gives files by their real paths alone; an installed package may stand behind a link.
  const real = realpathSync.native(folder);
  const files = readdirSync(real, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [relative(real, file).split(sep).join('/'), file]));
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.parquet': 'application/vnd.apache.parquet',
  '.arrow': 'application/vnd.apache.arrow.file',
};

export const contentType = (path: string): string =>
  TYPES[extname(path)] ?? 'application/octet-stream';
