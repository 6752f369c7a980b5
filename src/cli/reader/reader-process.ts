import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import type { TableFile } from '../../pipeline/formats/table-file.ts';
import {
  feed,
  LINE_FORMATS,
  type LogInput,
  type LogSource,
} from '../../pipeline/sources/training-log/feed.ts';
import type { Tally } from '../../pipeline/sources/training-log/log-error.ts';
import { createTally } from '../../pipeline/sources/training-log/log-error.ts';
import {
  emptyBlock,
  type RowBlock,
  type RowTaker,
} from '../../pipeline/sources/training-log/row-block.ts';
import { ownProgram } from '../package-root.ts';
import type { Job, JobName } from './job.ts';
import { jobs } from './jobs.ts';
import { memoryLimit, timeLimit } from './limits.ts';
import {
  AHEAD,
  type Call,
  type Counted,
  type FeedCall,
  packed,
  packedRows,
  type ReadCall,
  type Reply,
  type ToldError,
} from './messages.ts';
import { inPieces, type TableInPieces } from './pieces.ts';
import type { Watched } from './reader-watch.ts';
import { here, openTableFile } from './reading.ts';

// A process of its own, in which a command reads files that anybody may have written.

/** Microseconds that reading may take more for each byte read and each row found. */
const PER_BYTE = 0.15;
const PER_ROW = 5;
/**
 * Bytes of a log of lines that earn time before there is a row, and that each row vouches for: what
 * is written to cost time is mostly lines that are none.
 */
const WITHOUT_ROWS = 13_000_000;
const BYTES_A_ROW = 1 << 14;
/** Rows, or things counted, a block. */
const BLOCK = 1 << 13;
/** Milliseconds that a block may wait until it is full. */
const SOON = 5;

const time = new BigInt64Array(new SharedArrayBuffer(8));
Atomics.store(time, 0, BigInt(Math.ceil(timeLimit())));
const earn = (microseconds: number) => Atomics.add(time, 0, BigInt(Math.ceil(microseconds)));
const watched: Watched = { memory: memoryLimit(), time };
new Worker(ownProgram('reader/reader-watch'), { workerData: watched }).unref();

// Ctrl-C goes to all processes of a terminal; the command decides what comes of it.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
// To exit would wait for what is being read, such as a pipe that nobody writes to.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const send = (reply: Reply): Promise<void> =>
  new Promise((resolve) => {
    process.send!(reply, () => resolve());
  });

const tables: TableInPieces[] = [];
const ended = new AbortController();
let log: LogSource | undefined;
let taken: (() => void) | undefined;
let under = 0;

async function open(path: string): Promise<void> {
  const table = await openTableFile(path);
  const { kind, bytes, rows, fields, groups, metadata } = table;
  tables.push(inPieces({ ...table, read: earningRead(table) }));
  earn(groups.length * PER_ROW);
  const bare = Float64Array.from(groups.flatMap(({ rows, start, end }) => [rows, start, end]));
  const head = { kind, bytes, rows, fields, metadata, groups: bare };
  await send({ opened: { ...head, table: tables.length - 1 } });
}

/** Reads as the table does; each column that was read earns time. */
function earningRead({ read, groups, fields }: TableFile): TableFile['read'] {
  return async (field, group) => {
    const values = await read(field, group);
    const { start, end } = groups[group]!;
    earn(values.length * PER_ROW + ((end - start) / fields.length) * PER_BYTE);
    return values;
  };
}

async function read({ table, fields, group, from }: ReadCall): Promise<void> {
  const { length, columns } = await tables[table]!.read(fields, group, from);
  await send({ piece: { length, columns: columns.map(packed) } });
}

async function check(path: string): Promise<void> {
  // It is read to the last byte, as fast as the disk gives it.
  earn((await stat(path)).size * PER_BYTE);
  await send({ checked: await here.checkIntegrity(path) });
}

async function work(name: JobName, call: readonly unknown[]): Promise<void> {
  const { work } = (await jobs[name]()) as Job<readonly unknown[], unknown>;
  await send({ done: await work((bytes) => void earn(bytes * PER_BYTE), ...call) });
}

async function openLog(paths: readonly string[], follow: boolean): Promise<void> {
  const onWait = () => void send({ waits: true });
  log = await here.openLog(paths, { follow, until: ended.signal, onWait });
  await send({ ready: true });
}

async function feedLog({ format, given, pattern }: FeedCall) {
  const blocks = blockMaker();
  const work = feed(earning(log as LogInput), blocks.rows, blocks.tally, {
    format,
    given,
    pattern,
    found(what) {
      trusted ||= !LINE_FORMATS.has(what.format);
      void send({ found: what });
    },
    said: (header) => void send({ said: header }),
  });
  try {
    for await (const _ of work) await blocks.flush();
  } finally {
    await blocks.end();
  }
  await send({ ended: true });
}

/** Bytes and rows of the log so far, and those of the bytes that have earned time. */
const got = { bytes: 0, rows: 0, paid: 0 };
/** Whether its bytes earn time without rows: those of a line tell at once whether it is one. */
let trusted = false;

function earnLog(bytes: number, rows: number): void {
  got.bytes += bytes;
  got.rows += rows;
  const most = trusted ? got.bytes : WITHOUT_ROWS + got.rows * BYTES_A_ROW;
  const paid = Math.min(got.bytes, most);
  earn(rows * PER_ROW + (paid - got.paid) * PER_BYTE);
  got.paid = paid;
}

/** The same log, each byte of which earns time. */
function earning(input: LogInput): LogInput {
  async function* chunks() {
    for await (const chunk of input.chunks) {
      earnLog(chunk.length, 0);
      yield chunk;
    }
  }
  const random = input.random && {
    ...input.random,
    slice(start: number, end?: number) {
      earnLog((end ?? input.random!.byteLength) - start, 0);
      return input.random!.slice(start, end);
    },
  };
  const others = input.others?.map(earning);
  return {
    ...input,
    chunks: chunks(),
    ...(random && { random }),
    ...(others && { others }),
  };
}

/** Collects rows, and what is counted between them, into blocks. */
function blockMaker() {
  let full: { readonly rows: RowBlock; readonly counted: readonly Counted[] }[] = [];
  let block = emptyBlock(BLOCK);
  let counted: Counted[] = [];
  const close = () => {
    if (block.length + counted.length > 0) full.push({ rows: block, counted });
    block = emptyBlock(BLOCK);
    counted = [];
  };
  const note = (what: Counted) => {
    counted.push(what);
    if (counted.length === BLOCK) close();
  };
  const rows: RowTaker = {
    row(line, values) {
      const i = block.length++;
      block.line[i] = line;
      for (let f = 0; f < block.columns.length; f++) block.columns[f]![i] = values[f]!;
      if (block.length === BLOCK) close();
    },
  };
  const own = createTally();
  const tally: Tally = {
    entries: own.entries,
    columns: own.columns,
    add: (...what) => note([block.length, 'add', ...what]),
    value: (...what) => note([block.length, 'value', ...what]),
    note: (...what) => note([block.length, 'note', ...what]),
    column(field, name) {
      if (own.columns[field] === name) return;
      own.column(field, name);
      note([block.length, 'column', field, name]);
    },
  };
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  const sendAll = () => {
    const sent = full;
    full = [];
    sending = sending.then(() => sendBlocks(sent));
    return sending;
  };
  const sendBlocks = async (sent: typeof full) => {
    for (const each of sent) {
      if (under === AHEAD) await new Promise<void>((resolve) => (taken = resolve));
      under++;
      earnLog(0, each.rows.length);
      // What is under way is bounded: the next block is read meanwhile.
      void send({ rows: packedRows(each.rows), counted: each.counted });
    }
  };
  const end = () => {
    clearTimeout(timer);
    timer = undefined;
    close();
    return sendAll();
  };
  return {
    rows,
    tally,
    end,
    /** Sends what is full; the rest where nothing fills it up at once. */
    async flush() {
      await sendAll();
      timer ??= setTimeout(end, SOON);
    },
  };
}

async function answer(call: Call): Promise<void> {
  if ('open' in call) return open(call.open);
  if ('read' in call) return read(call.read);
  if ('check' in call) return check(call.check);
  if ('job' in call) return work(call.job, call.with);
  if ('log' in call) return openLog(call.log, call.follow);
  if ('feed' in call) return feedLog(call.feed);
  if ('until' in call) return ended.abort();
  under -= call.more;
  taken?.();
  taken = undefined;
}

process.on('message', (call: Call) => {
  answer(call).catch((error: unknown) => send({ error: told(error) }));
});

function told(error: unknown): ToldError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, code, path } = error as NodeJS.ErrnoException;
  const parameter = error instanceof ConfigError ? error.parameter : undefined;
  return { name, message, code, path, parameter };
}
