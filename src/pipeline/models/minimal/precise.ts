import { hypot, log10, power as powerOf2 } from '../../numeric/elementary.ts';
import type { DescentColumns, DescentParameters } from './descend.ts';
import { DIVERGENCE_LOSS } from './loss.ts';

/** θ_t in fixed point: each number times 2^bits, and β₁ with an exponent of its own beyond that. */
export interface PreciseState {
  readonly bits: number;
  readonly step: number;
  readonly alpha: bigint;
  /** β₁ = mantissa·2^(exponent − bits): it never underflows where the covariance is 0. */
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly beta2: bigint;
  readonly divergedAt: number | null;
}

/** A block of rows, and the state behind them. */
export interface PreciseBlock {
  readonly length: number;
  readonly state: PreciseState;
}

/** So many bits of β₁ may be lost before its exponent takes them over. */
const SHIFT = 64;
const LOG10_2 = 0.3010299956639812;

/** A float64 as the fraction that it is: mantissa / 2^shift. */
interface Constant {
  readonly mantissa: bigint;
  readonly shift: bigint;
}

const words = new DataView(new ArrayBuffer(8));

function constant(x: number): Constant {
  words.setFloat64(0, x);
  const all = words.getBigUint64(0);
  const exponent = (all >> 52n) & 0x7ffn;
  const size = (all & 0xfffffffffffffn) | (exponent > 0n ? 1n << 52n : 0n);
  return { mantissa: x < 0 ? -size : size, shift: 1075n - (exponent > 0n ? exponent : 1n) };
}

function product(a: Constant, b: Constant): Constant {
  return { mantissa: a.mantissa * b.mantissa, shift: a.shift + b.shift };
}

/** x times a constant. */
function times(x: bigint, { mantissa, shift }: Constant): bigint {
  return shift >= 0n ? (x * mantissa) >> shift : (x * mantissa) << -shift;
}

/** The state of a run at step 0, every digit of its start kept that so many bits can hold. */
export function preciseStart(
  { init: [alpha, beta1, beta2], moments }: DescentParameters,
  bits: number,
): PreciseState {
  const one = 1n << BigInt(bits);
  const start = {
    bits,
    step: 0,
    alpha: times(one, constant(alpha)),
    beta2: times(one, constant(beta2)),
    divergedAt: null,
  };
  let exponent = 0;
  while (moments.covariance === 0 && beta1 !== 0 && Math.abs(beta1) < power(exponent - SHIFT))
    exponent -= SHIFT;
  const mantissa = times(one << BigInt(-exponent), constant(beta1));
  return { ...start, mantissa, exponent };
}

/** Bits that hold the start to so many digits as float64 does, or all but two of them. */
export function startBits({ init: [alpha, beta1, beta2], moments }: DescentParameters): number {
  const held = moments.covariance === 0 ? [alpha, beta2] : [alpha, beta1, beta2];
  const least = Math.min(...held.filter((x) => x !== 0).map(Math.abs), 1);
  return 46 + Math.ceil(-log10(least) / LOG10_2);
}

/** 2^k, 0 where it is below the range of float64. */
const power = (k: number) => (k < -1022 ? 0 : powerOf2(k));

/**
 * Gradient descent in arithmetic of so many bits behind the point: `count` rows rounded to float64
 * at the end, fewer where the run diverges. The same steps and projection as `descend`; the columns
 * but for `digits`, which takes a second run.
 */
export function preciseDescend(
  { eta, floor, steps, moments }: DescentParameters,
  state: PreciseState,
  count: number,
  columns: Omit<DescentColumns, 'digits'>,
): PreciseBlock {
  const { lambda1, lambda2, covariance } = moments;
  const { bits, step: first } = state;
  const F = BigInt(bits);
  const one = 1n << F;
  const least = 1n << BigInt(bits - SHIFT);
  const step = constant(eta);
  const large = constant(lambda1);
  const small = constant(lambda2);
  const mixed = constant(covariance);
  const rate1 = product(step, large);
  const rate2 = product(step, small);
  const rateC = product(step, mixed);
  const decoupled = covariance === 0;
  const edge = constant(floor);
  const floorAt = (exponent: number) => times(one << BigInt(-exponent), edge);

  let { alpha, mantissa, exponent, beta2, divergedAt } = state;
  let held = floorAt(exponent);
  let length = 0;
  while (length < count) {
    const residual = ((alpha * beta2) >> F) - one;
    const beta1 = exponent === 0 ? mantissa : mantissa >> BigInt(-exponent);
    const squares = (alpha * alpha) >> F;

    const [a, r] = [toNumber(alpha, bits), toNumber(residual, bits)];
    const size = scaled(mantissa, bits - exponent);
    const b1 = unscale(size);
    const b2 = toNumber(beta2, bits);
    const p = a * b1;
    const l2 = 0.5 * lambda2 * (r * r);
    const loss = 0.5 * lambda1 * (p * p) + l2 + covariance * p * r;
    if (!(loss <= DIVERGENCE_LOSS)) {
      divergedAt = first + length;
      break;
    }
    const e1 = lambda1 * p + covariance * r;
    const e2 = covariance * p + lambda2 * r;
    columns.step[length] = first + length;
    columns.alpha[length] = a;
    columns.beta1[length] = b1;
    columns.beta2[length] = b2;
    columns.log10_abs_beta1[length] =
      Math.abs(b1) > 1e-300
        ? log10(Math.abs(b1))
        : log10(Math.abs(size.value)) + size.exponent * LOG10_2;
    columns.loss[length] = loss;
    columns.l2[length] = l2;
    columns.grad_norm[length] = hypot(b1 * e1 + b2 * e2, a * e1, a * e2);
    length++;

    if (decoupled) {
      const square = (mantissa * mantissa) >> BigInt(bits - 2 * exponent);
      const pull = times(residual, rate2);
      const push = times((alpha * square) >> F, rate1);
      mantissa = (mantissa * (one - times(squares, rate1))) >> F;
      const before = alpha;
      alpha = alpha - push - ((beta2 * pull) >> F);
      beta2 -= (before * pull) >> F;
      const exponentBefore = exponent;
      while (absolute(mantissa) < least && mantissa !== 0n) {
        mantissa <<= BigInt(SHIFT);
        exponent -= SHIFT;
      }
      while (exponent < 0 && absolute(mantissa) >= one) {
        mantissa >>= BigInt(SHIFT);
        exponent += SHIFT;
      }
      if (exponent !== exponentBefore) held = floorAt(exponent);
      if (absolute(mantissa) < held) mantissa = mantissa < 0n ? -held : held;
    } else {
      const force1 = times((alpha * beta1) >> F, rate1) + times(residual, rateC);
      const force2 = times(residual, rate2) + times((alpha * beta1) >> F, rateC);
      const before = alpha;
      mantissa -= (alpha * force1) >> F;
      alpha -= (beta1 * force1 + beta2 * force2) >> F;
      beta2 -= (before * force2) >> F;
      if (floor > 0 && before !== 0n && alpha !== 0n) {
        const next = ((alpha * beta2) >> F) - one;
        const rest = -(times(next, mixed) << F) / times(alpha, large);
        const restBefore = -(times(residual, mixed) << F) / times(before, large);
        const centre = rest - ((rest - restBefore) << F) / times((alpha * alpha) >> F, rate1);
        if (absolute(mantissa - centre) < held)
          mantissa = mantissa >= centre ? centre + held : centre - held;
      }
    }
  }
  // The run may diverge at the step behind the last row: it is known with that row, as in float64.
  return {
    length,
    state: { bits, step: first + length, alpha, mantissa, exponent, beta2, divergedAt: ended() },
  };

  function ended(): number | null {
    if (divergedAt !== null || first + length > steps) return divergedAt;
    const p = toNumber(alpha, bits) * unscale(scaled(mantissa, bits - exponent));
    const r = toNumber(((alpha * beta2) >> F) - one, bits);
    const loss = 0.5 * lambda1 * (p * p) + 0.5 * lambda2 * (r * r) + covariance * p * r;
    return loss <= DIVERGENCE_LOSS ? null : first + length;
  }
}

const absolute = (x: bigint) => (x < 0n ? -x : x);

/** A number as value·2^exponent, the value in the range of float64. */
interface Scaled {
  readonly value: number;
  readonly exponent: number;
}

/** More bits than float64 has are kept where a number is shortened; Number() rounds correctly. */
const KEPT = 960;

function scaled(x: bigint, bits: number): Scaled {
  const cut = bits > KEPT ? bits - KEPT : 0;
  const short = Number(x >> BigInt(cut));
  if (Math.abs(short) > 1e30 || cut === 0) return { value: short, exponent: cut - bits };
  // So small that its digits have been cut off with the rest.
  const length = 4 * absolute(x).toString(16).length;
  const shift = Math.max(0, length - 128);
  return { value: Number(x >> BigInt(shift)), exponent: shift - bits };
}

function unscale({ value, exponent }: Scaled): number {
  if (exponent >= -1000) return value * power(exponent);
  return value * power(-1000) * power(exponent + 1000);
}

function toNumber(x: bigint, bits: number): number {
  return unscale(scaled(x, bits));
}
