/**
 * What Node has built in and browsers have not. It is asked for, not imported: this code runs in
 * both.
 */
const builtIn = globalThis.process?.getBuiltinModule;
const zlib = builtIn?.('zlib');
const crypto = builtIn?.('crypto');

/**
 * Unpacks a gzip (or zlib) member to at most `length` bytes; undefined where this platform cannot.
 */
export const unzip = bounded(zlib?.unzipSync);

/** The same for Brotli. */
export const unbrotli = bounded(zlib?.brotliDecompressSync);

/** Packs bytes by Zstandard; undefined where this platform cannot. */
export const zstd: ((bytes: Uint8Array) => Uint8Array) | undefined =
  zlib && 'zstdCompressSync' in zlib
    ? (zlib.zstdCompressSync as (bytes: Uint8Array) => Uint8Array)
    : undefined;

/** CRC-32 as gzip, Parquet and zip compute it. @param before that of the bytes in front of these */
export function crc32(bytes: Uint8Array, before = 0): number {
  // Of some empty arrays zlib gives 0, whatever was before.
  return bytes.length === 0 ? before : (zlib?.crc32 ?? tableCrc32)(bytes, before);
}

/**
 * SHA-256 of a text, in hexadecimal.
 * @throws TypeError in a browser, which has it behind a promise alone
 */
export function sha256(text: string): string {
  if (!crypto) throw new TypeError('sweeps are planned in Node: browsers do not hash at once');
  return crypto.createHash('sha256').update(text).digest('hex');
}

function bounded(
  unpack: ((packed: Uint8Array, options: { maxOutputLength: number }) => Buffer) | undefined,
): ((packed: Uint8Array, length: number) => Uint8Array) | undefined {
  return unpack && ((packed, length) => unpack(packed, { maxOutputLength: Math.max(1, length) }));
}

/** CRC-32C (Castagnoli), as TensorFlow's records have it. */
export function crc32c(bytes: Uint8Array): number {
  castagnoli ??= crcTable(0x82f63b78);
  return tableCrc(castagnoli, bytes, 0);
}

let table: Int32Array | undefined;
let castagnoli: Int32Array | undefined;

function tableCrc32(bytes: Uint8Array, before = 0): number {
  table ??= crcTable(0xedb88320);
  return tableCrc(table, bytes, before);
}

/** Remainders of all bytes by a polynomial, bits reversed. */
function crcTable(polynomial: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? polynomial : 0);
    return value;
  });
}

function tableCrc(remainders: Int32Array, bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ remainders[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
