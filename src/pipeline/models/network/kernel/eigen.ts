/**
 * Makes a symmetric m × m matrix diagonal by Jacobi's rotations, which turn the rows of Z with it:
 * of a Z that was 1 they become its eigenvectors. Both have `stride` entries a row, m + 1 at least.
 */
export function diagonalize(A: usize, Z: usize, m: i32, stride: i32): void {
  const row: usize = (<usize>stride) << 3;
  const end: usize = (<usize>m) << 3;
  let norm = 0.0;
  for (let i: usize = 0; i < end; i += 8) {
    for (let j: usize = 0; j < end; j += 8) {
      const a = load<f64>(A + (i >> 3) * row + j);
      norm += a * a;
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
  const first = load<f64>(ap + pp);
  const second = load<f64>(aq + qq);
  const angle = (second - first) / (2 * off);
  const root = Math.sqrt(angle * angle + 1);
  const t = angle < 0 ? 1 / (angle - root) : 1 / (angle + root);
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  turnRows(ap, aq, c, s, end);
  turnRows(Z + <usize>p * row, Z + <usize>q * row, c, s, end);
  let column = A;
  for (let at: usize = 0; at < end; at += 8) {
    store<f64>(column + pp, load<f64>(ap + at));
    store<f64>(column + qq, load<f64>(aq + at));
    column += row;
  }
  store<f64>(ap + pp, first - t * off);
  store<f64>(aq + qq, second + t * off);
  store<f64>(ap + qq, 0);
  store<f64>(aq + pp, 0);
  return true;
}

/** Turns two rows in their plane, with what lies behind an odd end. */
function turnRows(x: usize, y: usize, c: f64, s: f64, end: usize): void {
  const cosine = f64x2.splat(c);
  const sine = f64x2.splat(s);
  for (let at: usize = 0; at < end; at += 16) {
    const a = v128.load(x + at);
    const b = v128.load(y + at);
    v128.store(x + at, f64x2.sub(f64x2.mul(cosine, a), f64x2.mul(sine, b)));
    v128.store(y + at, f64x2.add(f64x2.mul(sine, a), f64x2.mul(cosine, b)));
  }
}

/**
 * bᵀA⁻¹b by Cholesky's elimination; of A, whose lower triangle is used up, rows are `stride` long.
 * Unknowns whose pivot is not over `least` are left out.
 */
export function eliminate(A: usize, b: usize, n: i32, stride: i32, least: f64 = -Infinity): f64 {
  const row: usize = (<usize>stride) << 3;
  const end: usize = (<usize>n) << 3;
  let sum = 0.0;
  for (let k: usize = 0; k < end; k += 8) {
    const pivot = load<f64>(A + (k >> 3) * row + k);
    const value = load<f64>(b + k);
    if (pivot <= least) continue;
    sum += (value * value) / pivot;
    for (let i = k + 8; i < end; i += 8) {
      const a = A + (i >> 3) * row;
      const factor = load<f64>(a + k) / pivot;
      store<f64>(b + i, load<f64>(b + i) - factor * value);
      for (let j = k + 8; j <= i; j += 8)
        store<f64>(a + j, load<f64>(a + j) - factor * load<f64>(A + (j >> 3) * row + k));
    }
  }
  return sum;
}

/** A⁻¹b in place of b, behind `eliminate`; 0 for what that left out. */
export function substitute(A: usize, b: usize, n: i32, stride: i32, least: f64): void {
  const row: usize = (<usize>stride) << 3;
  const end: usize = (<usize>n) << 3;
  for (let k = end; k > 0; k -= 8) {
    const at = k - 8;
    const pivot = load<f64>(A + (at >> 3) * row + at);
    let value = load<f64>(b + at);
    for (let i = k; i < end; i += 8) value -= load<f64>(A + (i >> 3) * row + at) * load<f64>(b + i);
    store<f64>(b + at, pivot > least ? value / pivot : 0);
  }
}

/** Share of its square that of each vector must be outside of those before it. */
const APART = 0.1;

/**
 * Rows of W that combine vectors whose products are in G to orthonormal ones, each of those up to
 * it: the inverse of L in G = LLᵀ. Of G the lower triangle is used up.
 *
 * @returns false where they are near to depending on each other
 */
export function orthonormalizer(G: usize, W: usize, n: i32, stride: i32): bool {
  const row: usize = (<usize>stride) << 3;
  for (let i = 0; i < n; i++) {
    const g = G + <usize>i * row;
    const w = W + <usize>i * row;
    for (let j = 0; j <= i; j++) {
      const other = G + <usize>j * row;
      const slot = g + ((<usize>j) << 3);
      const whole = load<f64>(slot);
      let left = whole;
      for (let k: usize = 0; k < (<usize>j) << 3; k += 8)
        left -= load<f64>(g + k) * load<f64>(other + k);
      if (j < i) left /= load<f64>(other + ((<usize>j) << 3));
      else if (left > APART * whole) left = Math.sqrt(left);
      else return false;
      store<f64>(slot, left);
    }
    const pivot = load<f64>(g + ((<usize>i) << 3));
    for (let j = 0; j < n; j++) {
      let sum = i == j ? 1.0 : 0.0;
      for (let k = j; k < i; k++)
        sum -= load<f64>(g + ((<usize>k) << 3)) * load<f64>(W + <usize>k * row + ((<usize>j) << 3));
      store<f64>(w + ((<usize>j) << 3), j > i ? 0 : sum / pivot);
    }
  }
  return true;
}
