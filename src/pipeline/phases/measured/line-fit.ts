/** y ≈ intercept + slope·x, with the standard errors of both. */
export interface LineFit {
  readonly intercept: number;
  readonly slope: number;
  readonly interceptError: number;
  readonly slopeError: number;
}

/**
 * Least squares of a line through points of equal weight; null for fewer than three, or where all x
 * are one.
 */
export function fitLine(xs: ArrayLike<number>, ys: ArrayLike<number>): LineFit | null {
  const n = xs.length;
  if (n < 3) return null;
  const meanX = mean(xs);
  const meanY = mean(ys);
  let xx = 0;
  let xy = 0;
  for (let i = 0; i < n; i++) {
    xx += square(xs[i]! - meanX);
    xy += (xs[i]! - meanX) * (ys[i]! - meanY);
  }
  if (!(xx > 0)) return null;
  const slope = xy / xx;
  const intercept = meanY - slope * meanX;
  let residual = 0;
  for (let i = 0; i < n; i++) residual += square(ys[i]! - intercept - slope * xs[i]!);
  const variance = residual / (n - 2);
  return {
    slope,
    intercept,
    slopeError: Math.sqrt(variance / xx),
    interceptError: Math.sqrt(variance * (1 / n + square(meanX) / xx)),
  };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

const square = (x: number) => x * x;
