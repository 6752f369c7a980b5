/** From position to position of the axis, both ends shown. */
export type Steps = readonly [number, number];

/** Steps that a zoomed view holds at least. */
export const MIN_STEPS = 4;

/**
 * What of the positions that a view asks for is there to be shown. A link may come from a longer
 * run, or be made up: what lies outside is cut off, and less than a few steps is widened.
 *
 * @param least positions that are shown at least
 * @returns null for all of them: where nothing else is asked for, or nothing of it is there
 */
export function shownSteps(asked: Steps | null, full: Steps, least = MIN_STEPS): Steps | null {
  if (!asked || !(asked[0] < full[1] && asked[1] > full[0])) return null;
  return moveInside([Math.max(asked[0], full[0]), Math.min(asked[1], full[1])], full, least);
}

/**
 * Moves positions to where there are some, of the same number as far as there are so many; null
 * where it is all of them.
 */
export function moveInside(
  [from, to]: Steps,
  [first, last]: Steps,
  least = MIN_STEPS,
): Steps | null {
  const span = Math.max(least, to - from);
  if (!(span < last - first)) return null;
  const start = Math.min(Math.max((from + to - span) / 2, first), last - span);
  const digits = Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(least / MIN_STEPS))));
  const round = (position: number): number => Number(position.toFixed(digits));
  return [round(start), round(start + span)];
}
