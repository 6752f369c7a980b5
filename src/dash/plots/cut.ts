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
  const { x: xs, y: ys } = points;
  const isInside = (px: number, py: number) =>
    Number.isNaN(px + py) || (px >= left && px <= right && py >= bottom && py <= top);
  let whole = 0;
  while (whole < xs.length && isInside(xs[whole]!, ys[whole]!)) whole++;
  if (whole === xs.length) return points;
  const kept: { x: number[]; y: number[] } = { x: [], y: [] };
  const keep = (px: number, py: number) => {
    kept.x.push(px);
    kept.y.push(py);
  };
  let before = false;
  for (let i = 0; i < xs.length; i++) {
    const inside = isInside(xs[i]!, ys[i]!);
    if (!(before && inside)) enter(i, inside);
    if (inside) keep(xs[i]!, ys[i]!);
    before = inside;
  }
  return kept;

  /** The way to a point, where not both of its ends are inside. */
  function enter(i: number, inside: boolean): void {
    if (i === 0) return;
    const from: Point = [xs[i - 1]!, ys[i - 1]!];
    const to: Point = [xs[i]!, ys[i]!];
    const part = visible(from, to);
    if (!part) return;
    if (part[0] > 0) keep(...between(from, to, part[0]));
    if (inside) return;
    keep(...between(from, to, part[1]));
    keep(Number.NaN, Number.NaN);
  }

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

function wide([low, high]: Range): Range {
  const room = BEYOND * (high - low);
  return [low - room, high + room];
}

function between(from: Point, to: Point, part: number): Point {
  return [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])];
}

/** Pixels of the stroke that a point has which stands alone. */
const ALONE = 2;

/** A line in pixels as the path of an SVG. */
export function outline({ x, y }: Points): string {
  const isThere = (i: number) => !Number.isNaN((x[i] ?? Number.NaN) + (y[i] ?? Number.NaN));
  const rounded = (value: number) => Math.round(100 * value) / 100;
  let path = '';
  let pen = 'M';
  for (let i = 0; i < x.length; i++) {
    if (!isThere(i)) pen = 'M';
    else if (pen === 'M' && !isThere(i + 1))
      path += `M${rounded(x[i]! - ALONE / 2)},${rounded(y[i]!)}h${ALONE}`;
    else {
      path += `${pen}${rounded(x[i]!)},${rounded(y[i]!)}`;
      pen = 'L';
    }
  }
  return path;
}
