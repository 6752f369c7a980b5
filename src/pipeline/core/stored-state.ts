import { type Checkpoint, CheckpointError, type Snapshot } from './checkpoint.ts';
import type { Run, RunEnd } from './run.ts';

/** Reads a stored state field by field and refuses what does not fit. */
export interface StateReader {
  number(key: string): number;
  numberOrNull(key: string): number | null;
  flag(key: string): boolean;
  text(key: string): string;
  wordOrNull<W extends string>(key: string, words: readonly W[]): W | null;
  list(key: string): readonly StateReader[];
  record(key: string): StateReader;
  texts(key: string): readonly string[];
  /** Whatever is stored under the key, for a stage that keeps a record of its own making. */
  raw(key: string): unknown;
  numbers(key: string): readonly number[];
  recordOrNull(key: string): StateReader | null;
}

/** The state of a stage of this name, as it was stored. */
export type ReadState = (name: string, state: unknown) => StateReader;

export function stateReader(name: string, state: unknown): StateReader {
  if (typeof state !== 'object' || state === null)
    throw new CheckpointError(`checkpoint: ${name} is not a record`);
  const fields = state as Readonly<Record<string, unknown>>;
  const refuse = (key: string, wanted: string): never => {
    throw new CheckpointError(`checkpoint: ${name}.${key} is not ${wanted}`);
  };
  const reader: StateReader = {
    number(key) {
      const value = fields[key];
      return typeof value === 'number' ? value : refuse(key, 'a number');
    },
    numberOrNull: (key) => (fields[key] === null ? null : reader.number(key)),
    flag(key) {
      const value = fields[key];
      return typeof value === 'boolean' ? value : refuse(key, 'true or false');
    },
    text(key) {
      const value = fields[key];
      return typeof value === 'string' ? value : refuse(key, 'a text');
    },
    wordOrNull(key, words) {
      const value = fields[key];
      return value === null
        ? null
        : (words.find((word) => word === value) ?? refuse(key, `one of ${words.join(', ')}`));
    },
    list(key) {
      const value = fields[key];
      if (!Array.isArray(value)) return refuse(key, 'a list');
      return value.map((item: unknown, i) => stateReader(`${name}.${key}[${i}]`, item));
    },
    record: (key) => stateReader(`${name}.${key}`, fields[key]),
    raw: (key) => fields[key],
    texts(key) {
      const value = fields[key];
      const texts = Array.isArray(value) && value.every((item) => typeof item === 'string');
      return texts ? value : refuse(key, 'a list of texts');
    },
    numbers(key) {
      const value = fields[key];
      const numbers = Array.isArray(value) && value.every((item) => typeof item === 'number');
      return numbers ? value : refuse(key, 'a list of numbers');
    },
    recordOrNull: (key) =>
      fields[key] === null ? null : stateReader(`${name}.${key}`, fields[key]),
  };
  return reader;
}

/** What a checkpoint holds of each stage, for a run that goes on from it. */
export function storedStages({ stages }: Checkpoint): NonNullable<Run['resumed']> {
  return (stage, needed = false) => {
    if (stages[stage] !== undefined) return stateReader(stage, stages[stage]);
    if (needed) throw new CheckpointError(`checkpoint: nothing is stored about ${stage}`);
    return undefined;
  };
}

/** Summary of a run that ended behind this snapshot; undefined where nobody summarizes. */
export function summaryAt(after: Snapshot, end: RunEnd): object | undefined {
  const parts = Object.values(after).flatMap(({ part }) => (part ? [part(end, stateReader)] : []));
  return parts.length > 0 ? Object.assign({}, ...parts) : undefined;
}

/** Numbers that JSON cannot hold; no stage uses these as words. */
const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

/** The step at which the source stands. @throws CheckpointError */
export function stepOf({ stages }: Checkpoint): number {
  for (const stage of Object.values(stages)) {
    const { step } = (stage ?? {}) as { readonly step?: unknown };
    if (typeof step === 'number') return step;
  }
  throw new CheckpointError('checkpoint: it names no step');
}

/** What JSON cannot hold in words. A replacer of `stringify` would make long texts slow. */
function inWords(value: unknown): unknown {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '-0';
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inWords);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inWords(item)]));
}

/** A file that ends has two footers of one state, which may be megabytes. */
const encoded = new WeakMap<Snapshot, { readonly rows: number; readonly text: string }>();

/** JSON of a checkpoint, every number to the last bit. */
export function encodeCheckpoint(rows: number, after: Snapshot): string {
  const before = encoded.get(after);
  if (before?.rows === rows) return before.text;
  const stages = Object.fromEntries(
    Object.entries(after).map(([name, { state }]) => [name, inWords(state())]),
  );
  const text = JSON.stringify({ rows, stages });
  encoded.set(after, { rows, text });
  return text;
}

/** @throws CheckpointError where the text is not a checkpoint */
export function decodeCheckpoint(text: string): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(text, (_, item: unknown) =>
      typeof item === 'string' && Object.hasOwn(SPECIAL, item) ? SPECIAL[item] : item,
    );
  } catch {
    throw new CheckpointError('checkpoint: it is not JSON');
  }
  const { rows, stages } = (value ?? {}) as Partial<Checkpoint>;
  if (!Number.isSafeInteger(rows) || rows! < 0)
    throw new CheckpointError('checkpoint: rows is not a count');
  if (typeof stages !== 'object' || stages === null)
    throw new CheckpointError('checkpoint: stages is not a record');
  return { rows: rows!, stages };
}
