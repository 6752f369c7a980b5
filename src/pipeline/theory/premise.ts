import { count, plural } from '../format.ts';
import type { Moments } from '../models/minimal/moments.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';
import { doesNotApply, type Finding, LEAST_CYCLES, notReached, percent } from './check.ts';
import { type Cycle, type RunTable, wholeCycles } from './run-table.ts';

/**
 * What λ₁ ≫ λ₂ means in the checks: λ₁ ≥ 100·λ₂. The picture of a valley floor whose sharpness is
 * λ₁α², with slow motion along it, is right to first order in λ₂/λ₁ only; here that is 1 %.
 */
export const SEPARATION = 100;

/**
 * The same picture takes features that hardly know of each other: of no more correlation than this.
 */
const CORRELATION = 0.1;

/** Why the moments are not λ₁ ≫ λ₂; undefined where they are. */
export function notSeparated({ lambda1, lambda2, covariance }: Moments): string | undefined {
  const correlation = covariance / Math.sqrt(lambda1 * lambda2);
  if (Math.abs(correlation) > CORRELATION)
    return (
      `it is for features of a correlation up to ${CORRELATION}, and here it is ` +
      `${Number(correlation.toPrecision(3))}`
    );
  const ratio = lambda1 / lambda2;
  if (ratio >= SEPARATION) return undefined;
  return (
    `it is for λ₁ ≫ λ₂, at least ${SEPARATION} times, and here λ₁/λ₂ is ` +
    `${Number(ratio.toPrecision(3))}`
  );
}

/**
 * A cycle, and how far the averaged formulas may be off in it. They take |α| for α̂. With
 * |α| = α̂(1 + u), x = α̂|β₂| and z = 1 − x, the steps of α and β₂ are exactly
 *
 *     α̂·Δu  = ηλ₂|β₂|(z − xu) − ηλ₁α̂(1 + u)β₁²
 *     Δz/z  = −(2λ₂/λ₁)·(1 − g/z),   g = (x − z)u + xu²
 *
 * so that g/z is what the decay of L̂ is off by. Multiply the first by α̂(1 + u)/2η and sum over
 * the cycle, with uΔu = ½Δ(u²) − ½(Δu)², and the sum of L₁ is that of ½α̂λ₂|β₂|z less
 *
 *     ½α̂λ₂·Σ|β₂|g − (α̂²/4η)·(Σ(Δu)² − [2u + u²]),  [·] from its first row to that of the next
 *
 * Nothing is left out there. The error is the sum of the sizes of Σ|β₂|(x − z)u, which is the mean
 * swing, Σ|β₂|xu², its square, and the other two, what whole steps round, over that of |β₂|z.
 */
export interface AveragedCycle {
  readonly rows: Cycle;
  /** Of the average, relative. */
  readonly error: number;
}

/** A cycle in which the averages may be off by more than this tells nothing. */
const MOST_ERROR = 0.3;

/** Of averages over rows, by the rounding of their columns. */
export const ROUNDING = 1e-9;

/**
 * The same of what follows from the decay of z, which rounding in |β₂| keeps from being a share
 * `rate` of z by some units of its last place.
 */
export function decayRounding(rate: number, z = 1): number {
  return ROUNDING + (4 * Number.EPSILON) / (rate * z);
}

/** z of a row, and g (see AveragedCycle): what is of its swing, and of the square of that. */
export function decayOff(edge: number, alpha: number, beta2: number) {
  const u = Math.abs(alpha) / edge - 1;
  const x = edge * Math.abs(beta2);
  return { z: 1 - x, swing: (2 * x - 1) * u, square: x * u * u };
}

/** Whole cycles in a row of which averages can be told. */
export interface Stretch {
  readonly cycles: readonly AveragedCycle[];
  readonly from: number;
  readonly to: number;
}

/**
 * The cycles of a run of which averages can be told: whole ones, in the valley and never out of it
 * across α = 0 or β₂ = 0, in which the swing of S and the way of β₂ keep the error small. That
 * follows from S, αβ₂ and the length of a cycle, never from what is averaged.
 */
export function averagedCycles(table: RunTable): readonly AveragedCycle[] {
  return wholeCycles(table)
    .filter((rows) => inValley(table, rows[0]) && staysOnSide(table, rows))
    .map((rows) => ({ rows, error: averageError(table, rows) }))
    .filter(({ error }) => error <= MOST_ERROR);
}

/** The longest stretch of them; undefined where there is none. */
export function longestStretch(table: RunTable): Stretch | undefined {
  let best: readonly AveragedCycle[] = [];
  let now: AveragedCycle[] = [];
  for (const cycle of averagedCycles(table)) {
    now = now.at(-1)?.rows[1] === cycle.rows[0] ? [...now, cycle] : [cycle];
    if (now.length > best.length) best = now;
  }
  if (best.length === 0) return undefined;
  const from = best[0]!.rows[0];
  const to = best.at(-1)!.rows[1];
  return { cycles: best, from, to };
}

/** In words, what a stretch is of. */
export function stretchWords(table: RunTable, { cycles, from, to }: Stretch): string {
  return (
    `over ${plural(cycles.length, 'cycle')} in a row, steps ${count(table.step[from]!)} to ` +
    `${count(table.step[to]! - 1)}, of ${plural(wholeCycles(table).length, 'whole cycle')}`
  );
}

/** The longest stretch of ten or more of them; else why `what`, which is one of averages, fails. */
export function averagedStretch(table: RunTable, what: string): Stretch | Finding {
  const whole = wholeCycles(table).length;
  if (whole < LEAST_CYCLES)
    return notReached(`only ${plural(whole, 'whole cycle')}; ${what} is one of averages`);
  const stretch = longestStretch(table);
  return stretch && stretch.cycles.length >= LEAST_CYCLES
    ? stretch
    : doesNotApply(tooFew(table, stretch?.cycles.length ?? 0));
}

/** In words, why there are too few of these cycles. */
export function tooFew(table: RunTable, found: number): string {
  return (
    'it is one of averages over cycles in the valley in which they may be off by ' +
    `${percent(MOST_ERROR)} at most, by the swing of S and the way of β₂; of ` +
    `${plural(wholeCycles(table).length, 'whole cycle')} ${found} in a row are such`
  );
}

/**
 * Whether the run is in the valley in that row, as far as the columns tell: where sharpening pushes
 * |α| up (0 < αβ₂ < 1) and λ₁α² is the sharpness (|β₁| ≤ ½|α|). There is another edge of stability
 * near α = 0, where λ₁β₁² is the sharpness and α oscillates; nothing here is about that one.
 */
export function inValley(table: RunTable, row: number): boolean {
  if (!table.has('alpha') || !table.has('beta2')) return true;
  const x = product(table, row);
  const beta1 = table.has('beta1') ? table.column('beta1')[row]! : 0;
  return x > 0 && x < 1 && Math.abs(beta1) <= 0.5 * Math.abs(table.column('alpha')[row]!);
}

/**
 * Whether α and β₂ keep their signs from the first row of a cycle to that of the next. The sum of
 * the steps of |α| and |β₂| is that of α and β₂ there alone (see AveragedCycle).
 */
function staysOnSide(table: RunTable, [from, to]: Cycle): boolean {
  return (['alpha', 'beta2'] as const).every((name) => {
    const values = table.column(name);
    for (let i = from + 1; i <= to; i++) if (!(values[i]! * values[from]! > 0)) return false;
    return true;
  });
}

/** αβ₂ in that row; 0 where the columns do not tell. */
function product(table: RunTable, row: number): number {
  return table.has('alpha') && table.has('beta2')
    ? table.column('alpha')[row]! * table.column('beta2')[row]!
    : 0;
}

/**
 * What the mean of L₁ over whole cycles in a row may be off, relative (see AveragedCycle), from
 * their first row to that of the next.
 */
export function averageError(table: RunTable, [from, to]: Cycle): number {
  const { eta, moments } = table.config;
  const edge = edgeAlpha(moments.lambda1, eta, table.stability);
  const alpha = table.column('alpha');
  const beta2 = table.column('beta2');
  const start = Math.abs(alpha[from]!) / edge - 1;
  let u = start;
  let [swing, squares, steps, whole] = [0, 0, 0, 0];
  for (let i = from; i < to; i++) {
    const size = Math.abs(beta2[i]!);
    const x = edge * size;
    swing += size * (2 * x - 1) * u;
    squares += size * x * u * u;
    whole += size * (1 - x);
    const next = Math.abs(alpha[i + 1]!) / edge - 1;
    steps += (next - u) * (next - u);
    u = next;
  }
  const ends = Math.abs(u * (2 + u) - start * (2 + start));
  const rounding = (edge / (2 * eta * moments.lambda2)) * (steps + ends);
  return whole > 0 ? (Math.abs(swing) + squares + rounding) / whole : Number.POSITIVE_INFINITY;
}
