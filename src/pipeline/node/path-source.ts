import { open, stat } from 'node:fs/promises';
import { type ByteSource, windowed } from '../formats/byte-source.ts';
import { fileSource } from './file-source.ts';

/** The bytes of a file, which is open only while they are read. */
export async function pathSource(path: string | URL): Promise<ByteSource> {
  const { size } = await stat(path);
  return windowed({
    byteLength: size,
    async slice(start, end = size) {
      const file = await open(path, 'r');
      try {
        return await (await fileSource(file)).slice(start, end);
      } finally {
        await file.close();
      }
    },
  });
}
