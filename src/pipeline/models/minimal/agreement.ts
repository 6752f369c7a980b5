/** Digits that a row must have for what is said of it to be trusted. */
export const TRUSTED_DIGITS = 3;
/**
 * With so many digits or fewer those of the derived columns are looked at too. Without covariance
 * β₁ swings about 0, and they lose digits only where θ itself has few.
 */
export const DOUBTFUL_DIGITS = 11;
export const DOUBTFUL_DECOUPLED = 5;
/**
 * Digits rise by no more than one in so many steps, a power of two: differences pass through 0 now
 * and then, and say nothing there.
 */
export const RISE = 32;

/**
 * Every `RISE` steps the shadow is put so far away at least, relatively, where it still moves: both
 * computations may round alike for a while, and what they have in common is not true for that.
 */
const APART = 2 * Number.EPSILON;

/**
 * The number of a shadow, no nearer to that of the run than `APART`. @param side 1 or −1: where it
 * goes
 */
export function keptApart(own: number, shadow: number, side: number): number {
  return Math.abs(own - shadow) < APART * Math.abs(own) ? own * (1 + side * APART) : shadow;
}

/**
 * Numbers count as equal in d digits where they differ by no more than a twentieth of 10^−d: each
 * of the two runs may be wrong by more than they differ.
 */
export const AGREEMENT: readonly number[] = [
  Number.POSITIVE_INFINITY,
  ...Array.from({ length: 15 }, (_, i) => Number(`5e-${i + 3}`)),
  -1,
];
/** What differs by no more is right to 1e-9, which no row promises to exceed. */
export const AGREED = 5e-11;
/** So many digits are not lost all at once. */
export const AMPLE_DIGITS = 8;

/** Digits, 0 … 15, to which numbers of these sizes agree that are these distances apart. */
export function agreement(
  offAlpha: number,
  alpha: number,
  offBeta1: number,
  beta1: number,
  offBeta2: number,
  beta2: number,
): number {
  let d = 15;
  while (
    d > 0 &&
    !(
      offAlpha <= AGREEMENT[d]! * alpha &&
      offBeta1 <= AGREEMENT[d]! * beta1 &&
      offBeta2 <= AGREEMENT[d]! * beta2
    )
  )
    d--;
  return d;
}

/**
 * Digits of a row whose θ has so many: fewer where one of two differences of this size loses some,
 * but no fewer than are trusted.
 */
export function lesserAgreement(
  agreed: number,
  offA: number,
  a: number,
  offB: number,
  b: number,
): number {
  let d = agreed;
  while (d > TRUSTED_DIGITS && !(offA <= AGREEMENT[d]! * a && offB <= AGREEMENT[d]! * b)) d--;
  return d;
}
