/**
 * The i-th number of the stream of a seed: splitmix64, which needs no state but the place in the
 * stream.
 */
function bitsAt(seed: u64, i: u64): u64 {
  return mix(mix(seed) + i * 0x9e3779b97f4a7c15);
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
