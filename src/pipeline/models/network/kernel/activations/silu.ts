import { expPair } from '../functions';

/** z·σ(z), σ the logistic function. */
export function siluLayer(z: usize, slope: usize, bend: usize, bytes: usize): void {
  const one = f64x2.splat(1);
  const two = f64x2.splat(2);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(z + i);
    const a = f64x2.pmin(f64x2.abs(x), f64x2.splat(700));
    const e = expPair(f64x2.neg(a), f64x2.splat(0));
    const over = f64x2.div(one, f64x2.add(one, e));
    const under = f64x2.mul(e, over);
    const negative = f64x2.lt(x, f64x2.splat(0));
    const s = v128.bitselect(under, over, negative);
    const rest = v128.bitselect(over, under, negative);
    const ds = f64x2.mul(s, rest);
    v128.store(z + i, f64x2.mul(x, s));
    v128.store(slope + i, f64x2.add(s, f64x2.mul(x, ds)));
    v128.store(bend + i, f64x2.mul(ds, f64x2.add(two, f64x2.mul(x, f64x2.sub(rest, s)))));
  }
}
