import { damaged, LIMITS, unsupported } from '../limits.ts';
import { Encoding } from './apache-arrow.ts';
import {
  DateType,
  DateUnit,
  Decimal,
  Endianness,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  FloatingPoint,
  Int,
  Interval,
  type Schema,
  Time,
  Type,
} from './apache-arrow-parts.ts';

/** A column as far as its buffers are concerned. */
export type ArrowLayout =
  | { readonly kind: 'nothing' }
  /** Values of so many bits. */
  | { readonly kind: 'fixed'; readonly bits: number }
  /** Text and bytes behind offsets of so many bytes. */
  | { readonly kind: 'text'; readonly offsets: 4 | 8 }
  /** Text and bytes that views of 16 bytes point at, in any number of buffers. */
  | { readonly kind: 'view' }
  /** Codes of so many bits for the words of a dictionary. */
  | { readonly kind: 'codes'; readonly bits: number; readonly dictionary: number }
  | { readonly kind: 'list'; readonly offsets: 4 | 8; readonly item: ArrowLayout }
  | { readonly kind: 'lists of one size'; readonly size: number; readonly item: ArrowLayout }
  | { readonly kind: 'struct'; readonly fields: readonly ArrowLayout[] };

/** What a schema says, as far as it can be so. */
export interface CheckedSchema {
  readonly columns: readonly ArrowLayout[];
  /** Words of the dictionaries, by their number. */
  readonly dictionaries: ReadonlyMap<number, ArrowLayout>;
}

type Room = (text: string | Uint8Array | null) => void;

interface Reading {
  readonly bytes: number;
  readonly room: Room;
  readonly dictionaries: Map<number, ArrowLayout>;
  /** Columns that may still come. */
  left: number;
}

/**
 * Columns of a schema. @throws DamagedFileError where it is not one, or has columns that are not
 * read
 */
export function checkArrowSchema(schema: Schema, bytes: number): CheckedSchema {
  if (schema.endianness() !== Endianness.Little)
    unsupported('its numbers are big-endian, which is not read');
  const reading: Reading = {
    bytes,
    room: textRoom(bytes),
    dictionaries: new Map(),
    left: LIMITS.columns,
  };
  checkNotes(schema, bytes, reading.room);
  const columns = fieldsOf(
    schema.fieldsLength(),
    (i) => schema.fields(i, new Field()),
    reading,
    1,
    undefined,
  );
  return { columns, dictionaries: reading.dictionaries };
}

/**
 * Texts may be pointed at many times over; together they must not be much longer than what they
 * stand in.
 */
export function textRoom(bytes: number): Room {
  let left = 4 * bytes;
  return (text) => {
    left -= text?.length ?? 0;
    if (left < 0) damaged('its metadata repeats itself without end');
  };
}

interface Noted {
  customMetadataLength(): number;
  customMetadata(i: number): {
    key(as: Encoding): string | Uint8Array | null;
    value(as: Encoding): string | Uint8Array | null;
  } | null;
}

export function checkNotes(noted: Noted, bytes: number, room: Room): void {
  const count = noted.customMetadataLength();
  if (!(count >= 0 && count * 4 <= bytes)) damaged(`it claims ${count} notes`);
  for (let i = 0; i < count; i++) {
    const note = noted.customMetadata(i);
    room(note?.key(Encoding.UTF8_BYTES) ?? null);
    room(note?.value(Encoding.UTF8_BYTES) ?? null);
  }
}

/** @param column name of the column that they are inside of */
function fieldsOf(
  count: number,
  at: (i: number) => Field | null,
  reading: Reading,
  depth: number,
  column: string | undefined,
): ArrowLayout[] {
  reading.left -= count;
  if (!(count >= 0 && count * 4 <= reading.bytes)) damaged(`it claims ${count} columns`);
  if (reading.left < 0) unsupported(`it has more than ${LIMITS.columns} columns`);
  return Array.from({ length: count }, (_, i) =>
    checkField(at(i) ?? damaged('a column of it is missing'), reading, depth, column),
  );
}

function checkField(
  field: Field,
  reading: Reading,
  depth: number,
  inside: string | undefined,
): ArrowLayout {
  reading.room(field.name(Encoding.UTF8_BYTES));
  const column = inside ?? field.name()?.slice(0, 80) ?? damaged('a column of it has no name');
  if (depth > LIMITS.depth)
    unsupported(`its column ${column} is nested more than ${LIMITS.depth} deep`);
  checkNotes(field, reading.bytes, reading.room);
  const children = fieldsOf(
    field.childrenLength(),
    (i) => field.children(i, new Field()),
    reading,
    depth + 1,
    column,
  );
  const values = layoutOf(field, children, column);
  const encoding = field.dictionary();
  if (!encoding) return values;
  const index = encoding.indexType();
  const bits = index ? index.bitWidth() : 32;
  if (![8, 16, 32, 64].includes(bits)) damaged(`its column ${column} has codes of ${bits} bits`);
  const dictionary = Number(encoding.id());
  const known = reading.dictionaries.get(dictionary);
  if (known && JSON.stringify(known) !== JSON.stringify(values)) {
    damaged(`its column ${column} shares the dictionary of another kind of column`);
  }
  reading.dictionaries.set(dictionary, values);
  return { kind: 'codes', bits, dictionary };
}

function layoutOf(field: Field, children: readonly ArrowLayout[], column: string): ArrowLayout {
  const unread = (what: string): never =>
    unsupported(`its column ${column} is of the type ${what}, which is not read`);
  const fixed = (bits: number, known: readonly number[]): ArrowLayout =>
    known.includes(bits)
      ? { kind: 'fixed', bits }
      : unread(`${Type[field.typeType()]} of ${bits} bits`);
  const only = (): ArrowLayout =>
    children.length === 1
      ? children[0]!
      : damaged(`its column ${column} has lists of ${children.length} kinds`);
  const type = field.typeType();
  const nested: readonly Type[] = [
    Type.List,
    Type.LargeList,
    Type.FixedSizeList,
    Type.Map,
    Type.Struct_,
  ];
  switch (type) {
    case Type.Union:
    case Type.RunEndEncoded:
    case Type.ListView:
    case Type.LargeListView:
      return unread(Type[type]);
  }
  if (children.length > 0 && !nested.includes(type))
    damaged(`its column ${column} has parts where its type has none`);
  switch (type) {
    case Type.Null:
      return { kind: 'nothing' };
    case Type.Int:
      return fixed((field.type(new Int()) as Int | null)?.bitWidth() ?? 0, [8, 16, 32, 64]);
    case Type.FloatingPoint: {
      const precision =
        (field.type(new FloatingPoint()) as FloatingPoint | null)?.precision() ?? -1;
      return fixed([16, 32, 64][precision] ?? 0, [16, 32, 64]);
    }
    case Type.Bool:
      return { kind: 'fixed', bits: 1 };
    case Type.Utf8:
    case Type.Binary:
      return { kind: 'text', offsets: 4 };
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return { kind: 'text', offsets: 8 };
    case Type.Utf8View:
    case Type.BinaryView:
      return { kind: 'view' };
    case Type.Date: {
      const unit = (field.type(new DateType()) as DateType | null)?.unit();
      return { kind: 'fixed', bits: unit === DateUnit.DAY ? 32 : 64 };
    }
    case Type.Time:
      return fixed((field.type(new Time()) as Time | null)?.bitWidth() ?? 0, [32, 64]);
    case Type.Timestamp:
    case Type.Duration:
      return { kind: 'fixed', bits: 64 };
    case Type.Interval: {
      const unit = (field.type(new Interval()) as Interval | null)?.unit() ?? -1;
      return fixed([32, 64, 128][unit] ?? 0, [32, 64, 128]);
    }
    case Type.Decimal:
      return fixed(
        (field.type(new Decimal()) as Decimal | null)?.bitWidth() ?? 0,
        [32, 64, 128, 256],
      );
    case Type.FixedSizeBinary: {
      const width = (field.type(new FixedSizeBinary()) as FixedSizeBinary | null)?.byteWidth() ?? 0;
      return width > 0 && width < 1 << 20
        ? { kind: 'fixed', bits: 8 * width }
        : damaged(`its column ${column} has values of ${width} bytes`);
    }
    case Type.List:
      return { kind: 'list', offsets: 4, item: only() };
    case Type.LargeList:
      return { kind: 'list', offsets: 8, item: only() };
    case Type.FixedSizeList: {
      const size = (field.type(new FixedSizeList()) as FixedSizeList | null)?.listSize() ?? -1;
      return size >= 0
        ? { kind: 'lists of one size', size, item: only() }
        : damaged(`its column ${column} has lists of ${size}`);
    }
    case Type.Map: {
      const item = only();
      const pairs = item.kind === 'struct' && item.fields.length === 2;
      return pairs
        ? { kind: 'list', offsets: 4, item }
        : damaged(`its column ${column} is a map of no pairs`);
    }
    case Type.Struct_:
      return { kind: 'struct', fields: children };
    default:
      return unread(Type[type] ?? `number ${type}`);
  }
}
