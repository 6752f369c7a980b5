import { damaged, unsupported } from './limits.ts';

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Its bytes, unpacked. @throws DamagedFileError where they are not what the archive says */
  read(): Promise<Uint8Array>;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** Bytes of the end of an archive without its comment, and with the longest. */
const END_BYTES = 22;
const LONGEST_END = END_BYTES + 0xffff;
/** A size that stands in the extra field instead. */
const ELSEWHERE = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;

/**
 * The files in a zip archive that is in memory, as its directory at the end lists them: stored or
 * deflated, with sizes of 64 bits where they are written so.
 *
 * @param most bytes that a file may unpack to
 * @throws DamagedFileError where it is no archive, or cut off
 */
export function readZip(bytes: Uint8Array, most: number): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  const least = Math.max(0, bytes.length - LONGEST_END);
  while (end >= least && view.getUint32(end, true) !== END) end--;
  if (end < least) return damaged('it has no directory at its end, and may be cut off');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL)
      return damaged('its directory is damaged');
    const method = view.getUint16(at + 10, true);
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > end) return damaged('its directory is damaged');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const { size, packed, local } = placeOf(view, at, at + 46 + nameBytes, extraBytes);
    entries.push({
      name,
      read() {
        if (local + 30 > bytes.length || view.getUint32(local, true) !== LOCAL)
          return damaged(`${name} is not where its directory says`);
        const data =
          local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
        if (data + packed > bytes.length) return damaged(`${name} is cut off`);
        return unpack(name, bytes.subarray(data, data + packed), method, size, most);
      },
    });
    at = next;
  }
  return entries;
}

/** Sizes and place of an entry; those that need 64 bits stand in its extra field, in this order. */
function placeOf(view: DataView, at: number, extra: number, extraBytes: number) {
  const short = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
  let wide = -1;
  for (let i = extra; i + 4 <= extra + extraBytes; i += 4 + view.getUint16(i + 2, true))
    if (view.getUint16(i, true) === 1) wide = i + 4;
  const [size, packed, local] = short.map((value) => {
    if (value !== ELSEWHERE || wide < 0 || wide + 8 > extra + extraBytes) return value;
    wide += 8;
    return Number(view.getBigUint64(wide - 8, true));
  });
  return { size: size!, packed: packed!, local: local! };
}

async function unpack(
  name: string,
  packed: Uint8Array,
  method: number,
  size: number,
  most: number,
): Promise<Uint8Array> {
  if (size > most) return unsupported(`${name} unpacks to more than ${most >> 20} MiB`);
  if (method === STORED)
    return packed.length === size ? packed : damaged(`${name} is not as long as it says`);
  if (method !== DEFLATED) return unsupported(`${name} is packed by method ${method}`);
  const out = new Uint8Array(size);
  let length = 0;
  try {
    const stream = new Blob([packed as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('deflate-raw'));
    for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
      if (length + chunk.length > size) break;
      out.set(chunk, length);
      length += chunk.length;
    }
  } catch {
    length = -1;
  }
  return length === size ? out : damaged(`${name} does not unpack to what it says`);
}
