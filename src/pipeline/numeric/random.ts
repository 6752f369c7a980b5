import { log } from './elementary.ts';

/** Pseudo-random numbers that are the same in every engine. */
export interface Random {
  /** The next number, evenly from [0, 1), with 53 bits. */
  uniform(): number;
  /** The next number of the standard normal distribution. */
  normal(): number;
}

/**
 * A generator for a seed (any whole number): xoshiro128** (Blackman & Vigna), started from the seed
 * through SplitMix with the 32-bit mixing function of Murmur3, so that neighbouring seeds give
 * unrelated numbers from the first one on. Normal numbers come from the polar method (Marsaglia).
 */
export function createRandom(seed: number): Random {
  let mixed = mix(seed | 0) ^ mix(Math.floor(seed / 4294967296) ^ 0x5bd1e995);
  const word = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    return mix(mixed);
  };
  let [a, b, c, d] = [word(), word(), word(), word() | 1];
  let spare = Number.NaN;

  function next(): number {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }

  const uniform = () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;

  return {
    uniform,
    normal() {
      if (!Number.isNaN(spare)) {
        const kept = spare;
        spare = Number.NaN;
        return kept;
      }
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const square = x * x + y * y;
        if (square >= 1 || square === 0) continue;
        const factor = Math.sqrt((-2 * log(square)) / square);
        spare = y * factor;
        return x * factor;
      }
    },
  };
}

/** The finalizer of Murmur3: every bit of the result depends on every bit of the word. */
function mix(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
