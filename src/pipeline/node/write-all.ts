import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of the bytes, at `position` or behind what has been written, however many calls that
 * takes.
 */
export async function writeAll(
  file: FileHandle,
  bytes: Uint8Array,
  position?: number,
): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const place = position === undefined ? null : position + at;
    at += (await file.write(bytes, at, bytes.length - at, place)).bytesWritten;
  }
}
