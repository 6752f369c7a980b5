import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recoverFile } from '../../src/cli/recover-file.ts';
import { checkIntegrity } from '../../src/pipeline/formats/integrity.ts';
import { pathSource } from '../../src/pipeline/node/path-source.ts';
import { openStored } from '../../src/pipeline/node/stored-file.ts';
import { cleanEnvironment, eos } from '../setup/eos.ts';
import { describeWith, part, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { fastFolder, lastFlushes } from './killed-run.ts';

/** States of the disk that are looked at of each run; a longer campaign asks for more. */
const STATES = Number(process.env.EOS_POWER_CUTS ?? 80);
/** Calls of the system at which a run is killed. */
const KILLS = Number(process.env.EOS_CALL_KILLS ?? 6);

const CALLS =
  'openat,rename,renameat2,link,linkat,unlink,unlinkat,write,pwrite64,ftruncate,fsync,fdatasync,copy_file_range';

interface Subject {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** What it reads, before it is started. */
  readonly inputs: Readonly<Record<string, string>>;
}

const log = `step,loss,sharpness\n${Array.from({ length: 40_000 }, (_, i) => `${i},${1 / (1 + i)},${10 + i / 2000}`).join('\n')}\n`;

const SUBJECTS: readonly Subject[] = [
  ...['parquet', 'arrow'].map((kind) => ({
    name: `stream to ${kind}`,
    file: `run.${kind}`,
    args: [
      ...['stream', '--out', 'run.parquet', '--arrow', 'run.arrow', '--steps', '140000'],
      ...['--pace', '100000', '--flush-every', '0.1', '--log-format', 'json'],
      ...['--columns', 'step,loss,phase'],
    ],
    inputs: {},
  })),
  {
    name: 'detect',
    file: 'run.parquet',
    args: [
      ...['detect', 'log.csv', '--eta', '0.1', '--out', 'run.parquet'],
      ...['--flush-every', '0', '--log-format', 'json'],
    ],
    inputs: { 'log.csv': log },
  },
];

/** One thing that a program did to the files of its folder, in the order in which it was done. */
type Deed =
  | { readonly kind: 'create' | 'truncated'; readonly file: string }
  | {
      readonly kind: 'write';
      readonly file: string;
      readonly at: number | null;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'cut'; readonly file: string; readonly length: number }
  | { readonly kind: 'move' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly file: string }
  /** Of a file, or of the folder: `since` is the number of deeds when it began. */
  | { readonly kind: 'sync'; readonly file: string; readonly since: number }
  /** Rows that were said to be safe. */
  | { readonly kind: 'said'; readonly text: string };

/** The bytes of a string as strace prints it. */
function bytesOf(quoted: string): Buffer {
  const plain = quoted.replace(/\\([0-7]{1,3}|[nrtvf"\\])/g, (_, code: string) => {
    const known = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f', '"': '"', '\\': '\\' }[code];
    return known ?? String.fromCharCode(Number.parseInt(code, 8));
  });
  return Buffer.from(plain, 'latin1');
}

/** What strace saw in a folder. */
function deedsOf(trace: string, folder: string): Deed[] {
  const deeds: Deed[] = [];
  const begun = new Map<string, { readonly text: string; readonly since: number }>();
  const local = (path: string) =>
    path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path === folder ? '' : path;
  for (const line of trace.split('\n')) {
    const [, pid, rest] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    if (pid === undefined || rest === undefined) continue;
    const unfinished = /^(.*) <unfinished \.\.\.>$/s.exec(rest);
    if (unfinished) {
      begun.set(pid, { text: unfinished[1]!, since: deeds.length });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(rest);
    const before = begun.get(pid);
    const call = resumed && before ? before.text + resumed[1]! : rest;
    const since = resumed && before ? before.since : deeds.length;
    const match = /^(\w+)\((.*)\) += (-?\d+)/s.exec(call);
    if (!match || Number(match[3]) < 0) continue;
    const [, name, args] = match as unknown as [string, string, string];
    const file = /^\d+<([^>]*)>/.exec(args)?.[1];
    const names = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text]) => text!);
    if (name === 'write' || name === 'pwrite64') {
      if (file === undefined) continue;
      const bytes = bytesOf(names[0] ?? '').subarray(0, Number(match[3]));
      if (/^1</.test(args)) deeds.push({ kind: 'said', text: bytes.toString('utf8') });
      else if (file.startsWith(`${folder}/`)) {
        const at = name === 'write' ? null : Number(/, (\d+)$/.exec(args)![1]);
        deeds.push({ kind: 'write', file: local(file), at, bytes });
      }
    } else if (name === 'ftruncate' && file?.startsWith(`${folder}/`)) {
      deeds.push({ kind: 'cut', file: local(file), length: Number(/(\d+)$/.exec(args)![1]) });
    } else if ((name === 'fsync' || name === 'fdatasync') && file?.startsWith(folder)) {
      deeds.push({ kind: 'sync', file: local(file), since });
    } else if (name === 'openat' && args.includes('O_CREAT')) {
      const target = /= \d+<([^>]*)>/.exec(call)?.[1] ?? '';
      if (!target.startsWith(`${folder}/`)) continue;
      deeds.push({ kind: args.includes('O_TRUNC') ? 'truncated' : 'create', file: local(target) });
    } else if (/^(rename|link)/.test(name) && names.length === 2) {
      const [from, to] = names.map((path) => local(path!)) as [string, string];
      if (!from.startsWith('/'))
        deeds.push({ kind: name.startsWith('link') ? 'link' : 'move', from, to });
    } else if (/^unlink/.test(name) && !local(names[0]!).startsWith('/')) {
      deeds.push({ kind: 'remove', file: local(names[0]!) });
    }
  }
  return deeds;
}

interface Inode {
  content: Buffer;
  /** Where the next `write` without a place goes. */
  end: number;
}

/**
 * What may be on the disk when the power goes after `count` deeds. What was synced is there; of
 * what was written since, each piece may be or not, and one may be torn; of names that changed
 * since the folder was synced, any number of the first changes may be there.
 */
function diskAfter(
  deeds: readonly Deed[],
  count: number,
  dice: () => number,
): ReadonlyMap<string, Buffer> {
  const done = deeds.slice(0, count);
  /** Until which deed all is safe, of each file and of the names in the folder. */
  const safe = new Map<number, number>();
  let names = 0;
  // Inodes by number: a name that is made anew is another file.
  const follow = () => {
    const table = new Map<string, number>();
    let next = 0;
    return {
      table,
      apply(deed: Deed): number | undefined {
        if (deed.kind === 'create' || deed.kind === 'truncated') {
          if (!table.has(deed.file)) table.set(deed.file, next++);
          return table.get(deed.file);
        }
        if (deed.kind === 'move' || deed.kind === 'link') {
          const inode = table.get(deed.from);
          if (inode === undefined) return undefined;
          table.set(deed.to, inode);
          if (deed.kind === 'move') table.delete(deed.from);
          return inode;
        }
        if (deed.kind === 'remove') {
          const inode = table.get(deed.file);
          table.delete(deed.file);
          return inode;
        }
        return 'file' in deed ? table.get(deed.file) : undefined;
      },
    };
  };
  const first = follow();
  const inodes = done.map((deed) => first.apply(deed));
  for (const [i, deed] of done.entries()) {
    if (deed.kind !== 'sync') continue;
    if (deed.file === '') names = Math.max(names, deed.since);
    else if (inodes[i] !== undefined) safe.set(inodes[i]!, deed.since);
  }
  const isNaming = ({ kind }: Deed) =>
    ['create', 'truncated', 'move', 'link', 'remove'].includes(kind);
  const changes = done.flatMap((deed, i) => (i >= names && isNaming(deed) ? [i] : []));
  const keptNames = changes.slice(0, Math.floor(dice() * (changes.length + 1)));
  const lastName = keptNames.at(-1) ?? names - 1;
  const table = follow();
  for (const [i, deed] of done.entries())
    if (isNaming(deed) && i <= Math.max(lastName, names - 1)) table.apply(deed);

  const mode = dice();
  const contents = new Map<number, Inode>();
  for (const [i, deed] of done.entries()) {
    const inode = inodes[i];
    if (inode === undefined) continue;
    const data = contents.get(inode) ?? { content: Buffer.alloc(0), end: 0 };
    contents.set(inode, data);
    const lost = i >= (safe.get(inode) ?? 0) && (mode < 0.25 || (mode < 0.75 && dice() < 0.5));
    if (deed.kind === 'truncated' && !lost) data.content = Buffer.alloc(0);
    if (deed.kind === 'cut' && !lost) data.content = resized(data.content, deed.length);
    if (deed.kind !== 'write') continue;
    const at = deed.at ?? data.end;
    data.end = at + deed.bytes.length;
    if (lost) continue;
    const torn = i >= (safe.get(inode) ?? 0) && dice() < 0.2;
    const bytes = torn
      ? deed.bytes.subarray(0, Math.floor(dice() * deed.bytes.length))
      : deed.bytes;
    if (data.content.length < at + bytes.length)
      data.content = resized(data.content, at + bytes.length);
    bytes.copy(data.content, at);
  }
  return new Map(
    [...table.table].map(([name, inode]) => [
      name,
      contents.get(inode)?.content ?? Buffer.alloc(0),
    ]),
  );
}

function resized(content: Buffer, length: number): Buffer {
  const next = Buffer.alloc(length);
  content.copy(next, 0, 0, Math.min(length, content.length));
  return next;
}

/** Numbers from 0 to 1, the same for each seed. */
function diceOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Rows that can be had of a file, whole or partial. */
async function rowsIn(folder: string, file: string): Promise<number> {
  const path = join(folder, file);
  if (existsSync(`${path}.partial`)) {
    try {
      const { rows } = await recoverFile(`${path}.partial`, `${path}.recovered`, true);
      const found = await checkIntegrity(await pathSource(`${path}.recovered`));
      expect(found).toMatchObject({ covered: true, problems: [] });
      return rows;
    } catch (error) {
      expect((error as Error).message).toMatch(/nothing can be recovered/);
    }
  }
  if (!existsSync(path)) return 0;
  const stored = await openStored(path);
  await stored.close();
  return stored.groups.reduce((sum, group) => sum + group.rows, 0);
}

function traced(subject: Subject, folder: string, options: readonly string[]) {
  for (const [name, content] of Object.entries(subject.inputs))
    writeFileSync(join(folder, name), content);
  const command = [process.execPath, join(root, 'bin/run.js'), ...subject.args];
  const child = spawn(part('strace'), ['-f', ...options, '-e', `trace=${CALLS}`, ...command], {
    cwd: folder,
    env: { ...cleanEnvironment(), UV_USE_IO_URING: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return new Promise<string>((resolve) => child.on('close', () => resolve(stdout)));
}

describeWith(['strace'], 'what was said to be safe is there', () => {
  test.each(SUBJECTS)('$name: after a power cut at any moment', async (subject) => {
    const folder = fastFolder();
    const trace = join(fastFolder(), 'trace');
    await traced(subject, folder, ['-y', '-s', '20000000', '-o', trace]);
    const deeds = deedsOf(readFileSync(trace, 'latin1'), folder);
    const flushes = deeds.filter((deed) => deed.kind === 'said' && deed.text.includes('"flush"'));
    expect(flushes.length).toBeGreaterThan(0);
    const disk = join(fastFolder(), 'disk');
    let acknowledged = 0;
    for (let state = 0; state < STATES; state++) {
      const count = Math.floor(((state + 1) * deeds.length) / STATES);
      const files = diskAfter(deeds, count, diceOf(state));
      removeFolder(disk);
      mkdirSync(disk);
      for (const [name, content] of files)
        if (!name.includes('.lock')) writeFileSync(join(disk, name), content);
      const said = deeds.slice(0, count).map((deed) => (deed.kind === 'said' ? deed.text : ''));
      const safe = lastFlushes(said.join('')).get(subject.file) ?? 0;
      const rows = await rowsIn(disk, subject.file);
      expect([state, rows >= safe, rows, safe]).toEqual([state, true, rows, safe]);
      acknowledged += safe;
    }
    expect(acknowledged).toBeGreaterThan(0);
  });

  test.each(SUBJECTS)(
    '$name: killed at one call of the system after the other',
    async (subject) => {
      const partial = `${subject.file}.partial`;
      let killed = 0;
      for (let k = 0; k < KILLS; k++) {
        const call = ['pwrite64', 'fdatasync', 'rename', 'ftruncate', 'write', 'fsync'][k % 6]!;
        const folder = fastFolder();
        const paths = [partial, `${partial}.journal`, `${partial}.journal.new`, '.'].flatMap(
          (path) => ['-P', join(folder, path)],
        );
        const when = 1 + Math.floor(k / 2);
        const stdout = await traced(subject, folder, [
          ...['-o', '/dev/null', ...paths],
          ...['-e', `inject=${call}:signal=KILL:when=${when}`],
        ]);
        const safe = lastFlushes(stdout).get(subject.file) ?? 0;
        if (existsSync(join(folder, partial))) killed++;
        const rows = await rowsIn(folder, subject.file);
        expect([call, when, rows >= safe, rows, safe]).toEqual([call, when, true, rows, safe]);
      }
      expect(killed).toBeGreaterThan(0);
    },
  );

  test.each([
    [
      'figures',
      ['figures', '--run', 'run.parquet', '--out', 'out', '--only', '1', '--format', 'svg'],
    ],
    ['a dashboard', ['dash', 'build', '--data', 'run.parquet', '--out', 'out']],
    [
      'a dashboard in one file',
      ['dash', 'build', '--data', 'run.parquet', '--out', 'out.html', '--single-file'],
    ],
  ])('%s is flushed before it gets its name, and the name after', async (_, args) => {
    const folder = fastFolder();
    const run = await eos(['stream', '--out', 'run.parquet', '--steps', '50', '--quiet'], {
      cwd: folder,
    });
    expect(run.code).toBe(0);
    const trace = join(fastFolder(), 'trace');
    const subject = { name: '', file: '', args, inputs: {} };
    await traced(subject, folder, ['-y', '-s', '64', '-o', trace]);
    const deeds = deedsOf(readFileSync(trace, 'latin1'), folder);
    const moves = deeds.flatMap((deed, i) => (deed.kind === 'move' ? [{ ...deed, i }] : []));
    expect(moves.length).toBeGreaterThan(0);
    for (const { from, to, i } of moves) {
      const written = deeds
        .slice(0, i)
        .flatMap((deed) =>
          (deed.kind === 'write' || deed.kind === 'truncated') && deed.file.startsWith(from)
            ? [deed.file]
            : [],
        );
      const synced = (file: string, at: readonly Deed[]) =>
        at.some((deed) => deed.kind === 'sync' && deed.file === file);
      expect(written.length).toBeGreaterThan(0);
      for (const file of written)
        expect([file, synced(file, deeds.slice(0, i))]).toEqual([file, true]);
      const parent = to.includes('/') ? to.slice(0, to.lastIndexOf('/')) : '';
      expect([to, synced(parent, deeds.slice(i))]).toEqual([to, true]);
    }
  });
});
