import { crc32 } from './platform.ts';

/** Key of a checksum in the metadata of what it is of. */
export const SEAL_KEY = 'eos.crc32';
const MARK = 'crc32:';
/** A checksum that is still to be computed; it is computed of bytes that hold it as this. */
export const UNSEALED = `${MARK}00000000`;

export const sealOf = (crc: number): string => MARK + crc.toString(16).padStart(8, '0');

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const BLANK = bytesOf(UNSEALED);

/**
 * Writes into bytes the CRC-32 of themselves, where they hold `UNSEALED` before `end`.
 * @param before CRC-32 of the bytes in front of these
 */
export function seal(bytes: Uint8Array, end = bytes.length, before = 0): void {
  const at = placeOf(bytes, BLANK, end);
  if (at >= 0) bytes.set(bytesOf(sealOf(crc32(bytes, before))), at);
}

/** Whether bytes hold a checksum before `end`. */
export const hasSeal = (bytes: Uint8Array, end: number): boolean =>
  placeOf(bytes, bytesOf(MARK), end) >= 0;

/** Whether bytes are as they were when they were sealed. @param before as for `seal` */
export function isSealed(bytes: Uint8Array, end = bytes.length, before = 0): boolean {
  const at = placeOf(bytes, bytesOf(MARK), end);
  if (at < 0 || at + BLANK.length > bytes.length) return false;
  const blank = bytes.slice();
  blank.set(BLANK, at);
  const written = String.fromCharCode(...bytes.subarray(at, at + BLANK.length));
  return written === sealOf(crc32(blank, before));
}

/** The last place of `wanted` that ends before `end`; −1 where there is none. */
function placeOf(bytes: Uint8Array, wanted: Uint8Array, end: number): number {
  for (let at = end - wanted.length; at >= 0; at--) {
    let i = 0;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
