import { blockSize, MOST_ROWS, SLICE } from './block-size.ts';

const FRAMES = 60;

/** What goes on at a pace. */
export interface Paced {
  readonly step: () => number;
  readonly goes: () => boolean;
  /** How many of so many rows may be computed at once without going further than is wanted. */
  readonly upTo: (rows: number) => number;
  readonly advance: (rows: number) => void;
}

/** Lets a run go on at so many steps a second, a slice of time at once. */
export interface Pacer {
  /** Keeps a speed, in steps a second, from a step on. */
  readonly keep: (speed: number, step: number) => void;
  /** What comes next is another run, whose rows may take longer. */
  readonly restart: () => void;
  /** Computes what is due, or as much of it as a slice has room for; true where more is due. */
  readonly slice: () => boolean;
}

/** @param now the time in milliseconds */
export function pacer(paced: Paced, now: () => number): Pacer {
  let speed = 0;
  /** Since when, and from which step, the speed has been kept. */
  let begun = { at: 0, step: 0 };
  /** Rows of the next block. */
  let size = 1;
  return {
    keep(steps, step) {
      speed = steps;
      begun = { at: now(), step };
    },
    restart() {
      size = 1;
    },
    slice() {
      const start = now();
      const due = begun.step + ((start - begun.at) / 1000) * speed;
      const many = Math.max(1, Math.min(MOST_ROWS, Math.round(speed / FRAMES)));
      const owes = () => paced.goes() && paced.step() < due;
      while (owes() && now() - start < SLICE) {
        const wanted = paced.upTo(many);
        size = Math.min(size, wanted);
        const from = now();
        paced.advance(size);
        size = blockSize(wanted, size, now() - from);
      }
      const behind = owes();
      // What could not be kept up with is not made up for.
      if (behind) begun = { at: now(), step: paced.step() };
      return behind;
    },
  };
}
