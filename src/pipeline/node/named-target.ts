import { lstat, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ByteTarget, NamedOptions } from '../formats/byte-target.ts';
import { openTable } from '../formats/open-table.ts';
import { FileRefusedError, fileTarget, PARTIAL } from './file-target.ts';
import { JOURNAL } from './journal.ts';
import { pathSource } from './path-source.ts';

/** What attempts of this very process have left: the next attempt may begin anew. */
const leftHere = new Set<string>();

/**
 * The file of this name, for one subscription. It replaces a run or a log that eos has written, and
 * nothing else.
 *
 * @param options.force replace whatever stands there, and what a program has left of it
 */
export function namedTarget(path: string, { force = false }: NamedOptions = {}): ByteTarget {
  const target = fileTarget(path);
  const name = resolve(path);
  let opening: Promise<void> | undefined;
  const opened = () => {
    opening ??= checkPlace(path)
      .then(() => (force ? undefined : checkReplaced(path, name)))
      .then(() => target.open());
    return opening;
  };
  return {
    async write(bytes, footer) {
      await opened();
      await target.write(bytes, footer);
    },
    async flush(closing) {
      await opened();
      await target.flush(closing);
    },
    async commit() {
      await opened();
      await target.commit();
      leftHere.delete(name);
    },
    async abort() {
      const begun = await opening?.then(
        () => true,
        () => false,
      );
      if (!begun) return;
      leftHere.add(name);
      await target.abort();
    },
  };
}

async function checkPlace(path: string): Promise<void> {
  const folder = await stat(dirname(resolve(path))).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new FileRefusedError(`${path}: there is no folder ${dirname(path)}; create it first`);
  }
  const there = await lstat(path).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new FileRefusedError(`${path} is a folder; name a file in it`);
  }
  if (there && !there.isFile()) {
    throw new FileRefusedError(`${path} is not a regular file; give another name`);
  }
}

async function checkReplaced(path: string, name: string): Promise<void> {
  const partial = path + PARTIAL;
  if (!leftHere.has(name) && (await exists(partial + JOURNAL))) {
    throw new FileRefusedError(
      `${partial} holds rows of a run that did not end; get them with eos recover ${partial}, ` +
        'or give { force: true } to lose them',
    );
  }
  if (!(await exists(path))) return;
  const table = await pathSource(path)
    .then(openTable)
    .catch(() => undefined);
  if (table?.metadata['eos.config'] !== undefined) return;
  throw new FileRefusedError(
    `${path} exists and was not written by eos; give another name, or { force: true } to ` +
      'replace it',
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
