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
  if (delta.length < 4) throw new RangeError('a delta is cut off');
  const bytes = new DataView(delta.buffer, delta.byteOffset, delta.byteLength);
  const count = bytes.getUint32(0, true);
  let inserted = 4 + 4 * count;
  if (count % 3 !== 0 || inserted > delta.length) throw new RangeError('a delta is cut off');
  for (let at = 0, k = 4; k < 4 + 4 * count; k += 12) {
    const [copied, more] = [bytes.getUint32(k + 4, true), bytes.getUint32(k + 8, true)];
    if (copied > 0) take(at, copied, bytes.getUint32(k, true), true);
    if (more > 0) take(at + copied, more, inserted, false);
    at += copied + more;
    inserted += more;
  }
}
