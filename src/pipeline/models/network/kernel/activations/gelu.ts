import { bellPair, normalPair } from '../functions';

/** z·Φ(z), Φ the normal distribution: the exact form, by erf. */
export function geluLayer(z: usize, slope: usize, bend: usize, bytes: usize): void {
  const density = f64x2.splat(0.3989422804014327);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(z + i);
    const bell = bellPair(x);
    const share = normalPair(x, bell);
    const phi = f64x2.mul(bell, density);
    v128.store(z + i, f64x2.mul(x, share));
    v128.store(slope + i, f64x2.add(share, f64x2.mul(x, phi)));
    v128.store(bend + i, f64x2.mul(phi, f64x2.sub(f64x2.splat(2), f64x2.mul(x, x))));
  }
}
