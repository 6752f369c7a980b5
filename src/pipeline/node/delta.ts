/** Bytes that two texts are compared by at once, and that are looked for behind a difference. */
const STRIDE = 1 << 14;
const NEEDLE = 24;
/**
 * How far behind a difference the old bytes are looked for in the new ones, and from which places
 * of the old on.
 */
const WINDOW = 1 << 18;
const SKIPS = [0, 16, 64, 256, 1024];

/**
 * What of `after` is not in `before`, which mostly is `before` with bytes put in between, as where
 * each column of a table has grown: pieces that are copied, in their order, each with what comes in
 * behind it, such that `patched` makes `after` again.
 */
export function deltaOf(before: Uint8Array, after: Uint8Array): Uint8Array {
  const [from, to] = [asBuffer(before), asBuffer(after)];
  const numbers: number[] = [];
  const inserted: Buffer[] = [];
  let [i, j] = [0, 0];
  while (j < to.length) {
    const copied = shared(from, i, to, j);
    const next = found(from, i + copied, to, j + copied);
    numbers.push(i, copied, next.to - (j + copied));
    inserted.push(to.subarray(j + copied, next.to));
    [i, j] = [next.from, next.to];
  }
  const head = Buffer.from(Uint32Array.from([numbers.length, ...numbers]).buffer);
  return Buffer.concat([head, ...inserted]);
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, length);

/** How many bytes are the same from these places on. */
function shared(a: Buffer, i: number, b: Buffer, j: number): number {
  const most = Math.min(a.length - i, b.length - j);
  let same = 0;
  while (same < most) {
    const length = Math.min(STRIDE, most - same);
    if (a.compare(b, j + same, j + same + length, i + same, i + same + length) !== 0) break;
    same += length;
  }
  while (same < most && a[i + same] === b[j + same]) same++;
  return same;
}

/** Where old bytes behind a difference stand again in the new ones. */
function found(from: Buffer, i: number, to: Buffer, j: number): { from: number; to: number } {
  const near = to.subarray(j, j + WINDOW);
  for (const skip of SKIPS) {
    const needle = from.subarray(i + skip, i + skip + NEEDLE);
    if (needle.length < NEEDLE) break;
    const at = near.indexOf(needle);
    if (at >= 0) return { from: i + skip, to: j + at };
  }
  return { from: i, to: to.length };
}
