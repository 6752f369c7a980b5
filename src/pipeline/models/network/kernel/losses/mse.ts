/** ½ · mean over samples and outputs of (output − target)², and its slope in each output. */
export function squaredError(out: usize, target: usize, slope: usize, n: i32, width: i32): f64 {
  const bytes: usize = (<usize>(n * width)) << 3;
  const scale = 1 / <f64>(n * width);
  let sum = 0.0;
  for (let i: usize = 0; i < bytes; i += 8) {
    const e = load<f64>(out + i) - load<f64>(target + i);
    sum += e * e;
    store<f64>(slope + i, e * scale);
  }
  return 0.5 * sum * scale;
}

/** Its second derivative times a change of the outputs. */
export function squaredErrorBend(change: usize, into: usize, n: i32, width: i32): void {
  const bytes: usize = (<usize>(n * width)) << 3;
  const scale = 1 / <f64>(n * width);
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(into + i, load<f64>(change + i) * scale);
}
