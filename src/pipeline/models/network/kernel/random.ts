import { log } from './functions';

/** The i-th number of the stream of a seed: splitmix64, which needs no state but the place in the stream. */
export function bitsAt(seed: u64, i: u64): u64 {
  let z = mix(seed) + i * 0x9e3779b97f4a7c15;
  return mix(z);
}

function mix(value: u64): u64 {
  let z = value + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** From −1 up to 1. */
export function symmetricAt(seed: u64, i: u64): f64 {
  return <f64>(<i64>bitsAt(seed, i) >> 11) * 2.220446049250313e-16 * 0.5;
}

/**
 * Fills with draws from the normal distribution of that deviation, by Marsaglia's polar method.
 *
 * @returns place in the stream after the draws
 */
export function fillNormal(at: usize, n: i32, deviation: f64, seed: u64, from: u64): u64 {
  const end = at + ((<usize>n) << 3);
  let i = from;
  while (at < end) {
    const x = symmetricAt(seed, i);
    const y = symmetricAt(seed, i + 1);
    i += 2;
    const r = x * x + y * y;
    if (r >= 1 || r == 0) continue;
    const scale = deviation * Math.sqrt((-2 * log(r)) / r);
    store<f64>(at, x * scale);
    at += 8;
    if (at < end) store<f64>(at, y * scale);
    at += 8;
  }
  return i;
}

/** A permutation of the i32 0 … n − 1 by Fisher and Yates, drawn from that place of the stream on. */
export function fillPermutation(at: usize, n: i32, seed: u64, from: u64): void {
  for (let i = 0; i < n; i++) store<i32>(at + ((<usize>i) << 2), i);
  for (let i = n - 1; i > 0; i--) {
    const j = i32(((bitsAt(seed, from + <u64>(n - i)) >> 32) * <u64>(i + 1)) >> 32);
    const a = at + ((<usize>i) << 2);
    const b = at + ((<usize>j) << 2);
    const swapped = load<i32>(a);
    store<i32>(a, load<i32>(b));
    store<i32>(b, swapped);
  }
}
