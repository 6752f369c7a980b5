// log₁₀|β₁| of rows.
import { log10s, NORMAL } from './arithmetic';
import { log10 } from './elementary';
import { LOG } from './rows';
import { theRun } from './state';

const LOG10_2: f64 = 0.3010299956639812;

let ofFloor: f64 = NaN;
let itsFloor: f64 = NaN;

/** At the floor β₁ stays for long. */
export function logOfFloor(): f64 {
  const floor = theRun().floor;
  if (floor != itsFloor) {
    itsFloor = floor;
    ofFloor = log10(floor);
  }
  return ofFloor;
}

/** Puts log₁₀(mantissa·2^exponent) in the place of mantissas; that of the floor is the same. */
export function toLogarithms(from: i32, to: i32, exponent: f64, floor: f64): void {
  const power = f64x2.splat(exponent * LOG10_2);
  const ofFloor = logOfFloor();
  let i = from;
  for (; i + 1 < to; i += 2) {
    const at = LOG + ((<usize>i) << 3);
    const sizes = v128.load(at);
    const fit = v128.and(
      f64x2.ge(sizes, f64x2.splat(NORMAL)),
      f64x2.lt(sizes, f64x2.splat(Infinity)),
    );
    let logs = i64x2.all_true(f64x2.eq(sizes, f64x2.splat(floor)))
      ? f64x2.splat(ofFloor)
      : i64x2.all_true(fit)
        ? log10s(sizes)
        : f64x2(log10(f64x2.extract_lane(sizes, 0)), log10(f64x2.extract_lane(sizes, 1)));
    if (exponent != 0) logs = f64x2.add(logs, power);
    v128.store(at, logs);
  }
  if (i >= to) return;
  const at = LOG + ((<usize>i) << 3);
  const log = log10(load<f64>(at));
  store<f64>(at, exponent != 0 ? log + exponent * LOG10_2 : log);
}
