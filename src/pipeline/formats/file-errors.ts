/** A file that is not what it says, or is cut off: tells what is wrong in it. */
export class DamagedFileError extends Error {
  override readonly name: string = 'DamagedFileError';
}

/** A file in which nothing is wrong, but of a kind that is not read here. */
export class UnsupportedFileError extends DamagedFileError {
  override readonly name = 'UnsupportedFileError';
}
