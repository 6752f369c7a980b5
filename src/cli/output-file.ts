import { access, constants, lstat, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { count } from '../pipeline/format.ts';
import { endingOf, saidFormat } from '../pipeline/formats/endings.ts';
import { jsonObject } from '../pipeline/formats/table-file.ts';
import { refuseAddress, UsageError } from './errors.ts';
import { reading } from './reader/reading.ts';
import { runFileMetadata } from './run-file.ts';

/** Bytes of a name to which the endings of locks and drafts can still be added. */
const LONGEST_NAME = 200;

/**
 * Refuses a name whose ending says another format than the one that is written. @throws UsageError
 */
function refuseEnding(flag: string, path: string, format: string): void {
  const said = saidFormat(path);
  if (said === undefined || said.format === format) return;
  const exported = ['csv', 'json', 'ndjson'].includes(said.format);
  const advice =
    said.format === 'arrow' && flag === 'out' && format === 'parquet'
      ? 'give Arrow files with --arrow'
      : 'name it ' +
        `${endingOf(format)}${exported ? `, and make ${said.ending} of it with eos export` : ''}`;
  throw new UsageError(
    `--${flag}: ${path} ends in ${said.ending}, but what is written is ${format}; ${advice}`,
  );
}

/** What stands under a name and may be replaced. */
export interface Replace {
  /** Whatever it is. */
  readonly force: boolean;
  /** The same run of fewer steps too, and what an interrupt has left of it. */
  readonly lengthened?: boolean;
}

/**
 * Makes sure, before anything is computed, that a run may be written to `path`: its folder exists
 * and may be written to, it is no folder, link or device itself, and what stands there is nothing,
 * or a whole run of the very same parameters, or `force` was given.
 *
 * @param config the parameters of the run; undefined for what is no run, which replaces nothing by
 * itself
 * @param format what is written; the ending of the name must not say another
 */
export async function checkOutput(
  flag: string,
  path: string,
  config: object | undefined,
  { force, lengthened = false }: Replace,
  format = flag === 'arrow' ? 'arrow' : 'parquet',
): Promise<void> {
  refuseAddress(flag, path);
  refuseEnding(flag, path, format);
  if (Buffer.byteLength(basename(path)) > LONGEST_NAME)
    throw new UsageError(
      `--${flag}: its name has ${count(Buffer.byteLength(basename(path)))} bytes; at most ` +
        `${LONGEST_NAME} leave room for the files beside it`,
    );
  const folder = await stat(dirname(resolve(path))).catch(() => undefined);
  if (!folder)
    throw new UsageError(`--${flag}: the folder of ${path} does not exist; create it first`);
  if (!folder.isDirectory()) throw new UsageError(`--${flag}: ${dirname(path)} is not a folder`);
  await access(dirname(resolve(path)), constants.W_OK | constants.X_OK).catch(() => {
    throw new UsageError(
      `--${flag}: the folder of ${path} may not be written to; choose another, or change its mode`,
    );
  });
  if (!force && config) await checkLeftover(flag, path, config, lengthened);
  const there = await lstat(path).catch(() => undefined);
  if (!there) return;
  const target = there.isSymbolicLink() ? await stat(path).catch(() => undefined) : there;
  if (target?.isDirectory())
    throw new UsageError(`--${flag}: ${path} is a folder; name a file in it`);
  // A whole file is renamed into place, which would put it there instead of what a link leads to,
  // or of a device.
  if (there.isSymbolicLink())
    throw new UsageError(`--${flag}: ${path} is a link; name the file that it shall lead to`);
  if (!there.isFile()) {
    throw new UsageError(`--${flag}: ${path} is no regular file; give another name`);
  }
  if (force) return;
  if (!config)
    throw new UsageError(
      `--${flag}: ${path} exists already; give another name, or --force to replace it`,
    );
  const metadata = await runFileMetadata(path);
  if (metadata && (await isSameRun(metadata, config, lengthened))) return;
  throw new UsageError(
    `--${flag}: ${path} exists and is not this very run; give another name, or --force to ` +
      'replace it',
  );
}

/** Rows that a program left when it died are not written over. */
async function checkLeftover(
  flag: string,
  path: string,
  config: object,
  lengthened: boolean,
): Promise<void> {
  const partial = `${path}.partial`;
  if (!(await stat(`${partial}.journal`).catch(() => undefined))) return;
  const { refuseIfLocked } = await import('../pipeline/node/lock.ts');
  await refuseIfLocked(path);
  const left = await reading()
    .openTable(partial)
    .catch(() => undefined);
  if (!left || left.rows === 0) return;
  if (lengthened && (await hasConfig(left.metadata, config, lengthened))) return;
  const held = `--${flag}: ${partial} holds ${count(left.rows)} rows of`;
  if (jsonObject(left.metadata['eos.config'])?.source === 'training-log') {
    // The log itself is there still: the same command reads it from its first line, and nothing is
    // lost.
    if (await hasConfig(left.metadata, config)) return;
    throw new UsageError(
      `${held} a log, of which the reading did not end; read it anew with --force, or keep ` +
        `these rows with eos recover ${partial}`,
    );
  }
  throw new UsageError(
    (await hasConfig(left.metadata, config))
      ? `${held} this very run, which did not end; go on with it: eos stream --resume ${path} ` +
          '(or --force to begin anew)'
      : `${held} another run that did not end; get them with eos recover, or --force to lose them`,
  );
}

async function isSameRun(
  metadata: Readonly<Record<string, string>>,
  config: object,
  lengthened: boolean,
): Promise<boolean> {
  try {
    const summary: unknown = JSON.parse(metadata['eos.summary'] ?? 'null');
    const whole =
      typeof summary === 'object' &&
      summary !== null &&
      'interrupted' in summary &&
      (lengthened || summary.interrupted === false);
    return whole && (await hasConfig(metadata, config, lengthened));
  } catch {
    return false;
  }
}

async function hasConfig(
  metadata: Readonly<Record<string, string>>,
  config: object,
  lengthened = false,
): Promise<boolean> {
  const { isDeepStrictEqual } = await import('node:util');
  try {
    const recorded = JSON.parse(metadata['eos.config'] ?? 'null') as object | null;
    const wanted = JSON.parse(JSON.stringify(config)) as { readonly steps?: unknown };
    const { steps } = wanted;
    return isDeepStrictEqual(lengthened && recorded ? { ...recorded, steps } : recorded, wanted);
  } catch {
    return false;
  }
}
