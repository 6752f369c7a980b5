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

/**
 * Looks at pieces that are allowed for: of our own journals they are a few for each column and
 * delta.
 */
const MOST_LOOKS = 20_000_000;

/**
 * What the deltas make of these bytes, one after the other. It is gone through from the last one
 * back, each of which tells where the bytes of what it made stood before: what comes of it costs
 * what it holds, however many they are.
 *
 * @throws RangeError where they are not deltas of these bytes
 */
export function patched(before: Uint8Array, deltas: readonly Uint8Array[]): Uint8Array {
  let length = before.length;
  for (const delta of deltas) length = lengthBehind(delta, length);
  const made = new Uint8Array(length);
  let wanted: readonly Piece[] = [{ from: 0, to: length, at: 0 }];
  let looks = 0;
  for (const delta of deltas.toReversed()) {
    const earlier: Piece[] = [];
    let w = 0;
    pieces(delta, (at, size, from, copied) => {
      for (; w < wanted.length && wanted[w]!.from < at + size; w++) {
        if (++looks > MOST_LOOKS) throw new RangeError('the deltas are of too many pieces');
        const want = wanted[w]!;
        const [start, end] = [Math.max(want.from, at), Math.min(want.to, at + size)];
        const [source, place] = [from + start - at, want.at + start - want.from];
        if (copied) earlier.push({ from: source, to: source + end - start, at: place });
        else made.set(delta.subarray(source, source + end - start), place);
        if (want.to > at + size) break;
      }
    });
    wanted = earlier;
  }
  for (const { from, to, at } of wanted) made.set(before.subarray(from, to), at);
  return made;
}

/**
 * Bytes that are still to be found, by where they stand in what was made last, and where they go.
 */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** How many bytes a delta makes of so many. @throws RangeError where it cannot */
function lengthBehind(delta: Uint8Array, before: number): number {
  let [length, copiedTo] = [0, 0];
  pieces(delta, (_, size, from, copied) => {
    // In their order, and none twice: nothing grows by being copied.
    if (copied ? from < copiedTo || from + size > before : from + size > delta.length)
      throw new RangeError('a delta is not of these bytes');
    if (copied) copiedTo = from + size;
    length += size;
  });
  return length;
}

/**
 * Calls `take` for each piece of what a delta makes: where it begins there, and in the bytes before
 * or the delta.
 */
function pieces(
  delta: Uint8Array,
  take: (at: number, size: number, from: number, copied: boolean) => void,
): void {
  const bytes = asBuffer(delta);
  const count = bytes.readUInt32LE(0);
  let inserted = 4 + 4 * count;
  if (count % 3 !== 0 || inserted > bytes.length) throw new RangeError('a delta is cut off');
  for (let at = 0, k = 4; k < 4 + 4 * count; k += 12) {
    const [copied, more] = [bytes.readUInt32LE(k + 4), bytes.readUInt32LE(k + 8)];
    if (copied > 0) take(at, copied, bytes.readUInt32LE(k), true);
    if (more > 0) take(at + copied, more, inserted, false);
    at += copied + more;
    inserted += more;
  }
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
