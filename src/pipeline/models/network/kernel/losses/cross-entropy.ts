import { exp, log } from '../functions';

/** Samples whose largest output is that of their class, at the last call. */
export let correct: i32 = 0;

/**
 * Mean over samples of ln Σ e^z − z of the class, its slope in each output z, and the softmax,
 * which its bend needs. `target` holds one class a sample.
 */
export function crossEntropy(
  out: usize,
  target: usize,
  slope: usize,
  softmax: usize,
  n: i32,
  width: i32,
): f64 {
  const row: usize = (<usize>width) << 3;
  const scale = 1 / <f64>n;
  let sum = 0.0;
  correct = 0;
  for (let s = 0; s < n; s++) {
    const z = out + <usize>s * row;
    const p = softmax + <usize>s * row;
    const d = slope + <usize>s * row;
    const label = (<usize>load<f64>(target + ((<usize>s) << 3))) << 3;
    let top = load<f64>(z);
    let first: usize = 0;
    for (let i: usize = 8; i < row; i += 8) {
      const value = load<f64>(z + i);
      if (value > top) {
        top = value;
        first = i;
      }
    }
    if (first == label) correct++;
    let total = 0.0;
    for (let i: usize = 0; i < row; i += 8) {
      const e = exp(load<f64>(z + i) - top);
      store<f64>(p + i, e);
      total += e;
    }
    sum += log(total) - (load<f64>(z + label) - top);
    for (let i: usize = 0; i < row; i += 8) {
      const share = load<f64>(p + i) / total;
      store<f64>(p + i, share);
      store<f64>(d + i, (i == label ? share - 1 : share) * scale);
    }
  }
  return sum * scale;
}

/** Its second derivative, (diag p − p pᵀ)/n, times a change of the outputs. */
export function crossEntropyBend(
  softmax: usize,
  change: usize,
  into: usize,
  n: i32,
  width: i32,
): void {
  const row: usize = (<usize>width) << 3;
  const scale = 1 / <f64>n;
  for (let s = 0; s < n; s++) {
    const p = softmax + <usize>s * row;
    const c = change + <usize>s * row;
    let mean = 0.0;
    for (let i: usize = 0; i < row; i += 8) mean += load<f64>(p + i) * load<f64>(c + i);
    for (let i: usize = 0; i < row; i += 8) {
      const share = load<f64>(p + i);
      store<f64>(into + <usize>s * row + i, share * (load<f64>(c + i) - mean) * scale);
    }
  }
}
