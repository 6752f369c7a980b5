/** z itself: layers of it are a deep linear network. */
export function linearLayer(_z: usize, slope: usize, bend: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(slope + i, f64x2.splat(1));
    v128.store(bend + i, f64x2.splat(0));
  }
}
