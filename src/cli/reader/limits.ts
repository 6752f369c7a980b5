const MEGABYTE = 1 << 20;
/** What reading a file may take unless the user allows more. */
const MEGABYTES = 400;
/** Environment variable with the megabytes that reading a file may take. */
export const MEMORY_VARIABLE = 'EOS_READER_MEMORY';

/** Bytes of memory that the process may take which reads a file. */
export function memoryLimit(): number {
  const asked = Number(process.env[MEMORY_VARIABLE]);
  return (asked > 0 ? asked : MEGABYTES) * MEGABYTE;
}

/** Why a reader was ended, in words for the user. */
export function whyEnded(signal: NodeJS.Signals | null): string {
  if (signal === 'SIGALRM') return 'to read it takes longer than its size allows';
  const limit = `${Math.round(memoryLimit() / MEGABYTE)} MB`;
  return `to read it takes more than ${limit} of memory (if you trust it, allow more with ${MEMORY_VARIABLE})`;
}
