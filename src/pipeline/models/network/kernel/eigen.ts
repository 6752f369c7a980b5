/**
 * Eigenvalues (left on the diagonal) and eigenvectors (columns of Z) of a symmetric m × m matrix by
 * Jacobi's rotations. Both are row-major with `stride` entries a row.
 */
export function diagonalize(A: usize, Z: usize, m: i32, stride: i32): void {
  const row: usize = (<usize>stride) << 3;
  const end: usize = (<usize>m) << 3;
  let norm = 0.0;
  for (let i: usize = 0; i < end; i += 8) {
    for (let j: usize = 0; j < end; j += 8) {
      const a = load<f64>(A + (i >> 3) * row + j);
      norm += a * a;
      store<f64>(Z + (i >> 3) * row + j, i == j ? 1 : 0);
    }
  }
  const least = Math.sqrt(norm) * 1e-17;
  for (let sweep = 0; sweep < 30; sweep++) {
    let rotated = false;
    for (let p = 0; p < m - 1; p++) {
      for (let q = p + 1; q < m; q++) rotated = rotate(A, Z, p, q, row, end, least) || rotated;
    }
    if (!rotated) break;
  }
}

function rotate(A: usize, Z: usize, p: i32, q: i32, row: usize, end: usize, least: f64): bool {
  const ap = A + <usize>p * row;
  const aq = A + <usize>q * row;
  const pp: usize = (<usize>p) << 3;
  const qq: usize = (<usize>q) << 3;
  const off = load<f64>(ap + qq);
  if (Math.abs(off) <= least) return false;
  const angle = (load<f64>(aq + qq) - load<f64>(ap + pp)) / (2 * off);
  const root = Math.sqrt(angle * angle + 1);
  const t = angle < 0 ? 1 / (angle - root) : 1 / (angle + root);
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let at: usize = 0; at < end; at += 8) {
    const rowOf = A + (at >> 3) * row;
    const x = load<f64>(rowOf + pp);
    const y = load<f64>(rowOf + qq);
    store<f64>(rowOf + pp, c * x - s * y);
    store<f64>(rowOf + qq, s * x + c * y);
  }
  for (let at: usize = 0; at < end; at += 8) {
    const x = load<f64>(ap + at);
    const y = load<f64>(aq + at);
    store<f64>(ap + at, c * x - s * y);
    store<f64>(aq + at, s * x + c * y);
    const zRow = Z + (at >> 3) * row;
    const u = load<f64>(zRow + pp);
    const v = load<f64>(zRow + qq);
    store<f64>(zRow + pp, c * u - s * v);
    store<f64>(zRow + qq, s * u + c * v);
  }
  store<f64>(ap + qq, 0);
  store<f64>(aq + pp, 0);
  return true;
}

/**
 * bᵀA⁻¹b by Cholesky's elimination; of A, whose lower triangle is used up, rows are `stride` long.
 */
export function eliminate(A: StaticArray<f64>, b: StaticArray<f64>, n: i32, stride: i32): f64 {
  let sum = 0.0;
  for (let k = 0; k < n; k++) {
    const pivot = unchecked(A[k * stride + k]);
    const value = unchecked(b[k]);
    sum += (value * value) / pivot;
    for (let i = k + 1; i < n; i++) {
      const factor = unchecked(A[i * stride + k]) / pivot;
      unchecked((b[i] -= factor * value));
      for (let j = k + 1; j <= i; j++)
        unchecked((A[i * stride + j] -= factor * unchecked(A[j * stride + k])));
    }
  }
  return sum;
}
