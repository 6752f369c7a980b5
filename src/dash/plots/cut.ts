import type { Range } from './draw.ts';

/** Points of a line, in the order in which they are drawn. */
export interface Points {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

type Point = readonly [x: number, y: number];

/** Part of an axis by which a line may go beyond it, so that it is cut out of sight. */
const BEYOND = 0.5;

/**
 * The parts of a line that lie in a frame or near it, cut exactly where they leave, with a point of
 * NaN between parts: renderers fail on coordinates that are far beyond what they show, and the line
 * of a run that diverges has them.
 */
export function cut(points: Points, x: Range, y: Range): Points {
  const [left, right] = wide(x);
  const [bottom, top] = wide(y);
  const all = Array.from(points.x, (at, i): Point => [at, points.y[i]!]);
  const inside = ([px, py]: Point) =>
    Number.isNaN(px + py) || (px >= left && px <= right && py >= bottom && py <= top);
  if (all.every(inside)) return points;
  const kept: Point[] = [];
  for (const [i, point] of all.entries()) {
    const before = all[i - 1];
    const part = before && visible(before, point);
    if (!before || !part) {
      if (inside(point)) kept.push(point);
      continue;
    }
    const [start, end] = part;
    if (start > 0 || kept.length === 0) kept.push(between(before, point, start));
    kept.push(between(before, point, end));
    if (end < 1) kept.push([Number.NaN, Number.NaN]);
  }
  return { x: kept.map(([px]) => px), y: kept.map(([, py]) => py) };

  /**
   * From which to which part of a segment it is within the frame (Liang and Barsky); undefined
   * where nowhere.
   */
  function visible(from: Point, to: Point): Range | undefined {
    let [start, end] = [0, 1];
    for (const [at, step, low, high] of [
      [from[0], to[0] - from[0], left, right],
      [from[1], to[1] - from[1], bottom, top],
    ] as const) {
      if (step === 0 && (at < low || at > high)) return undefined;
      if (step === 0) continue;
      const [a, b] = [(low - at) / step, (high - at) / step];
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

function wide([low, high]: Range): Range {
  const room = BEYOND * (high - low);
  return [low - room, high + room];
}
