// Dense products of row-major float64 matrices by address, two lanes at a time; sums run in a fixed
// order.

/** The sums of the lanes of two vectors, side by side. */
function sums(x: v128, y: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(x, y, 0, 2), v128.shuffle<f64>(x, y, 1, 3));
}

function put(at: usize, value: v128, add: bool): void {
  v128.store(at, add ? f64x2.add(v128.load(at), value) : value);
}

/**
 * C [n × o] = A [n × k] · Wᵀ, W [o × k], plus a bias to each row where its address is not 0; `add`
 * adds to what C holds.
 */
export function rowsTimesRows(
  A: usize,
  W: usize,
  C: usize,
  n: i32,
  k: i32,
  o: i32,
  bias: usize,
  add: bool,
): void {
  const row: usize = (<usize>k) << 3;
  const pairs: usize = row & ~15;
  const out: usize = (<usize>o) << 3;
  for (let s = 0; s < n; s += 2) {
    const two = s + 1 < n;
    const a0 = A + <usize>s * row;
    const a1 = two ? a0 + row : a0;
    const c0 = C + <usize>s * out;
    const c1 = c0 + out;
    let i: usize = 0;
    for (; i + 24 < out; i += 32) {
      const w0 = W + (i >> 3) * row;
      const w1 = w0 + row;
      const w2 = w1 + row;
      const w3 = w2 + row;
      let x0 = f64x2.splat(0);
      let x1 = x0,
        x2 = x0,
        x3 = x0,
        y0 = x0,
        y1 = x0,
        y2 = x0,
        y3 = x0;
      for (let j: usize = 0; j < pairs; j += 16) {
        const p = v128.load(a0 + j);
        const q = v128.load(a1 + j);
        let w = v128.load(w0 + j);
        x0 = f64x2.add(x0, f64x2.mul(p, w));
        y0 = f64x2.add(y0, f64x2.mul(q, w));
        w = v128.load(w1 + j);
        x1 = f64x2.add(x1, f64x2.mul(p, w));
        y1 = f64x2.add(y1, f64x2.mul(q, w));
        w = v128.load(w2 + j);
        x2 = f64x2.add(x2, f64x2.mul(p, w));
        y2 = f64x2.add(y2, f64x2.mul(q, w));
        w = v128.load(w3 + j);
        x3 = f64x2.add(x3, f64x2.mul(p, w));
        y3 = f64x2.add(y3, f64x2.mul(q, w));
      }
      let x01 = sums(x0, x1),
        x23 = sums(x2, x3),
        y01 = sums(y0, y1),
        y23 = sums(y2, y3);
      if (pairs < row) {
        const p = v128.load_splat<f64>(a0 + pairs);
        const q = v128.load_splat<f64>(a1 + pairs);
        const w01 = f64x2(0, 0);
        const u = f64x2.replace_lane(
          f64x2.replace_lane(w01, 0, load<f64>(w0 + pairs)),
          1,
          load<f64>(w1 + pairs),
        );
        const v = f64x2.replace_lane(
          f64x2.replace_lane(w01, 0, load<f64>(w2 + pairs)),
          1,
          load<f64>(w3 + pairs),
        );
        x01 = f64x2.add(x01, f64x2.mul(p, u));
        x23 = f64x2.add(x23, f64x2.mul(p, v));
        y01 = f64x2.add(y01, f64x2.mul(q, u));
        y23 = f64x2.add(y23, f64x2.mul(q, v));
      }
      if (bias) {
        const u = v128.load(bias + i);
        const v = v128.load(bias + i, 16);
        x01 = f64x2.add(x01, u);
        x23 = f64x2.add(x23, v);
        y01 = f64x2.add(y01, u);
        y23 = f64x2.add(y23, v);
      }
      put(c0 + i, x01, add);
      put(c0 + i + 16, x23, add);
      if (two) {
        put(c1 + i, y01, add);
        put(c1 + i + 16, y23, add);
      }
    }
    for (; i + 8 < out; i += 16) {
      const w0 = W + (i >> 3) * row;
      const w1 = w0 + row;
      let x0 = f64x2.splat(0);
      let x1 = x0,
        y0 = x0,
        y1 = x0;
      for (let j: usize = 0; j < pairs; j += 16) {
        const p = v128.load(a0 + j);
        const q = v128.load(a1 + j);
        let w = v128.load(w0 + j);
        x0 = f64x2.add(x0, f64x2.mul(p, w));
        y0 = f64x2.add(y0, f64x2.mul(q, w));
        w = v128.load(w1 + j);
        x1 = f64x2.add(x1, f64x2.mul(p, w));
        y1 = f64x2.add(y1, f64x2.mul(q, w));
      }
      let x = sums(x0, x1),
        y = sums(y0, y1);
      if (pairs < row) {
        const u = f64x2.replace_lane(v128.load_splat<f64>(w0 + pairs), 1, load<f64>(w1 + pairs));
        x = f64x2.add(x, f64x2.mul(v128.load_splat<f64>(a0 + pairs), u));
        y = f64x2.add(y, f64x2.mul(v128.load_splat<f64>(a1 + pairs), u));
      }
      if (bias) {
        const u = v128.load(bias + i);
        x = f64x2.add(x, u);
        y = f64x2.add(y, u);
      }
      put(c0 + i, x, add);
      if (two) put(c1 + i, y, add);
    }
    for (; i < out; i += 8) {
      const w = W + (i >> 3) * row;
      let x = dot(a0, w, k);
      let y = dot(a1, w, k);
      if (bias) {
        x += load<f64>(bias + i);
        y += load<f64>(bias + i);
      }
      store<f64>(c0 + i, add ? load<f64>(c0 + i) + x : x);
      if (two) store<f64>(c1 + i, add ? load<f64>(c1 + i) + y : y);
    }
  }
}

/** Sum over i of l(i) · m(i), for one entry of an outer product. */
function entry(l: usize, lStep: usize, m: usize, mStep: usize, inner: i32): f64 {
  let x = 0.0;
  for (let i = 0; i < inner; i++) {
    x += load<f64>(l) * load<f64>(m);
    l += lStep;
    m += mStep;
  }
  return x;
}

/**
 * C [rows × columns] = Σᵢ l(i, row) · m(i, column): entries of l are `lInner` apart in i and `lRow`
 * in the row (in bytes), m has its columns side by side. It is D·W as well as Dᵀ·A. `add` adds to
 * what C holds.
 */
function outerSum(
  L: usize,
  lInner: usize,
  lRow: usize,
  M: usize,
  C: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  add: bool,
): void {
  const width: usize = (<usize>columns) << 3;
  const wide = width & ~63;
  const fours = width & ~31;
  if (wide < fours) fourColumns(L, lInner, lRow, M + wide, C + wide, rows, inner, width, add);
  for (let r = 0; r < rows; r += 2) {
    const two = r + 1 < rows;
    const l0 = L + <usize>r * lRow;
    const apart = two ? lRow : 0;
    const l1 = l0 + apart;
    const c0 = C + <usize>r * width;
    const c1 = c0 + width;
    for (let j: usize = 0; j < wide; j += 64) {
      let x0 = f64x2.splat(0);
      let x1 = x0,
        x2 = x0,
        x3 = x0,
        y0 = x0,
        y1 = x0,
        y2 = x0,
        y3 = x0;
      let from = l0;
      let m = M + j;
      for (const end = l0 + <usize>inner * lInner; from != end; ) {
        const p = v128.load_splat<f64>(from);
        const q = v128.load_splat<f64>(from + apart);
        let w = v128.load(m);
        x0 = f64x2.add(x0, f64x2.mul(p, w));
        y0 = f64x2.add(y0, f64x2.mul(q, w));
        w = v128.load(m, 16);
        x1 = f64x2.add(x1, f64x2.mul(p, w));
        y1 = f64x2.add(y1, f64x2.mul(q, w));
        w = v128.load(m, 32);
        x2 = f64x2.add(x2, f64x2.mul(p, w));
        y2 = f64x2.add(y2, f64x2.mul(q, w));
        w = v128.load(m, 48);
        x3 = f64x2.add(x3, f64x2.mul(p, w));
        y3 = f64x2.add(y3, f64x2.mul(q, w));
        from += lInner;
        m += width;
      }
      put(c0 + j, x0, add);
      put(c0 + j + 16, x1, add);
      put(c0 + j + 32, x2, add);
      put(c0 + j + 48, x3, add);
      if (two) {
        put(c1 + j, y0, add);
        put(c1 + j + 16, y1, add);
        put(c1 + j + 32, y2, add);
        put(c1 + j + 48, y3, add);
      }
    }
    let j = fours;
    if (j + 8 < width) {
      let x = f64x2.splat(0);
      let y = x;
      let at: usize = 0;
      let m = M + j;
      for (let i = 0; i < inner; i++) {
        const w = v128.load(m);
        x = f64x2.add(x, f64x2.mul(v128.load_splat<f64>(l0 + at), w));
        y = f64x2.add(y, f64x2.mul(v128.load_splat<f64>(l1 + at), w));
        at += lInner;
        m += width;
      }
      put(c0 + j, x, add);
      if (two) put(c1 + j, y, add);
      j += 16;
    }
    if (j < width) {
      const x = entry(l0, lInner, M + j, width, inner);
      const y = entry(l1, lInner, M + j, width, inner);
      store<f64>(c0 + j, add ? load<f64>(c0 + j) + x : x);
      if (two) store<f64>(c1 + j, add ? load<f64>(c1 + j) + y : y);
    }
  }
}

/** Four columns of an outer sum: four rows at a time, to form as many sums side by side. */
function fourColumns(
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
  const end = <usize>inner * lInner;
  for (let r = 0; r < rows; r += 4) {
    const left = rows - r;
    const l0 = L + <usize>r * lRow;
    const l1 = left > 1 ? l0 + lRow : l0;
    const l2 = left > 2 ? l1 + lRow : l0;
    const l3 = left > 3 ? l2 + lRow : l0;
    let x0 = f64x2.splat(0);
    let x1 = x0,
      x2 = x0,
      x3 = x0,
      y0 = x0,
      y1 = x0,
      y2 = x0,
      y3 = x0;
    let m = M;
    for (let at: usize = 0; at != end; at += lInner) {
      const p = v128.load(m);
      const q = v128.load(m, 16);
      let w = v128.load_splat<f64>(l0 + at);
      x0 = f64x2.add(x0, f64x2.mul(w, p));
      y0 = f64x2.add(y0, f64x2.mul(w, q));
      w = v128.load_splat<f64>(l1 + at);
      x1 = f64x2.add(x1, f64x2.mul(w, p));
      y1 = f64x2.add(y1, f64x2.mul(w, q));
      w = v128.load_splat<f64>(l2 + at);
      x2 = f64x2.add(x2, f64x2.mul(w, p));
      y2 = f64x2.add(y2, f64x2.mul(w, q));
      w = v128.load_splat<f64>(l3 + at);
      x3 = f64x2.add(x3, f64x2.mul(w, p));
      y3 = f64x2.add(y3, f64x2.mul(w, q));
      m += width;
    }
    let c = C + <usize>r * width;
    put(c, x0, add);
    put(c + 16, y0, add);
    if (left < 2) return;
    c += width;
    put(c, x1, add);
    put(c + 16, y1, add);
    if (left < 3) return;
    c += width;
    put(c, x2, add);
    put(c + 16, y2, add);
    if (left < 4) return;
    c += width;
    put(c, x3, add);
    put(c + 16, y3, add);
  }
}

/** C [n × k] = D [n × o] · W [o × k]. */
export function rowsTimes(D: usize, W: usize, C: usize, n: i32, o: i32, k: i32, add: bool): void {
  outerSum(D, 8, (<usize>o) << 3, W, C, n, o, k, add);
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
  outerSum(D, (<usize>o) << 3, 8, A, G, o, n, k, add);
}

/** g [o] = sum of the rows of D [n × o]. */
export function columnSums(D: usize, g: usize, n: i32, o: i32): void {
  const row: usize = (<usize>o) << 3;
  let i: usize = 0;
  for (; i + 24 < row; i += 32) {
    let x = f64x2.splat(0);
    let y = x;
    let d = D + i;
    for (let s = 0; s < n; s++) {
      x = f64x2.add(x, v128.load(d));
      y = f64x2.add(y, v128.load(d, 16));
      d += row;
    }
    v128.store(g + i, x);
    v128.store(g + i, y, 16);
  }
  for (; i < row; i += 8) {
    let x = 0.0;
    let d = D + i;
    for (let s = 0; s < n; s++) {
      x += load<f64>(d);
      d += row;
    }
    store<f64>(g + i, x);
  }
}

export function dot(a: usize, b: usize, n: i32): f64 {
  let x = f64x2.splat(0);
  let y = x,
    z = x,
    w = x;
  const end: usize = (<usize>n) << 3;
  let i: usize = 0;
  for (; i + 56 < end; i += 64) {
    x = f64x2.add(x, f64x2.mul(v128.load(a + i), v128.load(b + i)));
    y = f64x2.add(y, f64x2.mul(v128.load(a + i, 16), v128.load(b + i, 16)));
    z = f64x2.add(z, f64x2.mul(v128.load(a + i, 32), v128.load(b + i, 32)));
    w = f64x2.add(w, f64x2.mul(v128.load(a + i, 48), v128.load(b + i, 48)));
  }
  const v = f64x2.add(f64x2.add(x, y), f64x2.add(z, w));
  let sum = f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
  for (; i < end; i += 8) sum += load<f64>(a + i) * load<f64>(b + i);
  return sum;
}

/** y += c·x */
export function addScaled(c: f64, x: usize, y: usize, n: i32): void {
  const end: usize = (<usize>n) << 3;
  const even = end & ~15;
  const s = f64x2.splat(c);
  for (let i: usize = 0; i < even; i += 16)
    v128.store(y + i, f64x2.add(v128.load(y + i), f64x2.mul(s, v128.load(x + i))));
  if (even < end) store<f64>(y + even, load<f64>(y + even) + c * load<f64>(x + even));
}

/**
 * out[j] = x_j · v for `count` vectors x_j that lie `stride` bytes apart, four or three at a time.
 */
export function dots(X: usize, stride: usize, count: i32, v: usize, out: usize, n: i32): void {
  const end: usize = (<usize>n) << 3;
  const even = end & ~15;
  const fours = end & ~31;
  let j = 0;
  for (; j + 2 < count; j += 4) {
    const four = j + 3 < count;
    const x0 = X + <usize>j * stride;
    const x1 = x0 + stride;
    const x2 = x1 + stride;
    const x3 = four ? x2 + stride : x2;
    const into = out + ((<usize>j) << 3);
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let i: usize = 0;
    // Two pairs a turn: of one alone, a third of all instructions are addresses.
    for (; i < fours; i += 32) {
      const p0 = x0 + i;
      const p1 = x1 + i;
      const p2 = x2 + i;
      const p3 = x3 + i;
      const q = v + i;
      let w = v128.load(q);
      a = f64x2.add(a, f64x2.mul(w, v128.load(p0)));
      b = f64x2.add(b, f64x2.mul(w, v128.load(p1)));
      c = f64x2.add(c, f64x2.mul(w, v128.load(p2)));
      d = f64x2.add(d, f64x2.mul(w, v128.load(p3)));
      w = v128.load(q, 16);
      a = f64x2.add(a, f64x2.mul(w, v128.load(p0, 16)));
      b = f64x2.add(b, f64x2.mul(w, v128.load(p1, 16)));
      c = f64x2.add(c, f64x2.mul(w, v128.load(p2, 16)));
      d = f64x2.add(d, f64x2.mul(w, v128.load(p3, 16)));
    }
    if (i < even) {
      const w = v128.load(v + i);
      a = f64x2.add(a, f64x2.mul(w, v128.load(x0 + i)));
      b = f64x2.add(b, f64x2.mul(w, v128.load(x1 + i)));
      c = f64x2.add(c, f64x2.mul(w, v128.load(x2 + i)));
      d = f64x2.add(d, f64x2.mul(w, v128.load(x3 + i)));
    }
    let ab = sums(a, b);
    let cd = sums(c, d);
    if (even < end) {
      const w = v128.load_splat<f64>(v + even);
      const p = f64x2.replace_lane(v128.load_splat<f64>(x0 + even), 1, load<f64>(x1 + even));
      const q = f64x2.replace_lane(v128.load_splat<f64>(x2 + even), 1, load<f64>(x3 + even));
      ab = f64x2.add(ab, f64x2.mul(w, p));
      cd = f64x2.add(cd, f64x2.mul(w, q));
    }
    v128.store(into, ab);
    if (four) v128.store(into, cd, 16);
    else store<f64>(into, f64x2.extract_lane(cd, 0), 16);
  }
  for (; j < count; j++) store<f64>(out + ((<usize>j) << 3), dot(X + <usize>j * stride, v, n));
}

/**
 * y = f·b + Σ c_j x_j over vectors x_j that lie `stride` bytes apart, up to four at a time; b may
 * be y.
 *
 * @returns the square of its norm
 */
export function combination(
  f: f64,
  b: usize,
  X: usize,
  stride: usize,
  count: i32,
  c: usize,
  y: usize,
  n: i32,
): f64 {
  const end: usize = (<usize>n) << 3;
  const even = end & ~15;
  let from = b;
  let factor = f;
  let square = 0.0;
  let j = 0;
  do {
    const left = count - j;
    const x0 = left > 0 ? X + <usize>j * stride : from;
    const x1 = left > 1 ? x0 + stride : x0;
    const x2 = left > 2 ? x1 + stride : x1;
    const x3 = left > 3 ? x2 + stride : x2;
    const at = c + ((<usize>j) << 3);
    const f0 = left > 0 ? load<f64>(at) : 0;
    const f1 = left > 1 ? load<f64>(at, 8) : 0;
    const f2 = left > 2 ? load<f64>(at, 16) : 0;
    const f3 = left > 3 ? load<f64>(at, 24) : 0;
    const cb = f64x2.splat(factor);
    const c0 = f64x2.splat(f0);
    const c1 = f64x2.splat(f1);
    const c2 = f64x2.splat(f2);
    const c3 = f64x2.splat(f3);
    let sum = f64x2.splat(0);
    let i: usize = 0;
    if (left > 2) {
      for (; i < even; i += 16) {
        const p = f64x2.add(f64x2.mul(c0, v128.load(x0 + i)), f64x2.mul(c1, v128.load(x1 + i)));
        const q = f64x2.add(f64x2.mul(c2, v128.load(x2 + i)), f64x2.mul(c3, v128.load(x3 + i)));
        const r = f64x2.add(f64x2.mul(cb, v128.load(from + i)), f64x2.add(p, q));
        v128.store(y + i, r);
        sum = f64x2.add(sum, f64x2.mul(r, r));
      }
    } else {
      for (; i < even; i += 16) {
        const p = f64x2.add(f64x2.mul(c0, v128.load(x0 + i)), f64x2.mul(c1, v128.load(x1 + i)));
        const r = f64x2.add(f64x2.mul(cb, v128.load(from + i)), p);
        v128.store(y + i, r);
        sum = f64x2.add(sum, f64x2.mul(r, r));
      }
    }
    square = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    if (even < end) {
      const p = f0 * load<f64>(x0 + even) + f1 * load<f64>(x1 + even);
      const q = f2 * load<f64>(x2 + even) + f3 * load<f64>(x3 + even);
      const r = factor * load<f64>(from + even) + (p + q);
      store<f64>(y + even, r);
      square += r * r;
    }
    from = y;
    factor = 1;
    j += 4;
  } while (j < count);
  return square;
}

/** y = a ∘ b, entry by entry. */
export function multiply(a: usize, b: usize, y: usize, n: i32): void {
  const end: usize = (<usize>n) << 3;
  const even = end & ~15;
  for (let i: usize = 0; i < even; i += 16)
    v128.store(y + i, f64x2.mul(v128.load(a + i), v128.load(b + i)));
  if (even < end) store<f64>(y + even, load<f64>(a + even) * load<f64>(b + even));
}

/** Bytes of n numbers and, where their count is odd, of the 0 behind them. */
function evenBytes(n: i32): usize {
  return ((<usize>n + 1) << 3) & ~15;
}

/**
 * out[i · row + j] = a_i · b_j for vectors that lie `stride` bytes apart and end in a 0 where their
 * length is odd, three by three.
 */
export function crossings(
  A: usize,
  rows: i32,
  B: usize,
  columns: i32,
  stride: usize,
  out: usize,
  row: i32,
  n: i32,
): void {
  const end = evenBytes(n);
  for (let r = 0; r < rows; r += 3) {
    const a = A + <usize>r * stride;
    for (let c = 0; c < columns; c += 3) {
      const b = B + <usize>c * stride;
      // Calls of two kinds keep the loop a function of its own, whose sums stay in registers.
      if (r + 2 < rows && c + 2 < columns) nineProducts(a, stride, stride, b, stride, stride, end);
      else
        nineProducts(
          a,
          r + 1 < rows ? stride : 0,
          r + 2 < rows ? stride : 0,
          b,
          c + 1 < columns ? stride : 0,
          c + 2 < columns ? stride : 0,
          end,
        );
      for (let i = r; i < rows && i < r + 3; i++) {
        for (let j = c; j < columns && j < c + 3; j++) {
          const sum = nine + ((<usize>(3 * (i - r) + j - c)) << 4);
          store<f64>(out + ((<usize>(i * row + j)) << 3), load<f64>(sum) + load<f64>(sum, 8));
        }
      }
    }
  }
}

/** Both lanes of nine sums. */
const nine: usize = memory.data(144, 16);

/** Products of three vectors with three into `nine`; of each three the steps to the next. */
function nineProducts(
  a0: usize,
  toA1: usize,
  toA2: usize,
  b0: usize,
  toB1: usize,
  toB2: usize,
  end: usize,
): void {
  const a1 = a0 + toA1;
  const a2 = a1 + toA2;
  const b1 = b0 + toB1;
  const b2 = b1 + toB2;
  let x0 = f64x2.splat(0);
  let x1 = x0,
    x2 = x0,
    y0 = x0,
    y1 = x0,
    y2 = x0,
    z0 = x0,
    z1 = x0,
    z2 = x0;
  for (let i: usize = 0; i < end; i += 16) {
    const p = v128.load(b0 + i);
    const q = v128.load(b1 + i);
    const s = v128.load(b2 + i);
    let w = v128.load(a0 + i);
    x0 = f64x2.add(x0, f64x2.mul(w, p));
    x1 = f64x2.add(x1, f64x2.mul(w, q));
    x2 = f64x2.add(x2, f64x2.mul(w, s));
    w = v128.load(a1 + i);
    y0 = f64x2.add(y0, f64x2.mul(w, p));
    y1 = f64x2.add(y1, f64x2.mul(w, q));
    y2 = f64x2.add(y2, f64x2.mul(w, s));
    w = v128.load(a2 + i);
    z0 = f64x2.add(z0, f64x2.mul(w, p));
    z1 = f64x2.add(z1, f64x2.mul(w, q));
    z2 = f64x2.add(z2, f64x2.mul(w, s));
  }
  // As they are: a shuffle of them here would have the compiler write them out at each turn.
  v128.store(nine, x0);
  v128.store(nine, x1, 16);
  v128.store(nine, x2, 32);
  v128.store(nine, y0, 48);
  v128.store(nine, y1, 64);
  v128.store(nine, y2, 80);
  v128.store(nine, z0, 96);
  v128.store(nine, z1, 112);
  v128.store(nine, z2, 128);
}

/**
 * y_i = Σ_j C[i · row + j] x_j, and what y_i holds where `add`, over vectors that lie `stride`
 * bytes apart and end in a 0 where their length is odd; three by three.
 */
export function blend(
  X: usize,
  columns: i32,
  C: usize,
  row: i32,
  Y: usize,
  rows: i32,
  stride: usize,
  n: i32,
  add: bool,
): void {
  const end = evenBytes(n);
  const c: usize = (<usize>row) << 3;
  for (let r = 0; r < rows; r += 3) {
    const y = Y + <usize>r * stride;
    const at = C + <usize>r * c;
    const left = rows - r;
    const toY1: usize = left > 1 ? stride : 0;
    const toY2: usize = left > 2 ? stride : 0;
    const toC1: usize = left > 1 ? c : 0;
    const toC2: usize = left > 2 ? c : 0;
    for (let j = 0; j < columns; j += 3) {
      const x = X + <usize>j * stride;
      const from = at + ((<usize>j) << 3);
      const more = columns - j;
      if (add || j > 0) threeMore(x, more, from, toC1, toC2, y, toY1, toY2, stride, end);
      else threeOf(x, more, from, toC1, toC2, y, toY1, toY2, stride, end);
    }
  }
}

/** Up to three combinations of up to three vectors; of each three the steps to the next. */
function threeOf(
  x0: usize,
  more: i32,
  c0: usize,
  toC1: usize,
  toC2: usize,
  y0: usize,
  toY1: usize,
  toY2: usize,
  stride: usize,
  end: usize,
): void {
  const x1 = more > 1 ? x0 + stride : x0;
  const x2 = more > 2 ? x1 + stride : x0;
  const c1 = c0 + toC1;
  const c2 = c1 + toC2;
  const y1 = y0 + toY1;
  const y2 = y1 + toY2;
  const f00 = v128.load_splat<f64>(c0);
  const f01 = f64x2.splat(more > 1 ? load<f64>(c0, 8) : 0);
  const f02 = f64x2.splat(more > 2 ? load<f64>(c0, 16) : 0);
  const f10 = v128.load_splat<f64>(c1);
  const f11 = f64x2.splat(more > 1 ? load<f64>(c1, 8) : 0);
  const f12 = f64x2.splat(more > 2 ? load<f64>(c1, 16) : 0);
  const f20 = v128.load_splat<f64>(c2);
  const f21 = f64x2.splat(more > 1 ? load<f64>(c2, 8) : 0);
  const f22 = f64x2.splat(more > 2 ? load<f64>(c2, 16) : 0);
  for (let i: usize = 0; i < end; i += 16) {
    const p = v128.load(x0 + i);
    const q = v128.load(x1 + i);
    const s = v128.load(x2 + i);
    const b = f64x2.add(f64x2.add(f64x2.mul(f10, p), f64x2.mul(f11, q)), f64x2.mul(f12, s));
    const c = f64x2.add(f64x2.add(f64x2.mul(f20, p), f64x2.mul(f21, q)), f64x2.mul(f22, s));
    const a = f64x2.add(f64x2.add(f64x2.mul(f00, p), f64x2.mul(f01, q)), f64x2.mul(f02, s));
    v128.store(y2 + i, c);
    v128.store(y1 + i, b);
    v128.store(y0 + i, a);
  }
}

/** The same, added to what is there. */
function threeMore(
  x0: usize,
  more: i32,
  c0: usize,
  toC1: usize,
  toC2: usize,
  y0: usize,
  toY1: usize,
  toY2: usize,
  stride: usize,
  end: usize,
): void {
  const x1 = more > 1 ? x0 + stride : x0;
  const x2 = more > 2 ? x1 + stride : x0;
  const c1 = c0 + toC1;
  const c2 = c1 + toC2;
  const y1 = y0 + toY1;
  const y2 = y1 + toY2;
  const f00 = v128.load_splat<f64>(c0);
  const f01 = f64x2.splat(more > 1 ? load<f64>(c0, 8) : 0);
  const f02 = f64x2.splat(more > 2 ? load<f64>(c0, 16) : 0);
  const f10 = v128.load_splat<f64>(c1);
  const f11 = f64x2.splat(more > 1 ? load<f64>(c1, 8) : 0);
  const f12 = f64x2.splat(more > 2 ? load<f64>(c1, 16) : 0);
  const f20 = v128.load_splat<f64>(c2);
  const f21 = f64x2.splat(more > 1 ? load<f64>(c2, 8) : 0);
  const f22 = f64x2.splat(more > 2 ? load<f64>(c2, 16) : 0);
  for (let i: usize = 0; i < end; i += 16) {
    const p = v128.load(x0 + i);
    const q = v128.load(x1 + i);
    const s = v128.load(x2 + i);
    const b = f64x2.add(f64x2.add(f64x2.mul(f10, p), f64x2.mul(f11, q)), f64x2.mul(f12, s));
    const c = f64x2.add(f64x2.add(f64x2.mul(f20, p), f64x2.mul(f21, q)), f64x2.mul(f22, s));
    const a = f64x2.add(f64x2.add(f64x2.mul(f00, p), f64x2.mul(f01, q)), f64x2.mul(f02, s));
    const u = f64x2.add(v128.load(y0 + i), a);
    const v = f64x2.add(v128.load(y1 + i), b);
    v128.store(y2 + i, f64x2.add(v128.load(y2 + i), c));
    v128.store(y1 + i, v);
    v128.store(y0 + i, u);
  }
}
