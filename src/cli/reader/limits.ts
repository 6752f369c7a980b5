export const MEGABYTE = 1 << 20;
/** What reading a file may take unless the user allows more. */
export const MEGABYTES = 370;
/** Seconds of the processor that reading may take at all. */
const SECONDS = 5;
/** Environment variables with the megabytes and seconds that reading a file may take. */
export const MEMORY_VARIABLE = 'EOS_READER_MEMORY';
const TIME_VARIABLE = 'EOS_READER_SECONDS';

/** Bytes of memory that the process may take which reads a file. */
export function memoryLimit(): number {
  return asked(MEMORY_VARIABLE, MEGABYTES) * MEGABYTE;
}

/** Microseconds of the processor that it may take before it has read anything. */
export function timeLimit(): number {
  return asked(TIME_VARIABLE, SECONDS) * 1e6;
}

/** Share of the memory that objects may take before V8 gives up; it collects them before that. */
const HEAP = 0.7;

/**
 * Flags of the process that reads: V8 collects what is no longer needed as late as it may, which
 * would be after the limit.
 */
export function heapFlags(): string[] {
  const megabytes = Math.ceil((HEAP * memoryLimit()) / MEGABYTE);
  return [`--max-old-space-size=${megabytes}`, '--max-semi-space-size=8'];
}

function asked(variable: string, otherwise: number): number {
  const value = Number(process.env[variable]);
  return value > 0 ? value : otherwise;
}

/**
 * Share of the time that goes by which waiting and looking may take: a log may be followed for
 * days.
 */
export const WAITING = 0.05;

/**
 * Whether a reader has taken more of the processor than it has earned.
 * @param taken microseconds, as `earned` @param waited milliseconds in which it did next to nothing
 */
export function takesTooLong(taken: number, earned: number, waited: number): boolean {
  return taken > earned + WAITING * 1000 * waited;
}

/** Why a reader was ended, in words for the user. */
export function whyEnded(signal: NodeJS.Signals | null): string {
  if (signal === 'SIGALRM')
    return (
      'to read it takes longer than its size allows (if you trust it, allow more with ' +
      `${TIME_VARIABLE})`
    );
  const limit = `${Math.round(memoryLimit() / MEGABYTE)} MB`;
  return (
    `to read it takes more than ${limit} of memory (if you trust it, allow more with ` +
    `${MEMORY_VARIABLE})`
  );
}
