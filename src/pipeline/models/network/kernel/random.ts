/** The stream of random numbers of a seed. */
export function streamOf(seed: u64): u64 {
  return mix(seed);
}

function mix(value: u64): u64 {
  let z = value + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/**
 * The i-th number of a stream, from −1 up to 1: splitmix64, which needs no state but the place in
 * the stream.
 */
export function symmetricAt(stream: u64, i: u64): f64 {
  const bits = mix(stream + i * 0x9e3779b97f4a7c15);
  return <f64>(<i64>bits >> 11) * 2.220446049250313e-16 * 0.5;
}
