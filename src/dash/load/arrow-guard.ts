import { ByteBuffer } from 'flatbuffers';
import { RunFileError } from './table.ts';

/** Vectors and tables that the metadata of any file may hold; a run of a million steps has about two thousand. */
const VISITS = 50_000;
/** Bytes of a file for which one more is granted: batches are at least as large. */
const BYTES_A_VISIT = 64;

let left = VISITS;

/**
 * Makes the decoder of Arrow's metadata refuse what it otherwise believes: vectors longer than the bytes they stand
 * in, which would be walked to the end, and metadata that refers to itself again and again.
 */
function guardMetadata(): void {
  const { prototype } = ByteBuffer;
  const length = prototype.__vector_len;
  const indirect = prototype.__indirect;
  prototype.__vector_len = function (offset) {
    visit();
    const count = length.call(this, offset);
    if (!(count >= 0 && count <= this.capacity())) damaged(`a list claims ${count} entries`);
    return count;
  };
  prototype.__indirect = function (offset) {
    visit();
    return indirect.call(this, offset);
  };
}

function visit(): void {
  if (left-- <= 0) damaged('its metadata is endless');
}

function damaged(what: string): never {
  throw new RunFileError(`the file is damaged: ${what}`);
}

guardMetadata();

/** Begins with another file: its metadata is counted anew. */
export function startGuard(byteLength: number): void {
  left = VISITS + byteLength / BYTES_A_VISIT;
}
