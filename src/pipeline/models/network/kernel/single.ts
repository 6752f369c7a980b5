// Products with the Hessian in single precision, in half the time or less: rows and columns of all
// matrices are filled up with zeros to fours, so that no loop has a rest.

/** Bytes of a row of so many numbers. */
function rowOf(width: i32): usize {
  return (<usize>((width + 3) & ~3)) << 2;
}

function fours(count: i32): i32 {
  return (count + 3) & ~3;
}

/** Room for a matrix of zeros. */
export function matrixOf(rows: i32, columns: i32): usize {
  const bytes = <usize>fours(rows) * rowOf(columns);
  const at = heap.alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

/** A matrix of doubles, row by row, in single precision. */
export function narrow(from: usize, into: usize, rows: i32, columns: i32): void {
  const stride = rowOf(columns);
  for (let r = 0; r < rows; r++) {
    const source = from + ((<usize>(r * columns)) << 3);
    const target = into + <usize>r * stride;
    let i: usize = 0;
    for (; i + 3 < <usize>columns; i += 4) {
      const a = f32x4.demote_f64x2_zero(v128.load(source + (i << 3)));
      const b = f32x4.demote_f64x2_zero(v128.load(source + (i << 3), 16));
      v128.store(target + (i << 2), v128.shuffle<f32>(a, b, 0, 1, 4, 5));
    }
    for (; i < <usize>columns; i++)
      store<f32>(target + (i << 2), <f32>load<f64>(source + (i << 3)));
  }
}

/** The other way. */
export function widen(from: usize, into: usize, rows: i32, columns: i32): void {
  const stride = rowOf(columns);
  for (let r = 0; r < rows; r++) {
    const source = from + <usize>r * stride;
    const target = into + ((<usize>(r * columns)) << 3);
    let i: usize = 0;
    for (; i + 3 < <usize>columns; i += 4) {
      const a = v128.load(source + (i << 2));
      v128.store(target + (i << 3), f64x2.promote_low_f32x4(a));
      const b = v128.shuffle<f32>(a, a, 2, 3, 2, 3);
      v128.store(target + (i << 3), f64x2.promote_low_f32x4(b), 16);
    }
    for (; i < <usize>columns; i++)
      store<f64>(target + (i << 3), <f64>load<f32>(source + (i << 2)));
  }
}

/** into [columns × rows] = the transpose of a matrix, four by four. */
export function transpose(from: usize, into: usize, rows: i32, columns: i32): void {
  const row = rowOf(columns);
  const column = rowOf(rows);
  for (let r: usize = 0; r < column; r += 16) {
    const a0 = from + (r >> 2) * row;
    for (let c: usize = 0; c < row; c += 16) {
      const a = v128.load(a0 + c);
      const b = v128.load(a0 + row + c);
      const d = v128.load(a0 + 2 * row + c);
      const e = v128.load(a0 + 3 * row + c);
      const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const de = v128.shuffle<f32>(d, e, 0, 4, 1, 5);
      const DE = v128.shuffle<f32>(d, e, 2, 6, 3, 7);
      const t = into + (c >> 2) * column + r;
      v128.store(t, v128.shuffle<f64>(ab, de, 0, 2));
      v128.store(t + column, v128.shuffle<f64>(ab, de, 1, 3));
      v128.store(t + 2 * column, v128.shuffle<f64>(AB, DE, 0, 2));
      v128.store(t + 3 * column, v128.shuffle<f64>(AB, DE, 1, 3));
    }
  }
}

/** All rows of C [rows × columns] = one row. */
export function fillRows(row: usize, C: usize, rows: i32, columns: i32): void {
  const bytes = rowOf(columns);
  for (let r = 0; r < rows; r++) memory.copy(C + <usize>r * bytes, row, bytes);
}

/** g [columns], of doubles, = the sum of the rows of D. */
export function columnSums(D: usize, g: usize, rows: i32, columns: i32): void {
  const stride = rowOf(columns);
  for (let c = 0; c < columns; c += 4) {
    let sum = f32x4.splat(0);
    let at = D + ((<usize>c) << 2);
    for (let r = 0; r < rows; r++) {
      sum = f32x4.add(sum, v128.load(at));
      at += stride;
    }
    const into = g + ((<usize>c) << 3);
    store<f64>(into, <f64>f32x4.extract_lane(sum, 0));
    if (c + 1 < columns) store<f64>(into, <f64>f32x4.extract_lane(sum, 1), 8);
    if (c + 2 < columns) store<f64>(into, <f64>f32x4.extract_lane(sum, 2), 16);
    if (c + 3 < columns) store<f64>(into, <f64>f32x4.extract_lane(sum, 3), 24);
  }
}

function put(at: usize, value: v128, add: bool): void {
  v128.store(at, add ? f32x4.add(v128.load(at), value) : value);
}

/** C [n × k] = D [n × o] · W [o × k]; `add` adds to what C holds. */
export function rowsTimes(D: usize, W: usize, C: usize, n: i32, o: i32, k: i32, add: bool): void {
  outerSum(D, 4, rowOf(o), W, C, n, o, rowOf(k), add);
}

/** G [o × k] = Dᵀ · A, D [n × o], A [n × k]. */
export function columnsTimes(
  D: usize,
  A: usize,
  G: usize,
  n: i32,
  o: i32,
  k: i32,
  add: bool,
): void {
  outerSum(D, rowOf(o), 4, A, G, o, n, rowOf(k), add);
}

/**
 * C [rows × …] = Σᵢ l(i, row) · m(i, …), four rows and eight columns at a time: entries of l are
 * `lInner` bytes apart in i and `lRow` in the row.
 */
function outerSum(
  L: usize,
  lInner: usize,
  lRow: usize,
  M: usize,
  C: usize,
  rows: i32,
  inner: i32,
  width: usize,
  add: bool,
): void {
  const eights = width & ~31;
  const end = <usize>inner * lInner;
  for (let r = 0; r < rows; r += 4) {
    const l0 = L + <usize>r * lRow;
    const l1 = l0 + lRow;
    const l2 = l1 + lRow;
    const l3 = l2 + lRow;
    const c0 = C + <usize>r * width;
    const c1 = c0 + width;
    const c2 = c1 + width;
    const c3 = c2 + width;
    for (let j: usize = 0; j < eights; j += 32) {
      let x0 = f32x4.splat(0);
      let x1 = x0,
        x2 = x0,
        x3 = x0,
        y0 = x0,
        y1 = x0,
        y2 = x0,
        y3 = x0;
      let m = M + j;
      for (let at: usize = 0; at != end; at += lInner) {
        const p = v128.load(m);
        const q = v128.load(m, 16);
        let w = v128.load_splat<f32>(l0 + at);
        x0 = f32x4.add(x0, f32x4.mul(w, p));
        y0 = f32x4.add(y0, f32x4.mul(w, q));
        w = v128.load_splat<f32>(l1 + at);
        x1 = f32x4.add(x1, f32x4.mul(w, p));
        y1 = f32x4.add(y1, f32x4.mul(w, q));
        w = v128.load_splat<f32>(l2 + at);
        x2 = f32x4.add(x2, f32x4.mul(w, p));
        y2 = f32x4.add(y2, f32x4.mul(w, q));
        w = v128.load_splat<f32>(l3 + at);
        x3 = f32x4.add(x3, f32x4.mul(w, p));
        y3 = f32x4.add(y3, f32x4.mul(w, q));
        m += width;
      }
      put(c0 + j, x0, add);
      put(c0 + j + 16, y0, add);
      put(c1 + j, x1, add);
      put(c1 + j + 16, y1, add);
      put(c2 + j, x2, add);
      put(c2 + j + 16, y2, add);
      put(c3 + j, x3, add);
      put(c3 + j + 16, y3, add);
    }
    if (eights == width) continue;
    let x0 = f32x4.splat(0);
    let x1 = x0,
      x2 = x0,
      x3 = x0;
    let m = M + eights;
    for (let at: usize = 0; at != end; at += lInner) {
      const p = v128.load(m);
      x0 = f32x4.add(x0, f32x4.mul(v128.load_splat<f32>(l0 + at), p));
      x1 = f32x4.add(x1, f32x4.mul(v128.load_splat<f32>(l1 + at), p));
      x2 = f32x4.add(x2, f32x4.mul(v128.load_splat<f32>(l2 + at), p));
      x3 = f32x4.add(x3, f32x4.mul(v128.load_splat<f32>(l3 + at), p));
      m += width;
    }
    put(c0 + eights, x0, add);
    put(c1 + eights, x1, add);
    put(c2 + eights, x2, add);
    put(c3 + eights, x3, add);
  }
}

/** into = a ∘ b. */
export function multiply(a: usize, b: usize, into: usize, rows: i32, columns: i32): void {
  const bytes = <usize>rows * rowOf(columns);
  for (let i: usize = 0; i < bytes; i += 16)
    v128.store(into + i, f32x4.mul(v128.load(a + i), v128.load(b + i)));
}

/** a = a ∘ b + c ∘ d. */
export function bend(a: usize, b: usize, c: usize, d: usize, rows: i32, columns: i32): void {
  const bytes = <usize>rows * rowOf(columns);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = f32x4.mul(v128.load(a + i), v128.load(b + i));
    v128.store(a + i, f32x4.add(x, f32x4.mul(v128.load(c + i), v128.load(d + i))));
  }
}
