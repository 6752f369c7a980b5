/**
 * max(z, 0). Its second derivative is 0 wherever it has one: the Hessian is that of the active
 * pattern.
 */
export function reluLayer(z: usize, slope: usize, bend: usize, bytes: usize): void {
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(z + i);
    const on = f64x2.gt(x, zero);
    v128.store(z + i, f64x2.pmax(x, zero));
    v128.store(slope + i, v128.and(f64x2.splat(1), on));
    v128.store(bend + i, zero);
  }
}
