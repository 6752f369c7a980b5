import type { Compressors } from 'hyparquet';
import { compressors as others } from 'hyparquet-compressors';
import { unpackZstd } from '../arrow/zstd-frame.ts';

/** What Parquet pages are unpacked by: the decoder of Zstandard that comes with the others knows no bound of time. */
export const compressors: Compressors = {
  ...others,
  ZSTD(input, length) {
    const out = new Uint8Array(length);
    unpackZstd(input, out);
    return out;
  },
};
