import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../formats/byte-source.ts';
import { DamagedFileError } from '../formats/file-errors.ts';

/** The bytes of an open file, as large as it is now. */
export async function fileSource(file: FileHandle): Promise<ByteSource> {
  const { size } = await file.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const length = Math.max(0, Math.min(end, size) - start);
      const bytes = new Uint8Array(length);
      let at = 0;
      while (at < length) {
        const { bytesRead } = await file.read(bytes, at, length - at, start + at);
        if (bytesRead === 0) throw new DamagedFileError('the file is shorter than it says');
        at += bytesRead;
      }
      return bytes.buffer;
    },
  };
}
