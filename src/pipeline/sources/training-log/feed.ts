import { count } from '../../format.ts';
import type { ByteSource } from '../../formats/byte-source.ts';
import { concatBytes } from '../../formats/concat-bytes.ts';
import type { NumberLists } from '../../formats/npy.ts';
import type { GivenColumns } from './column-names.ts';
import { createDelimitedReader } from './delimited.ts';
import { readEventLog, type Scalars, takeScalars } from './event-log.ts';
import { createJoin } from './join-rows.ts';
import { LONGEST_DOCUMENT, readDocument, readRoot } from './json-document.ts';
import { createLineSplitter, type LineTaker } from './lines.ts';
import { LogError, type Tally } from './log-error.ts';
import { createNdjsonReader } from './ndjson.ts';
import { type Arrays, readNumpy } from './numpy-log.ts';
import type { RowTaker } from './row-block.ts';
import type { RunHeader } from './run-header.ts';
import { LONGEST_HEAD, type LogFormat, type Sniffed, sniff } from './sniff.ts';
import { readTable } from './tables.ts';
import { createTextReader } from './text-lines.ts';

const HASH = 35;
/** Formats that are read line by line. */
export const LINE_FORMATS: ReadonlySet<LogFormat> = new Set(['csv', 'tsv', 'ndjson', 'text']);

/** Lines that may be left out of a log in which there are no more rows than these. */
const MOST_LEFT_OUT = 1_000_000;

/** Where the bytes of a log come from. */
export interface LogInput {
  /** What the log is called in messages. */
  readonly name: string;
  /** Its bytes in order; for a log that grows, as they come. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /**
   * The same bytes at random, where that can be had: a Parquet file is then not read into memory.
   */
  readonly random?: ByteSource;
  /** Other files of the same run, joined on the step. */
  readonly others?: readonly LogInput[];
  /** Whether it goes on as it is written: then only what is read line by line can be used. */
  readonly growing?: boolean;
  /**
   * The folder of an event file that holds one of the scalars that TensorBoard writes together, by
   * name.
   */
  readonly group?: string;
}

/** A log that is read elsewhere, say in a process of its own. */
export interface FedLog {
  readonly name: string;
  readonly feed: (rows: RowTaker, tally: Tally, options: FeedOptions) => AsyncGenerator<void>;
}

export type LogSource = LogInput | FedLog;

export interface FeedOptions {
  /** Guessed by content unless given. */
  readonly format?: LogFormat | undefined;
  readonly given: GivenColumns;
  /** Whether this is one of several files, and may hold nothing but a learning rate. */
  readonly part?: boolean | undefined;
  /** Where the arrays of a part are put, to be read together. */
  readonly arrays?: Record<string, NumberLists> | undefined;
  /** Where the scalars of event files of a part are put. */
  readonly scalars?: Scalars | undefined;
  /** Regular expression with named groups, for lines of text. */
  readonly pattern?: string | undefined;
  /** Reports what has been found out about the log before its first row. */
  readonly found: (what: { readonly format: LogFormat; readonly eta: number | null }) => void;
  /** Reports what the log says of its run. */
  readonly said: (header: RunHeader) => void;
}

/**
 * Reads a log of any format into rows, or several joined on the step; yields whenever rows may have
 * been added.
 */
export async function* feed(
  input: LogInput,
  rows: RowTaker,
  tally: Tally,
  options: FeedOptions,
): AsyncGenerator<void> {
  if (!input.others?.length) {
    yield* feedOne(input, rows, tally, options);
    return;
  }
  const join = createJoin();
  const arrays = {};
  const scalars: Scalars = new Map();
  const all = [input, ...input.others];
  let events = 0;
  const found: FeedOptions['found'] = (what) => {
    if (what.format === 'tfevents') events++;
    options.found(what);
  };
  for (const each of all) {
    try {
      const parts = { ...options, found, part: true, arrays, scalars };
      for await (const _ of feedOne(each, join, tally, parts)) yield;
    } catch (error) {
      if (!(error instanceof LogError) || each === input) throw error;
      throw new LogError(`${each.name}: ${error.message}`);
    }
  }
  if (Object.keys(arrays).length > 0) takeArrays(arrays, join, tally, options);
  if (events > 0) takeScalars(scalars, join, tally, options.given, events < all.length);
  join.flush(rows);
  yield;
}

async function* feedOne(
  input: LogInput,
  rows: RowTaker,
  tally: Tally,
  options: FeedOptions,
): AsyncGenerator<void> {
  const { part, format: asked, given, pattern, found, said, arrays } = options;
  const scalars = options.scalars ?? new Map();
  const format = asked ?? (pattern === undefined ? undefined : 'text');
  const iterator = input.chunks[Symbol.asyncIterator]();
  try {
    const { sniffed, head, ended } = await begin(iterator, format, given);
    const rest = restOf(head, ended, iterator);
    if (input.growing && !LINE_FORMATS.has(sniffed.format))
      throw new LogError(
        `a file of this kind (${sniffed.format}) is read as a whole, and cannot be followed; ` +
          'leave out --follow, and repeat the command as it grows',
      );
    switch (sniffed.format) {
      case 'parquet':
      case 'arrow':
        found({ format: sniffed.format, eta: null });
        yield* readTable(sniffed.format, rest, input.random, rows, tally, given, said);
        return;
      case 'json': {
        const bytes = await inMemory(rest);
        const kept = delayed(rows);
        const { eta } = readDocument(bytes, kept, tally, given);
        found({ format: 'json', eta });
        kept.flush();
        yield;
        return;
      }
      case 'npy':
      case 'npz': {
        const own = await readNumpy(sniffed.format, await inMemory(rest), input.name);
        found({ format: sniffed.format, eta: null });
        if (arrays) Object.assign(arrays, own);
        else takeArrays(own, rows, tally, options);
        yield;
        return;
      }
      case 'tfevents':
        found({ format: sniffed.format, eta: null });
        yield* readEventLog(rest, scalars, tally, input.group);
        if (!part) takeScalars(scalars, rows, tally, given, false);
        yield;
        return;
      default:
        found({ format: sniffed.format, eta: null });
        yield* readLines(rest, sniffed, rows, tally, {
          given,
          pattern,
          part,
          said,
          title: input.name,
        });
    }
  } finally {
    await iterator.return?.();
  }
}

/** Rows of arrays by name; a number that stands alone may be the learning rate. */
function takeArrays(
  arrays: Arrays,
  rows: RowTaker,
  tally: Tally,
  { given, said }: Pick<FeedOptions, 'given' | 'said'>,
): void {
  const kept = delayed(rows);
  const { eta } = readRoot(arrays, kept, tally, given);
  if (eta !== null) said({ eta });
  kept.flush();
}

async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { format, preamble }: Sniffed,
  rows: RowTaker,
  tally: Tally,
  {
    given,
    pattern,
    part,
    said,
    title,
  }: Pick<FeedOptions, 'given' | 'pattern' | 'part' | 'said'> & { readonly title: string },
): AsyncGenerator<void> {
  let [leftOut, taken] = [0, 0];
  let why = '';
  const counting: Tally = {
    ...tally,
    add(reason, line) {
      leftOut++;
      why ||= `line ${line}: ${reason}`;
      tally.add(reason, line);
    },
  };
  const counted: RowTaker = {
    row(line, values) {
      taken++;
      rows.row(line, values);
    },
  };
  const reader =
    format === 'text'
      ? createTextReader(counted, counting, { given, pattern })
      : format === 'ndjson'
        ? createNdjsonReader(counted, counting, { given, said })
        : createDelimitedReader(counted, counting, {
            given,
            part,
            title,
            delimiter: format === 'tsv' ? '\t' : undefined,
          });
  const take: LineTaker = (bytes, from, to, line, cut, over) => {
    if (line > preamble) reader(bytes, from, to, line, cut, over);
    else if (to > from && bytes[from] !== HASH) tally.add('text before the log', line);
  };
  const lines = createLineSplitter(preamble > 0 ? take : reader, counting);
  for await (const chunk of chunks) {
    lines.push(chunk);
    if (leftOut > MOST_LEFT_OUT && leftOut > taken) throw tooManyLeftOut(leftOut, taken, why);
    yield;
  }
  lines.end();
  yield;
}

const tooManyLeftOut = (leftOut: number, taken: number, first: string) =>
  new LogError(
    `${count(leftOut)} lines cannot be read and ${count(taken)} can (the first is ${first}); ` +
      'take out what is no row, or say how it is written with --format',
  );

/** Takes chunks until the format is clear. */
async function begin(
  iterator: AsyncIterator<Uint8Array>,
  format: LogFormat | undefined,
  given: GivenColumns,
): Promise<{ sniffed: Sniffed; head: Uint8Array; ended: boolean }> {
  let head: Uint8Array = new Uint8Array(0);
  let ended = false;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) ended = true;
    else head = head.length === 0 ? new Uint8Array(value) : concatBytes([head, value]);
    // A byte order mark is no part of the log.
    if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) head = head.subarray(3);
    // What is not clear by then will not be made so by more, which would have to be kept.
    const enough = ended || head.length >= LONGEST_HEAD;
    const sniffed = format ? { format, preamble: 0 } : sniff(head, enough, given);
    if (sniffed && (head.length >= 3 || ended)) return { sniffed, head, ended };
    if (ended) throw new LogError('it is empty');
  }
}

async function* restOf(
  head: Uint8Array,
  ended: boolean,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  if (ended) return;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

async function inMemory(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(new Uint8Array(chunk));
    length += chunk.length;
    if (length > LONGEST_DOCUMENT) {
      throw new LogError(
        'a file of this kind has to be read whole, and may have 256 MiB; write one object a ' +
          'line (NDJSON) instead',
      );
    }
  }
  return concatBytes(parts);
}

/** Keeps rows back until `flush`. */
function delayed(rows: RowTaker): RowTaker & { flush: () => void } {
  const kept: Parameters<RowTaker['row']>[] = [];
  return {
    row: (line, values) => kept.push([line, Array.from(values)]),
    flush() {
      for (const row of kept) rows.row(...row);
    },
  };
}
