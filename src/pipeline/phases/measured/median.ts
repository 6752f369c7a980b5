import { CAPACITY } from './constants.ts';

/** Room for the numbers of one median: an array of its own for each would take longer than it. */
let parted = new Float64Array(CAPACITY);

/** Median of a part of some numbers; the upper one of an even number, NaN of none. */
export function median(values: ArrayLike<number>, from = 0, to = values.length): number {
  const count = Math.max(0, to - from);
  if (count > parted.length) parted = new Float64Array(2 * count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!;
    parted[i] = value;
    sum += value;
  }
  const place = count >> 1;
  // Sorting puts NaN last, and −0 before 0: comparisons know neither.
  const found = Number.isNaN(sum) || count === 0 ? 0 : selected(place, count - 1);
  return found === 0 ? (parted.subarray(0, count).sort()[place] ?? Number.NaN) : found;
}

/** The number at a place were all of them sorted (Hoare's selection); they are put about it. */
function selected(place: number, last: number): number {
  const numbers = parted;
  let low = 0;
  let high = last;
  while (low < high) {
    const pivot = numbers[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (numbers[i]! < pivot) i++;
      while (numbers[j]! > pivot) j--;
      if (i > j) break;
      const other = numbers[i]!;
      numbers[i++] = numbers[j]!;
      numbers[j--] = other;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return numbers[place]!;
}

/** Median of the distances of a part of some numbers from a level. */
export function medianDistance(
  values: ArrayLike<number>,
  level: number,
  from: number,
  to: number,
): number {
  const distances = room(to - from);
  for (let i = from; i < to; i++) distances[i - from] = Math.abs(values[i]! - level);
  return median(distances, 0, to - from);
}

let further = new Float64Array(CAPACITY);

/** Numbers that are soon forgotten, in the same array each time. */
export function room(count: number): Float64Array {
  if (count > further.length) further = new Float64Array(2 * count);
  return further;
}
