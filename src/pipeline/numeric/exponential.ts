import { LN2_HIGH, LN2_LOW, power } from './elementary.ts';

const EXP_MOST = 709.782712893384;
const EXP_LEAST = -745.1332191019412;

/** e^x. */
export function exp(x: number): number {
  if (!(x <= EXP_MOST)) return x > EXP_MOST ? Number.POSITIVE_INFINITY : Number.NaN;
  if (x < EXP_LEAST) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  // What rounding took from r, and what e^r has beyond 1 + r.
  const lost = high - r - low;
  const series =
    r *
    r *
    (1 / 2 +
      r *
        (1 / 6 +
          r *
            (1 / 24 +
              r *
                (1 / 120 +
                  r *
                    (1 / 720 +
                      r *
                        (1 / 5040 +
                          r *
                            (1 / 40320 +
                              r *
                                (1 / 362880 +
                                  r *
                                    (1 / 3628800 +
                                      r *
                                        (1 / 39916800 +
                                          r * (1 / 479001600 + r / 6227020800)))))))))));
  const value = 1 + (r + (series + lost));
  // In two steps where one power of two would be out of range.
  return k > -1000 && k < 1000 ? value * power(k) : value * power(k >> 1) * power(k - (k >> 1));
}

/** sin x for |x| ≤ π/2, by its series. */
export function sin(x: number): number {
  let sum = 0;
  let term = x;
  for (let n = 1; n < 30; n += 2) {
    sum += term;
    term *= (-x * x) / ((n + 1) * (n + 2));
  }
  return sum;
}
