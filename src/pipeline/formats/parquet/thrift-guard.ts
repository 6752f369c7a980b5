import { damaged, LIMITS, unsupported } from '../limits.ts';

/** Types of the Thrift compact protocol. */
const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

const STRUCT_WEIGHT = 8;

/**
 * Walks over a Thrift struct without building anything, so that what is parsed after it is known to
 * end, to be of bounded size, and to be nested no deeper than a stack allows.
 *
 * @returns the first byte behind the struct
 * @throws DamagedFileError
 */
export function checkThrift(view: DataView, start: number, end: number): number {
  let at = start;
  let weight = 0;

  const byte = () => (at < end ? view.getUint8(at++) : damaged('its metadata is cut off'));
  const varint = () => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const next = byte();
      value += (next & 0x7f) * 2 ** (7 * i);
      if (next < 0x80) return value;
    }
    return damaged('its metadata holds an endless number');
  };
  const skip = (count: number) => {
    if (count > end - at) damaged('its metadata is cut off');
    at += count;
  };
  const count = (more: number) => {
    weight += more;
    if (weight > LIMITS.footerWeight) unsupported('its metadata describes more than is read here');
  };
  const element = (type: number, depth: number): void => {
    switch (type) {
      case TRUE:
      case FALSE:
        return;
      case BYTE:
        skip(1);
        return;
      case I16:
      case I32:
      case I64:
        varint();
        return;
      case DOUBLE:
        skip(8);
        return;
      case BINARY:
        skip(varint());
        return;
      case LIST:
        list(depth);
        return;
      case STRUCT:
        struct(depth);
        return;
      default:
        damaged('its metadata is not what a Parquet file holds');
    }
  };
  const list = (depth: number) => {
    const header = byte();
    const type = header & 0x0f;
    const size = header >> 4 === 15 ? varint() : header >> 4;
    // Each item takes at least one byte, truth values in lists as well.
    if (size > end - at) damaged(`its metadata claims a list of ${size} items`);
    count(size);
    const boolean = type === TRUE || type === FALSE;
    for (let i = 0; i < size; i++) element(boolean ? BYTE : type, depth + 1);
  };
  const struct = (depth: number) => {
    if (depth > LIMITS.depth) unsupported('its metadata is nested too deeply');
    count(STRUCT_WEIGHT);
    for (;;) {
      const header = byte();
      const type = header & 0x0f;
      if (type === STOP) return;
      if (header >> 4 === 0) varint();
      count(1);
      element(type, depth + 1);
    }
  };

  struct(0);
  return at;
}
