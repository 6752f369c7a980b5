import { DamagedFileError } from './file-errors.ts';
import { damaged, decoded, unsupported } from './limits.ts';

/** A number, or lists of them, row by row. */
export type NumberLists = number | readonly NumberLists[];

/** An array of numbers, or of records: then each field is one. */
export interface NumpyArray {
  /** Lists of the shape of the array; of records, by name of the field. */
  readonly values: NumberLists | Readonly<Record<string, NumberLists>>;
}

/** First byte and name of a .npy file. */
const MAGIC = '\x93NUMPY';

/** Reads one number at a position. */
type Read = (view: DataView, at: number) => number;

interface Kind {
  readonly size: number;
  readonly read: Read;
}

/** The number types that NumPy writes, by their letter and size, without the order of bytes. */
const KINDS: Readonly<Record<string, (little: boolean) => Read>> = {
  b1: () => (view, at) => view.getUint8(at),
  i1: () => (view, at) => view.getInt8(at),
  u1: () => (view, at) => view.getUint8(at),
  i2: (little) => (view, at) => view.getInt16(at, little),
  u2: (little) => (view, at) => view.getUint16(at, little),
  i4: (little) => (view, at) => view.getInt32(at, little),
  u4: (little) => (view, at) => view.getUint32(at, little),
  i8: (little) => (view, at) => Number(view.getBigInt64(at, little)),
  u8: (little) => (view, at) => Number(view.getBigUint64(at, little)),
  f2: (little) => (view, at) => half(view.getUint16(at, little)),
  f4: (little) => (view, at) => view.getFloat32(at, little),
  f8: (little) => (view, at) => view.getFloat64(at, little),
};

/** A number of 16 bits (IEEE 754 binary16). */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function kindOf(descr: unknown): Kind {
  const [, order, kind] = /^([<>=|])([a-zA-Z]\d+)$/.exec(String(descr)) ?? [];
  const make = KINDS[kind ?? ''];
  if (make) return { size: Number(kind!.slice(1)), read: make(order !== '>') };
  return unsupported(
    /O/.test(String(descr))
      ? 'it holds Python objects, which only Python reads'
      : `its values are of type ${String(descr).slice(0, 20)}, and no numbers`,
  );
}

/**
 * Reads a .npy file, versions 1 to 3: integers, floats of 16 to 64 bits and truth values in either
 * order of bytes, in C or Fortran order, and records of them.
 *
 * @throws DamagedFileError where it is none, or cut off; UnsupportedFileError where its values are
 * no numbers
 */
export function readNpy(bytes: Uint8Array): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC || bytes.length < 12)
    return damaged('it does not begin as a .npy file');
  const wide = bytes[6]! > 1;
  const begin = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (begin + length > bytes.length) return damaged('it ends in its header');
  const text = new TextDecoder().decode(bytes.subarray(begin, begin + length));
  const header = decoded(() => readLiteral(text), 'its header cannot be read');
  if (!(header instanceof Map)) return damaged('its header cannot be read');
  const { shape, fortran } = shapeOf(header);
  const count = shape.reduce((product, side) => product * side, 1);
  const descr = header.get('descr');
  const data = begin + length;
  const check = (size: number) => {
    if (!(count * size <= bytes.length - data))
      damaged(`it ends before its ${shape.join(' × ')} values`);
  };
  if (!Array.isArray(descr)) {
    const { size, read } = kindOf(descr);
    check(size);
    return { values: lists(shape, fortran, (i) => read(view, data + i * size)) };
  }
  const fields = fieldsOf(descr);
  const size = fields.reduce((sum, field) => sum + field.size * field.count, 0);
  check(size);
  const values: Record<string, NumberLists> = {};
  for (const { name, offset, size: own, inner, read } of fields) {
    values[name] = lists([...shape, ...inner], fortran && inner.length === 0, (i) => {
      const each = inner.reduce((product, side) => product * side, 1);
      const record = Math.floor(i / each);
      return read(view, data + record * size + offset + (i % each) * own);
    });
  }
  return { values };
}

interface RecordField extends Kind {
  readonly name: string;
  readonly offset: number;
  /** Shape of the field within a record. */
  readonly inner: readonly number[];
  readonly count: number;
}

function fieldsOf(descr: readonly unknown[]): RecordField[] {
  let offset = 0;
  return descr.map((entry) => {
    const [name, type, inner] = Array.isArray(entry) ? entry : [];
    if (typeof name !== 'string') return damaged('its header names no field');
    const kind = kindOf(type);
    const sides = (inner === undefined ? [] : [inner].flat()).map(Number);
    const count = sides.reduce((product, side) => product * side, 1);
    const field = { ...kind, name, offset, inner: sides, count };
    offset += kind.size * count;
    return field;
  });
}

function shapeOf(header: ReadonlyMap<unknown, unknown>): {
  readonly shape: readonly number[];
  readonly fortran: boolean;
} {
  const shape = header.get('shape');
  const sides = Array.isArray(shape) ? shape.map(Number) : [];
  if (!Array.isArray(shape) || !sides.every((side) => Number.isSafeInteger(side) && side >= 0))
    return damaged('its header has no shape');
  return { shape: sides, fortran: header.get('fortran_order') === true };
}

/** Lists of a shape, of values that are stored one behind the other. */
function lists(
  shape: readonly number[],
  fortran: boolean,
  value: (index: number) => number,
): NumberLists {
  const strides = shape.map((_, axis) =>
    (fortran ? shape.slice(0, axis) : shape.slice(axis + 1)).reduce((product, n) => product * n, 1),
  );
  const at = (axis: number, offset: number): NumberLists =>
    axis === shape.length
      ? value(offset)
      : Array.from({ length: shape[axis]! }, (_, i) => at(axis + 1, offset + i * strides[axis]!));
  return at(0, 0);
}

/** A token of a Python literal: a string, a number or word, or a sign. */
const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([\w.+-]+)|([[\](){}:,]))/y;
const DEEPEST = 16;

/** A Python literal of dictionaries, lists, tuples, strings, whole numbers and truth values. */
function readLiteral(text: string): unknown {
  let at = 0;
  let sign: string | undefined;
  let value: unknown;

  function next(): void {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new DamagedFileError('its header cannot be read');
    const [whole, single, double, word] = match;
    sign = match[4];
    value = single ?? double?.replace(/\\(.)/g, '$1') ?? word;
    if (word !== undefined)
      value = word === 'True' ? true : word === 'False' ? false : Number(word.replace(/L$/, ''));
    at += whole.length;
  }

  function items(close: string, depth: number, take: () => void): void {
    for (next(); sign !== close; ) {
      take();
      next();
      if (sign === ',') next();
      else if (sign !== close) damaged('its header cannot be read');
    }
    if (depth > DEEPEST) damaged('its header is nested too deep');
  }

  function read(depth: number): unknown {
    if (depth > DEEPEST) return damaged('its header is nested too deep');
    if (sign === undefined) return value;
    if (sign === '{') {
      const map = new Map<unknown, unknown>();
      items('}', depth, () => {
        const key = value;
        next();
        if (sign !== ':') damaged('its header cannot be read');
        next();
        map.set(key, read(depth + 1));
      });
      sign = undefined;
      return map;
    }
    if (sign !== '[' && sign !== '(') return damaged('its header cannot be read');
    const list: unknown[] = [];
    items(sign === '[' ? ']' : ')', depth, () => list.push(read(depth + 1)));
    sign = undefined;
    return list;
  }

  next();
  return read(0);
}
