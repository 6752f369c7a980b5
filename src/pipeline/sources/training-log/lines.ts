import type { Tally } from './log-error.ts';

const NEWLINE = 10;
const RETURN = 13;

/** A line longer than this is not taken in; memory stays bounded whatever comes. */
export const LONGEST_LINE = 1 << 20;

/**
 * Takes in one line: the bytes from `from` to `to`, without its end. `cut` where the log ends in it
 * without one, `over` where a CR alone ends it: then what follows is written over it.
 */
export type LineTaker = (
  bytes: Uint8Array,
  from: number,
  to: number,
  line: number,
  cut: boolean,
  over: boolean,
) => void;

/** Cuts chunks of bytes into lines. */
export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** The log has ended. */
  end(): void;
  /** The bytes that follow come from the start of another file: what was begun stays unfinished. */
  readonly line: number;
}

/**
 * Lines end in LF, CR LF, CR (as progress bars do that are written over) or, at the very end, in
 * nothing. Lines are numbered by LF, as editors do. A line over 1 MiB is counted and left out.
 */
export function createLineSplitter(take: LineTaker, tally: Tally): LineSplitter {
  let line = 1;
  let carry = new Uint8Array(1 << 12);
  let carried = 0;
  let tooLong = false;

  function keep(bytes: Uint8Array): void {
    if (tooLong || carried + bytes.length > LONGEST_LINE) {
      tooLong = true;
      carried = 0;
      return;
    }
    if (carried + bytes.length > carry.length) {
      const larger = new Uint8Array(Math.max(2 * carry.length, carried + bytes.length));
      larger.set(carry.subarray(0, carried));
      carry = larger;
    }
    carry.set(bytes, carried);
    carried += bytes.length;
  }

  function emit(bytes: Uint8Array, from: number, to: number, cut: boolean, over: boolean): void {
    if (tooLong || to - from > LONGEST_LINE) tally.add('line longer than 1 MiB', line);
    else take(bytes, from, to > from && bytes[to - 1] === RETURN ? to - 1 : to, line, cut, over);
    tooLong = false;
    carried = 0;
  }

  function end(chunk: Uint8Array, from: number, to: number, over: boolean): void {
    if (carried > 0 || tooLong) {
      keep(chunk.subarray(from, to));
      emit(carry, 0, carried, false, over);
    } else {
      emit(chunk, from, to, false, over);
    }
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return;
      let from = 0;
      if (carried > 0 && carry[carried - 1] === RETURN && chunk[0] !== NEWLINE)
        emit(carry, 0, carried, false, true);
      let back = chunk.indexOf(RETURN, from);
      for (;;) {
        const to = chunk.indexOf(NEWLINE, from);
        if (back >= 0 && back < from) back = chunk.indexOf(RETURN, from);
        // What comes behind a CR at the end tells whether the line is written over.
        if (back >= 0 && (to < 0 ? back < chunk.length - 1 : back < to - 1)) {
          end(chunk, from, back, true);
          from = back + 1;
          continue;
        }
        if (to < 0) break;
        end(chunk, from, to, false);
        line++;
        from = to + 1;
      }
      if (from < chunk.length) keep(chunk.subarray(from));
    },
    end() {
      if (carried > 0 || tooLong) emit(carry, 0, carried, true, false);
    },
    get line() {
      return line;
    },
  };
}
