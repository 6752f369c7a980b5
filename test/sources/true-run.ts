import { Buffer } from 'node:buffer';
import type { RunConfig } from '../../src/pipeline/models/minimal/config.ts';

/** A row as it truly is, each number rounded to float64 at the end. */
export interface TrueRow {
  readonly step: number;
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly log10_abs_beta1: number;
  readonly loss: number;
  readonly l1: number;
  readonly l2: number;
  readonly l_hat: number;
  readonly grad_norm: number;
  readonly balance: number;
}

/** What decides the labels of a row beside its numbers. */
export interface Motion {
  /** α·∂α: |α| grows where it is negative. */
  readonly growth: number;
  /** αβ₂ − 1. */
  readonly residual: number;
}

/**
 * The run itself, from the definition of gradient descent (with momentum) and its projection alone:
 * numbers of so many bits behind the point, no carried residual, no factored update, no exponent.
 * It shares nothing with what it judges.
 *
 * @returns the first step whose loss is over 10¹², null where there is none
 */
export function trueRun(
  config: RunConfig,
  bits: number,
  edge: number,
  each: (row: TrueRow, motion: Motion) => void,
): number | null {
  const shift = BigInt(bits);
  const one = 1n << shift;
  const times = (a: bigint, b: bigint) => (a * b) >> shift;
  const over = (a: bigint, b: bigint) => (a << shift) / b;
  const size = (a: bigint) => (a < 0n ? -a : a);
  const fixed = (x: number) => fixedPoint(x, bits);
  const real = (x: bigint) => toFloat(x, bits);
  const { momentum = 0, dampening } = config as { momentum?: number | null; dampening?: number };
  const { moments, init, optimizer, steps } = config;
  const [l1, l2, sigma] = [
    fixed(moments.lambda1),
    fixed(moments.lambda2),
    fixed(moments.covariance),
  ];
  const [eta, floor, most] = [fixed(config.eta), fixed(config.floor), fixed(1e12)];
  const [beta, share] = [fixed(momentum ?? 0), one - fixed(dampening ?? 0)];
  let [a, b, c] = init.map(fixed) as [bigint, bigint, bigint];
  let velocity = [0n, 0n, 0n] as [bigint, bigint, bigint];
  for (let step = 0; step <= steps; step++) {
    const p = times(a, b);
    const r = times(a, c) - one;
    const e1 = times(l1, p) + times(sigma, r);
    const e2 = times(sigma, p) + times(l2, r);
    const twice = times(p, e1) + times(r, e2);
    if (twice > 2n * most) return step;
    const gradient = [times(b, e1) + times(c, e2), times(a, e1), times(a, e2)] as const;
    const rHat = times(a < 0n ? -fixed(edge) : fixed(edge), c) - one;
    const row = {
      step,
      alpha: real(a),
      beta1: real(b),
      beta2: real(c),
      log10_abs_beta1: decades(b, bits),
      loss: real(twice) / 2,
      l1: real(times(l1, times(p, p))) / 2,
      l2: 0.5 * moments.lambda2 * real(r) ** 2,
      l_hat: 0.5 * moments.lambda2 * real(rHat) ** 2,
      grad_norm: Math.hypot(...gradient.map(real)),
      balance: real(times(a, a) - times(b, b) - times(c, c)),
    };
    each(row, { growth: real(times(a, gradient[0])), residual: real(r) });
    velocity = velocity.map(
      (v, k) => times(beta, v) + times(share, gradient[k]!),
    ) as typeof velocity;
    const [before, rBefore] = [a, r];
    a -= times(eta, velocity[0]);
    b -= times(eta, velocity[1]);
    c -= times(eta, velocity[2]);
    let centre = 0n;
    if (sigma !== 0n && optimizer === 'gd' && before !== 0n && a !== 0n) {
      const rest = over(times(over(-sigma, l1), times(a, c) - one), a);
      const restBefore = over(times(over(-sigma, l1), rBefore), before);
      centre = rest - over(rest - restBefore, times(times(eta, l1), times(a, a)));
    }
    if (size(b - centre) < floor) b = b >= centre ? centre + floor : centre - floor;
  }
  return null;
}

function fixedPoint(x: number, bits: number): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(Math.abs(x));
  const all = bytes.readBigUInt64BE();
  const exponent = Number(all >> 52n);
  const mantissa = (all & 0xfffffffffffffn) | (exponent > 0 ? 1n << 52n : 0n);
  const shift = Math.max(1, exponent) - 1075 + bits;
  const value = shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift);
  return x < 0 ? -value : value;
}

/** The leading 120 bits, and how many were cut off. */
function leading(x: bigint): [number, number] {
  const length = 4 * (x < 0n ? -x : x).toString(16).length;
  const cut = Math.max(0, length - 120);
  return [Number(x >> BigInt(cut)), cut];
}

function toFloat(x: bigint, bits: number): number {
  let [value, exponent] = leading(x);
  exponent -= bits;
  for (; exponent < -1000; exponent += 500) value *= 2 ** -500;
  return value * 2 ** exponent;
}

function decades(x: bigint, bits: number): number {
  const [value, cut] = leading(x);
  return Math.log10(Math.abs(value)) + (cut - bits) * Math.log10(2);
}
