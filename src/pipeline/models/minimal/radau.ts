/**
 * An autonomous system y' = f(y) of `size` equations with its Jacobian, both written into the array
 * they are given.
 */
export interface System {
  readonly size: number;
  f(y: Float64Array, into: Float64Array): void;
  /** ∂f/∂y, row by row. */
  jacobian(y: Float64Array, into: Float64Array): void;
}

export interface Radau {
  /**
   * Where the solution stands; belongs to the integrator, which may be moved by writing to it
   * between advances.
   */
  readonly y: Float64Array;
  /** Steps accepted so far. */
  readonly steps: number;
  /**
   * One adaptive step, no longer than `limit`; returns the time it covered. `stage(i)` then gives
   * the i-th of the three values at the nodes c·h, and `WEIGHTS` integrates any function of them
   * over the step.
   */
  step(limit: number): number;
  stage(i: number): Float64Array;
}

export interface RadauOptions {
  /**
   * Tolerance of the error estimate, relative and absolute; the estimate is of order 3, the method
   * of order 5.
   */
  readonly tolerance?: number;
  readonly firstStep?: number;
}

const S6 = Math.sqrt(6);
/** Nodes of Radau IIA with three stages. */
export const NODES = [(4 - S6) / 10, (4 + S6) / 10, 1] as const;
/** Its quadrature weights, which are the last row of its matrix. */
export const WEIGHTS = [(16 - S6) / 36, (16 + S6) / 36, 1 / 9] as const;
const A = [
  [(88 - 7 * S6) / 360, (296 - 169 * S6) / 1800, (-2 + 3 * S6) / 225],
  [(296 + 169 * S6) / 1800, (88 + 7 * S6) / 360, (-2 - 3 * S6) / 225],
  WEIGHTS,
] as const;
/** Real eigenvalue of A, (6 + ∛81 − ∛9)/30, and the weights of the embedded error estimate. */
const GAMMA = (6 + 4.3267487109222245 - 2.080083823051904) / 30;
const E = [(GAMMA * (-13 - 7 * S6)) / 3, (GAMMA * (-13 + 7 * S6)) / 3, -GAMMA / 3] as const;

const NEWTON_ITERATIONS = 12;
/**
 * Newton goes on until what it leaves is this part of the tolerance: invariants then hold far
 * better than asked.
 */
const NEWTON_PART = 1e-5;
const ROUNDING = 4 * Number.EPSILON;

/**
 * Radau IIA of order 5 with adaptive steps (Hairer & Wanner, *Solving Ordinary Differential
 * Equations II*, IV.8): implicit and L-stable, so that a step is as long as the solution is smooth,
 * whatever the stiffness. Made for a handful of equations: each step solves one dense system of
 * 3·size unknowns.
 *
 * @throws RangeError where no step, however short, can be made: the solution has left the finite
 * numbers
 */
export function createRadau(
  system: System,
  start: ArrayLike<number>,
  options: RadauOptions = {},
): Radau {
  const { tolerance = 1e-9, firstStep = 1e-3 } = options;
  const n = system.size;
  const m = 3 * n;
  const y = Float64Array.from(start);
  const f0 = new Float64Array(n);
  const f = new Float64Array(n);
  const jacobian = new Float64Array(n * n);
  const matrix = new Float64Array(m * m);
  const pivots = new Int32Array(m);
  const small = new Float64Array(n * n);
  const smallPivots = new Int32Array(n);
  const z = new Float64Array(m);
  const last = new Float64Array(m);
  const rates = new Float64Array(m);
  const residual = new Float64Array(m);
  const error = new Float64Array(n);
  const scale = new Float64Array(n);
  const stages = [new Float64Array(n), new Float64Array(n), new Float64Array(n)] as const;
  let next = firstStep;
  let lastStep = 0;
  let accepted = 0;

  return {
    y,
    get steps() {
      return accepted;
    },
    stage: (i) => stages[i]!,
    step(limit) {
      let h = Math.min(next, limit);
      for (;;) {
        // So short a step is lost in rounding; and NaN ends here too.
        if (!(h > 1e-300))
          throw new RangeError('the solution cannot be continued: it has left the finite numbers');
        const size = attempt(h);
        if (size <= 1) {
          for (let j = 0; j < n; j++) y[j] = stages[2][j]!;
          last.set(z);
          lastStep = h;
          accepted++;
          const grown = h * Math.min(8, 0.9 / fourthRoot(Math.max(size, 1e-12)));
          // A step cut short by the limit says nothing against the longer one planned.
          next = h < next && grown < next && size < 0.5 ? next : grown;
          return h;
        }
        h *= Number.isFinite(size) ? Math.max(0.1, 0.9 / fourthRoot(size)) : 0.25;
        next = h;
      }
    },
  };

  /**
   * Solves for the stages of a step of length h; returns its error over the tolerance, Infinity
   * where Newton fails.
   */
  function attempt(h: number): number {
    system.f(y, f0);
    system.jacobian(y, jacobian);
    for (let j = 0; j < n; j++) scale[j] = tolerance * (1 + Math.abs(y[j]!));
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        const factor = h * A[a]![b]!;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            matrix[(a * n + i) * m + b * n + j] =
              (a === b && i === j ? 1 : 0) - factor * jacobian[i * n + j]!;
          }
        }
      }
    }
    if (!decompose(matrix, pivots, m)) return Number.POSITIVE_INFINITY;
    predict(h);
    if (!newton(h)) return Number.POSITIVE_INFINITY;

    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++)
        small[i * n + j] = (i === j ? 1 : 0) - h * GAMMA * jacobian[i * n + j]!;
      error[i] = GAMMA * h * f0[i]! + E[0] * z[i]! + E[1] * z[n + i]! + E[2] * z[2 * n + i]!;
    }
    if (!decompose(small, smallPivots, n)) return Number.POSITIVE_INFINITY;
    solve(small, smallPivots, n, error);
    let square = 0;
    for (let i = 0; i < n; i++) {
      const part = error[i]! / scale[i]!;
      square += part * part;
    }
    return Math.sqrt(square / n);
  }

  /** First guess of the stages: the last step's polynomial, continued. */
  function predict(h: number): void {
    if (lastStep === 0 || h > 8 * lastStep) {
      z.fill(0);
      return;
    }
    const [c1, c2] = NODES;
    for (let a = 0; a < 3; a++) {
      const x = 1 + (NODES[a]! * h) / lastStep;
      // Lagrange's polynomials over 0, c1, c2, 1; the value at 0 is 0.
      const l1 = (x * (x - c2) * (x - 1)) / (c1 * (c1 - c2) * (c1 - 1));
      const l2 = (x * (x - c1) * (x - 1)) / (c2 * (c2 - c1) * (c2 - 1));
      const l3 = (x * (x - c1) * (x - c2)) / ((1 - c1) * (1 - c2));
      for (let j = 0; j < n; j++) {
        z[a * n + j] = l1 * last[j]! + l2 * last[n + j]! + (l3 - 1) * last[2 * n + j]!;
      }
    }
  }

  /** Z ← Z − M⁻¹(Z − h(A⊗I)F(Z)) until it stands still. */
  function newton(h: number): boolean {
    let before = Number.POSITIVE_INFINITY;
    for (let iteration = 0; iteration < NEWTON_ITERATIONS; iteration++) {
      for (let a = 0; a < 3; a++) {
        const stage = stages[a]!;
        for (let j = 0; j < n; j++) stage[j] = y[j]! + z[a * n + j]!;
        system.f(stage, f);
        for (let j = 0; j < n; j++) rates[a * n + j] = f[j]!;
      }
      for (let a = 0; a < 3; a++) {
        const [w1, w2, w3] = A[a]!;
        for (let j = 0; j < n; j++) {
          const sum = w1 * rates[j]! + w2 * rates[n + j]! + w3 * rates[2 * n + j]!;
          residual[a * n + j] = h * sum - z[a * n + j]!;
        }
      }
      solve(matrix, pivots, m, residual);
      let square = 0;
      let rounding = true;
      for (let k = 0; k < m; k++) {
        const change = residual[k]!;
        z[k] = z[k]! + change;
        const part = change / scale[k % n]!;
        square += part * part;
        if (Math.abs(change) > ROUNDING * (Math.abs(y[k % n]!) + Math.abs(z[k]!))) rounding = false;
      }
      const change = Math.sqrt(square / m);
      if (!Number.isFinite(change)) return false;
      const rate = change / before;
      const done =
        rounding ||
        change === 0 ||
        // The first change has none to be compared with.
        (iteration > 0 && rate < 1 && (rate / (1 - rate)) * change < NEWTON_PART);
      if (done) {
        for (let a = 0; a < 3; a++)
          for (let j = 0; j < n; j++) stages[a]![j] = y[j]! + z[a * n + j]!;
        return true;
      }
      if (rate >= 2) return false;
      before = change;
    }
    return false;
  }
}

const fourthRoot = (x: number) => Math.sqrt(Math.sqrt(x));

/** LU with row exchanges, in place; false where the matrix is singular or not finite. */
function decompose(matrix: Float64Array, pivots: Int32Array, n: number): boolean {
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) {
      if (Math.abs(matrix[i * n + k]!) > Math.abs(matrix[pivot * n + k]!)) pivot = i;
    }
    pivots[k] = pivot;
    if (pivot !== k) {
      for (let j = 0; j < n; j++) {
        const kept = matrix[k * n + j]!;
        matrix[k * n + j] = matrix[pivot * n + j]!;
        matrix[pivot * n + j] = kept;
      }
    }
    const diagonal = matrix[k * n + k]!;
    if (!(Math.abs(diagonal) > 0 && Number.isFinite(diagonal))) return false;
    for (let i = k + 1; i < n; i++) {
      const factor = matrix[i * n + k]! / diagonal;
      matrix[i * n + k] = factor;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++)
        matrix[i * n + j] = matrix[i * n + j]! - factor * matrix[k * n + j]!;
    }
  }
  return true;
}

function solve(lu: Float64Array, pivots: Int32Array, n: number, b: Float64Array): void {
  for (let k = 0; k < n; k++) {
    const pivot = pivots[k]!;
    if (pivot === k) continue;
    const kept = b[k]!;
    b[k] = b[pivot]!;
    b[pivot] = kept;
  }
  for (let i = 1; i < n; i++) {
    let sum = b[i]!;
    for (let j = 0; j < i; j++) sum -= lu[i * n + j]! * b[j]!;
    b[i] = sum;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let j = i + 1; j < n; j++) sum -= lu[i * n + j]! * b[j]!;
    b[i] = sum / lu[i * n + i]!;
  }
}
