/** From the least to the largest value that a panel shows. */
export type Range = readonly [number, number];

/** What a panel shows of two linear axes; without a range, all of it. */
export interface Frame {
  readonly x?: Range | undefined;
  readonly y?: Range | undefined;
}

export type Point = readonly [x: number, y: number];

/** Part of an axis by which a curve may go beyond it, so that it is cut out of sight. */
const BEYOND = 0.5;

/**
 * The parts of a curve that lie in a frame or near it, cut exactly where they leave, with a point of NaN between parts:
 * renderers fail on coordinates that are far beyond what they show, and a curve of a run that diverges has them.
 */
export function cut(points: readonly Point[], { x, y }: Frame): readonly Point[] {
  const boxes = [wide(x), wide(y)] as const;
  const inside = (point: Point) =>
    boxes.every(([low, high], k) => point[k]! >= low && point[k]! <= high);
  if (points.every(inside)) return points;
  const kept: Point[] = [];
  points.forEach((point, i) => {
    const before = points[i - 1];
    const part = before && visible(before, point);
    if (part) {
      const joined = part[0] === 0 && kept.length > 0 && !Number.isNaN(kept.at(-1)![0]);
      if (!joined) kept.push([Number.NaN, Number.NaN], between(before, point, part[0]));
      kept.push(between(before, point, part[1]));
      if (part[1] < 1) kept.push([Number.NaN, Number.NaN]);
    } else if (i === 0 && inside(point)) kept.push(point);
  });
  return kept.some(([px]) => !Number.isNaN(px)) ? kept : [];

  /** From which to which part of a segment it is within the boxes (Liang and Barsky); undefined where nowhere. */
  function visible(from: Point, to: Point): readonly [number, number] | undefined {
    let [start, end] = [0, 1];
    for (const k of [0, 1] as const) {
      const [low, high] = boxes[k];
      const step = to[k] - from[k];
      if (step === 0) {
        if (from[k] < low || from[k] > high) return undefined;
        continue;
      }
      const [a, b] = [(low - from[k]) / step, (high - from[k]) / step];
      start = Math.max(start, Math.min(a, b));
      end = Math.min(end, Math.max(a, b));
    }
    return start < end ? [start, end] : undefined;
  }
}

function between(from: Point, to: Point, part: number): Point {
  if (part === 0) return from;
  if (part === 1) return to;
  return [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])];
}

/** A value brought to the edge of a range or just beyond it. */
export function bounded(value: number, range: Range | undefined): number {
  const [low, high] = wide(range);
  return Math.max(low, Math.min(high, value));
}

function wide(range: Range | undefined): Range {
  if (!range) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const room = BEYOND * (range[1] - range[0]);
  return [range[0] - room, range[1] + room];
}
