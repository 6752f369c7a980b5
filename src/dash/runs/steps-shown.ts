/** From step to step, both ends shown. */
export type Steps = readonly [number, number];

/** Steps that a zoomed view holds at least. */
export const MIN_STEPS = 4;

/**
 * What of the steps that a view asks for is there to be shown. A link may come from a longer run,
 * or be made up: what lies outside is cut off, and less than a few steps is widened.
 *
 * @returns null for all steps: where nothing else is asked for, or nothing of it is there
 */
export function shownSteps(asked: Steps | null, full: Steps): Steps | null {
  if (!asked || !(asked[0] < full[1] && asked[1] > full[0])) return null;
  return moveInside([Math.max(asked[0], full[0]), Math.min(asked[1], full[1])], full);
}

/**
 * Moves steps to where there are some, of the same number as far as there are so many; null where
 * it is all of them.
 */
export function moveInside([from, to]: Steps, [first, last]: Steps): Steps | null {
  const span = Math.max(MIN_STEPS, to - from);
  if (!(span < last - first)) return null;
  const start = Math.min(Math.max((from + to - span) / 2, first), last - span);
  const round = (step: number): number => Number(step.toFixed(2));
  return [round(start), round(start + span)];
}
