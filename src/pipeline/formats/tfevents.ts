import { crc32c } from './platform.ts';

/** A number under a name at a step, as TensorBoard logs it. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** What comes out of a stream of records: the scalars of one, or what is wrong with it. */
export type EventRecord =
  | { readonly scalars: readonly Scalar[] }
  | { readonly problem: string; readonly scalars?: undefined };

/** Bytes of a record's length with its checksum, and of the checksum behind it. */
const HEAD = 12;
const TAIL = 4;
/** A record longer than this holds no scalars. */
const LONGEST = 1 << 26;

/**
 * TFRecord's checksum: CRC-32C, turned by 15 bits and moved, so that it differs from those of what
 * is stored in it.
 */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Whether bytes begin with the head of a TFRecord: a length, and the checksum of it. */
export function isRecord(bytes: Uint8Array): boolean {
  if (bytes.length < HEAD) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  return view.getUint32(4, true) === 0 && view.getUint32(8, true) === masked(bytes.subarray(0, 8));
}

/**
 * Reads the records of a TensorBoard event file as they come. A record whose checksum is wrong is
 * told, and so is an end in the middle of one; behind a length that is wrong nothing can be found
 * any more.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<EventRecord> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const head = bytes.subarray(at, at + HEAD);
      const view = new DataView(bytes.buffer, at);
      const length = view.getUint32(0, true);
      if (!isRecord(head) || length > LONGEST) {
        yield { problem: 'the checksum of a length is wrong: nothing behind it can be read' };
        return;
      }
      if (at + HEAD + length + TAIL > bytes.length) break;
      const data = bytes.subarray(at + HEAD, at + HEAD + length);
      yield view.getUint32(HEAD + length, true) === masked(data)
        ? { scalars: scalarsOf(data) }
        : { problem: 'the checksum of a record is wrong' };
      at += HEAD + length + TAIL;
    }
    rest = bytes.subarray(at);
  }
  if (rest.length > 0) yield { problem: 'cut off in the middle of a record' };
}

/** A field of a protocol buffer: its number, and its value as it is stored. */
interface Field {
  readonly number: number;
  /** Of 32 or 64 bits, or of a length: the bytes; of a varint none. */
  readonly bytes: Uint8Array;
  readonly varint: number;
}

const NOTHING = new Uint8Array(0);

/** The fields of a message, as far as they can be read. */
function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  function varint(): number {
    const from = at;
    let value = 0;
    while (at < message.length && at - from < 10) {
      const byte = message[at++]!;
      value += (byte & 127) * 2 ** (7 * (at - from - 1));
      if (byte < 128) break;
    }
    // Ten bytes are a negative number, as a two's complement of 64 bits.
    if (at - from < 10) return value;
    const bits = message
      .subarray(from, at)
      .reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 127), 0n);
    return Number(BigInt.asIntN(64, bits));
  }
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) {
      fields.push({ number, bytes: NOTHING, varint: varint() });
      continue;
    }
    const length = kind === 1 ? 8 : kind === 5 ? 4 : kind === 2 ? varint() : -1;
    if (length < 0 || at + length > message.length) break;
    fields.push({ number, bytes: message.subarray(at, at + length), varint: 0 });
    at += length;
  }
  return fields;
}

/** Scalars of an event: field 2 is the step, field 5 the summary, and in it field 1 each value. */
function scalarsOf(event: Uint8Array): Scalar[] {
  const fields = fieldsOf(event);
  const step = fields.find(({ number }) => number === 2)?.varint ?? 0;
  const summary = fields.find(({ number }) => number === 5);
  if (!summary) return [];
  return fieldsOf(summary.bytes)
    .filter(({ number }) => number === 1)
    .flatMap(({ bytes }) => {
      const value = fieldsOf(bytes);
      const tag = value.find(({ number }) => number === 1);
      const number = numberOf(value);
      return tag && number !== undefined
        ? [{ tag: new TextDecoder().decode(tag.bytes), step, value: number }]
        : [];
    });
}

/** Field 2 of a value is a float, field 8 a tensor, as newer writers have it. */
function numberOf(value: readonly Field[]): number | undefined {
  const simple = value.find(({ number }) => number === 2);
  if (simple?.bytes.length === 4) return viewOf(simple.bytes).getFloat32(0, true);
  const tensor = value.find(({ number }) => number === 8);
  return tensor && tensorNumber(fieldsOf(tensor.bytes));
}

const FLOAT = 1;
const DOUBLE = 2;
const INT32 = 3;
const INT64 = 9;

/** The one number of a tensor; undefined where it holds more, or something else. */
function tensorNumber(fields: readonly Field[]): number | undefined {
  const type = fields.find(({ number }) => number === 1)?.varint;
  const content = fields.find(({ number }) => number === 4)?.bytes;
  const first = (number: number) => fields.find((field) => field.number === number);
  const size = type === DOUBLE || type === INT64 ? 8 : 4;
  const listed = first({ [FLOAT]: 5, [DOUBLE]: 6, [INT32]: 7, [INT64]: 10 }[type ?? 0] ?? -1);
  const bytes = content?.length ? content : listed?.bytes;
  if (type === FLOAT && bytes?.length === size) return viewOf(bytes).getFloat32(0, true);
  if (type === DOUBLE && bytes?.length === size) return viewOf(bytes).getFloat64(0, true);
  if (type !== INT32 && type !== INT64) return undefined;
  if (content?.length === size)
    return type === INT32
      ? viewOf(content).getInt32(0, true)
      : Number(viewOf(content).getBigInt64(0, true));
  // A list of one varint, packed or not.
  if (!listed) return undefined;
  return listed.bytes.length > 0
    ? fieldsOf(Uint8Array.of(8, ...listed.bytes))[0]?.varint
    : listed.varint;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
