import { tanhPair } from '../functions';

/** The hyperbolic tangent of z. */
export function tanhLayer(z: usize, slope: usize, bend: usize, bytes: usize): void {
  const one = f64x2.splat(1);
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = tanhPair(v128.load(z + i));
    const p = f64x2.sub(one, f64x2.mul(a, a));
    v128.store(z + i, a);
    v128.store(slope + i, p);
    v128.store(bend + i, f64x2.mul(f64x2.splat(-2), f64x2.mul(a, p)));
  }
}
