import { type ChildProcess, fork } from 'node:child_process';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import { DamagedFileError, UnsupportedFileError } from '../../pipeline/formats/file-errors.ts';
import type { FeedOptions, LogSource } from '../../pipeline/sources/training-log/feed.ts';
import { LogError, type Tally } from '../../pipeline/sources/training-log/log-error.ts';
import type { RowTaker } from '../../pipeline/sources/training-log/row-block.ts';
import { UsageError } from '../errors.ts';
import { ownProgram } from '../package-root.ts';
import type { Job } from './job.ts';
import { heapFlags, whyEnded } from './limits.ts';
import {
  type Call,
  type Counted,
  type Reply,
  TOLD_EVERY,
  type ToldError,
  unpacked,
} from './messages.ts';
import type { TableInPieces } from './pieces.ts';
import type { Reading } from './reading.ts';

/**
 * Reads files in a process of its own, which ends where it takes more memory or time than a sound
 * file can ask for.
 */
export const inReader: Reading = {
  openTable,
  checkIntegrity: (path) => asked(tableReader(), { check: path }, 'checked'),
  async job<Call extends readonly unknown[], Made>(
    what: string,
    { name }: Job<Call, Made>,
    ...call: Call
  ) {
    try {
      return (await tableReader().ask({ job: name, with: call }, 'done')) as Made;
    } catch (error) {
      throw ended(error, (why) => new UsageError(`${what}: ${why}`));
    }
  },
  prepareLog(paths) {
    prepared = startReader(paths.includes('-'));
  },
  async openLog(paths, { follow = false, signal, until, onWait }) {
    const reader = prepared ?? startReader(paths.includes('-'));
    prepared = undefined;
    const letGo = () => reader.end();
    if (signal?.aborted) letGo();
    signal?.addEventListener('abort', letGo, { once: true });
    try {
      await reader.ask({ log: paths, follow }, 'ready', (reply) => {
        if ('waits' in reply) onWait?.();
      });
    } catch (error) {
      throw ended(error, (why) => new LogError(why));
    }
    const told = () => reader.tell({ until: true });
    if (until?.aborted) told();
    until?.addEventListener('abort', told, { once: true });
    return {
      name: paths[0] === '-' ? 'stdin' : paths[0]!,
      feed: fedBy(reader, signal, onWait),
    } satisfies LogSource;
  },
};

/** The process that will read the log of this command. */
let prepared: Reader | undefined;

/** The process that reads tables: one for all of a command. */
let tables: Reader | undefined;

async function asked<K extends keyof Answers>(
  reader: Reader,
  call: Call,
  key: K,
): Promise<Answers[K]> {
  try {
    return await reader.ask(call, key);
  } catch (error) {
    throw ended(error, (why) => new UnsupportedFileError(why));
  }
}

function tableReader(): Reader {
  if (!tables?.alive) tables = startReader(false);
  return tables;
}

async function openTable(path: string): Promise<TableInPieces> {
  const reader = tableReader();
  const { table, groups, ...head } = await asked(reader, { open: path }, 'opened');
  return {
    ...head,
    groups: Array.from({ length: groups.length / 3 }, (_, g) => ({
      rows: groups[3 * g]!,
      start: groups[3 * g + 1]!,
      end: groups[3 * g + 2]!,
      bounds: unknownBounds,
    })),
    async read(fields, group, from) {
      const call = { table, fields, group, from };
      const { length, columns } = await asked(reader, { read: call }, 'piece');
      return { length, columns: columns.map(unpacked) };
    },
  };
}

const unknownBounds = () => undefined;

/** What replies hold, by their only key. */
type Answers = {
  [R in Reply as Exclude<keyof R, 'counted'> & string]: R extends Record<
    Exclude<keyof R, 'counted'> & string,
    infer V
  >
    ? V
    : never;
};

/** The process has ended before it was told to. */
class ReaderEndedError extends Error {}

interface Reader {
  readonly alive: boolean;
  tell(call: Call): void;
  /**
   * The next reply; `undefined` once the process was told to end. @throws what the reader tells of
   */
  next(): Promise<Reply | undefined>;
  /** Asks and waits for the answer of this kind. */
  ask<K extends keyof Answers>(
    call: Call,
    key: K,
    other?: (reply: Reply) => void,
  ): Promise<Answers[K]>;
  end(): void;
}

/** @param piped whether it reads the standard input of this process */
function startReader(piped: boolean): Reader {
  const debug = process.env.EOS_DEBUG;
  const child = fork(ownProgram('reader/reader-process'), [], {
    execArgv: [...process.execArgv, ...heapFlags()],
    serialization: 'advanced',
    stdio: [piped ? 'inherit' : 'ignore', 'ignore', debug ? 'inherit' : 'ignore', 'ipc'],
  });
  const replies: Reply[] = [];
  let over: Error | undefined;
  let left = false;
  let wake: (() => void) | undefined;
  child.on('message', (reply: Reply) => {
    replies.push(reply);
    wake?.();
  });
  child.on('error', (error) => {
    over ??= error;
    wake?.();
  });
  child.on('exit', (_code, signal) => {
    over ??= new ReaderEndedError(whyEnded(signal));
    wake?.();
  });
  // A reader that waits keeps no command alive.
  const hold = (held: boolean) => holdProcess(child, held);
  hold(false);

  const next = async (): Promise<Reply | undefined> => {
    while (replies.length === 0 && !over && !left) {
      hold(true);
      await new Promise<void>((resolve) => (wake = resolve));
      hold(false);
    }
    const reply = replies.shift();
    if (reply && 'error' in reply) throw revived(reply.error);
    if (!reply && over && !left) throw over;
    return reply;
  };
  const tell = (call: Call) => {
    if (child.connected) child.send(call, () => {});
  };
  // One question at a time: the answers come in the order of the questions.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    get alive() {
      return !over && !left;
    },
    tell,
    next,
    ask<K extends keyof Answers>(call: Call, key: K, other?: (reply: Reply) => void) {
      const asked = turn.then(async () => {
        tell(call);
        for (;;) {
          const reply = await next();
          if (reply && key in reply) return (reply as unknown as Answers)[key];
          if (!reply) throw new ReaderEndedError('it was given up');
          other?.(reply);
        }
      });
      turn = asked.catch(() => {});
      return asked;
    },
    end() {
      left = true;
      child.kill('SIGKILL');
      wake?.();
    },
  };
}

function holdProcess(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

/** The rows of a log that a reader has opened. */
function fedBy(reader: Reader, signal: AbortSignal | undefined, onWait: (() => void) | undefined) {
  return async function* (
    rows: RowTaker,
    tally: Tally,
    { format, given, pattern, found, said }: FeedOptions,
  ): AsyncGenerator<void> {
    reader.tell({ feed: { format, given, pattern } });
    let taken = 0;
    try {
      for (;;) {
        const reply = await reader.next();
        if (!reply || 'ended' in reply) return;
        if ('found' in reply) found(reply.found);
        else if ('said' in reply) said(reply.said);
        else if ('waits' in reply) onWait?.();
        else if ('rows' in reply) {
          giveBlock(reply, rows, tally);
          if (++taken % TOLD_EVERY === 0) reader.tell({ more: TOLD_EVERY });
          yield;
        }
      }
    } catch (error) {
      // A terminal's Ctrl-C may have reached a reader that was just starting.
      if (error instanceof ReaderEndedError && signal?.aborted) return;
      throw ended(error, (why) => new LogError(why));
    } finally {
      reader.end();
    }
  };
}

function giveBlock(
  { rows: block, counted }: Extract<Reply, { readonly rows: unknown }>,
  rows: RowTaker,
  tally: Tally,
): void {
  const { line } = block;
  const values = new Float64Array(block.columns.length).fill(Number.NaN);
  const columns = block.columns.flatMap((column, f) => (column ? [{ f, column }] : []));
  let next = 0;
  for (let i = 0; i <= block.length; i++) {
    for (; next < counted.length && counted[next]![0] === i; next++) count(tally, counted[next]!);
    if (i === block.length) return;
    for (const { f, column } of columns) values[f] = column[i]!;
    rows.row(line[i]!, values);
  }
}

function count(tally: Tally, counted: Counted): void {
  if (counted[1] === 'column') tally.column(counted[2], counted[3]);
  else tally[counted[1]](counted[2], counted[3]);
}

/** The error of a reader that is no more, in the words of those who asked it. */
function ended(error: unknown, tell: (why: string) => Error): unknown {
  return error instanceof ReaderEndedError ? tell(error.message) : error;
}

function revived({ name, message, code, path, parameter }: ToldError): Error {
  if (parameter !== undefined)
    return new ConfigError(parameter, message.slice(parameter.length + 2));
  if (name === 'UsageError') return new UsageError(message);
  if (name === 'LogError') return new LogError(message);
  if (name === 'UnsupportedFileError') return new UnsupportedFileError(message);
  if (name === 'DamagedFileError') return new DamagedFileError(message);
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code, path });
}
