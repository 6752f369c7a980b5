import { power } from './elementary.ts';

/** Euclidean norm of a vector, without overflow or underflow on the way. */
export function norm(vector: Float64Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  if (most === 0 || !(most < Number.POSITIVE_INFINITY)) return most;
  const scale = most > 1e-140 && most < 1e150 ? 1 : most < 1 ? power(500) : power(-600);
  let sum = 0;
  for (const value of vector) sum += value * scale * (value * scale);
  return Math.sqrt(sum) / scale;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
