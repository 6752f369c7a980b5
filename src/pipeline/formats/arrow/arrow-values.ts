import { decimalNumber, littleEndian } from '../decimal.ts';
import { checkedTexts, damaged, decoded, LIMITS, unsupported } from '../limits.ts';
import { described, type FieldKind, type TableField, type Values } from '../table-file.ts';
import { type Data, DataType, type Field, Vector } from './apache-arrow.ts';

/** A column of an Arrow schema. */
export function arrowField({ name, type, nullable, metadata }: Field): TableField {
  const inner: DataType = DataType.isDictionary(type) ? type.dictionary : type;
  return {
    name,
    kind: kindOf(inner),
    type: typeName(inner.toString()),
    required: !nullable,
    ...described(Object.fromEntries(metadata)),
  };
}

function kindOf(type: DataType): FieldKind {
  if (type.children?.length) return isListOfFlat(type) ? 'list' : 'nested';
  if (DataType.isNull(type)) return 'nothing';
  if (DataType.isBool(type)) return 'boolean';
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type))
    return 'text';
  if (DataType.isDate(type) || DataType.isTimestamp(type)) return 'time';
  const number =
    DataType.isInt(type) ||
    DataType.isFloat(type) ||
    DataType.isDecimal(type) ||
    DataType.isTime(type) ||
    DataType.isDuration(type);
  return number ? 'number' : 'bytes';
}

/** Lists, and lists of them; what holds structs or maps is not read. */
function isListOfFlat(type: DataType): boolean {
  const [item] = type.children ?? [];
  return item === undefined || (isList(type) && isListOfFlat(item.type));
}

function typeName(name: string): string {
  if (/^(large)?utf8(view)?$/i.test(name)) return 'STRING';
  return { Int64: 'INT64', Int32: 'INT32', Float64: 'DOUBLE' }[name] ?? name;
}

/**
 * Values of a column of one record batch.
 * @throws DamagedFileError where its codes stand for no words, or it holds what is not read
 */
export function arrowValues({ data }: Vector, name: string): Values {
  const problem = `its column ${name} cannot be decoded`;
  const parts = data.map((part) => decoded(() => valuesOf(part, name), problem));
  return checkedTexts(
    parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part)),
    name,
  );
}

function valuesOf(data: Data, name: string): Values {
  const { type, length } = data;
  if (DataType.isDictionary(type)) return wordsOf(data, name);
  if (type.children?.length) return listsOf(data, name);
  const typed = data.nullCount === 0 ? typedValues(data) : undefined;
  if (typed) return typed;
  const get = getter(data);
  return Array.from({ length }, (_, i) => (data.getValid(i) ? get(i) : null));
}

/** Numbers as an array of their own: the batch that they are a part of can then be let go. */
function typedValues({ type, values, length }: Data): Values | undefined {
  if (DataType.isFloat(type) && values instanceof Float64Array) return values.slice(0, length);
  if (!DataType.isInt(type)) return undefined;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return Float64Array.from(values.subarray(0, length), Number);
  return values instanceof Int32Array ? values.slice(0, length) : undefined;
}

/** Reads one value that is there. */
function getter(data: Data): (row: number) => unknown {
  const { type, values } = data;
  if (DataType.isDecimal(type)) {
    const width = type.bitWidth / 8;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return (row) =>
      decimalNumber(littleEndian(bytes.subarray(row * width, (row + 1) * width)), type.scale);
  }
  if (DataType.isTimestamp(type)) {
    const scale = [-3, 0, 3, 6][type.unit]!;
    return (row) => decimalNumber(BigInt(values[row]), scale);
  }
  const vector = new Vector([data]);
  return (row) => {
    const value: unknown = vector.get(row);
    return typeof value === 'bigint' ? Number(value) : value;
  };
}

function wordsOf(data: Data, name: string): Values {
  const words = Array.from(arrowValues(data.dictionary as Vector, name));
  const { length } = data;
  const codes = data.values as ArrayLike<number | bigint>;
  return Array.from({ length }, (_, i) => {
    if (!data.getValid(i)) return null;
    const code = Number(codes[i]);
    return code >= 0 && code < words.length
      ? words[code]
      : damaged(`its column ${name} points at words that it does not have`);
  });
}

function listsOf(data: Data, name: string): Values {
  const { type, length, valueOffsets: offsets } = data;
  const items = data.children[0]!;
  if (!isList(type))
    return unsupported(`its column ${name} is of the type ${type}, which is not read`);
  if (items.length > LIMITS.listed)
    unsupported(`its column ${name} has lists of ${items.length} values, which is not read`);
  const values = Array.from(valuesOf(items, name));
  const size = DataType.isFixedSizeList(type) ? type.listSize : undefined;
  const at = (row: number) => (size === undefined ? Number(offsets[row]) : row * size);
  return Array.from({ length }, (_, i) =>
    data.getValid(i) ? values.slice(at(i), at(i + 1)) : null,
  );
}

const isList = (type: DataType): boolean =>
  DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type);
