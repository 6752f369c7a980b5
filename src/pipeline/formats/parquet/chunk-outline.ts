import { base64Of, bytesOf } from '../../core/base64.ts';
import { EXTREMES } from './pack.ts';

/** Key of the outline of a column chunk in that chunk's own metadata. */
export const OUTLINE_KEY = 'eos.outline';
/** Rows of which an outline holds the extremes. */
export const OUTLINE_ROWS = 2048;
/** Files of fewer rows are read whole soon enough, and have no outlines. */
export const OUTLINE_FROM = 65_536;
/** Words that change more often than this in a row group have no outline. */
const MOST_RUNS = 1024;
const BLOCK = EXTREMES;

/** The smallest and the largest value of each block of `OUTLINE_ROWS` rows, and their rows. */
export interface Outline {
  readonly low: Float64Array;
  readonly lowRow: Float64Array;
  readonly high: Float64Array;
  readonly highRow: Float64Array;
}

/** Rows from which on a column of words holds another one than before. */
export interface WordRuns {
  readonly words: readonly string[];
  readonly rows: Float64Array;
  /** Index into `words` of each. */
  readonly codes: Uint8Array;
}

/**
 * What a chart of a whole run is drawn from without its rows: kept in the footer, in base64, where
 * readers that do not know it pass over it.
 */
export function encodeOutline(values: ArrayLike<number>): string {
  const blocks = Math.ceil(values.length / OUTLINE_ROWS);
  const view = new DataView(new ArrayBuffer(blocks * BLOCK));
  for (let b = 0; b < blocks; b++) {
    const start = b * OUTLINE_ROWS;
    const end = Math.min(values.length, start + OUTLINE_ROWS);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let lowRow = start;
    let highRow = start;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      if (value < low && value !== Number.NEGATIVE_INFINITY) {
        low = value;
        lowRow = i;
      }
      if (value > high && value !== Number.POSITIVE_INFINITY) {
        high = value;
        highRow = i;
      }
    }
    const none = low > high;
    view.setFloat64(b * BLOCK, none ? Number.NaN : low, true);
    view.setFloat64(b * BLOCK + 8, none ? Number.NaN : high, true);
    view.setUint16(b * BLOCK + 16, lowRow - start, true);
    view.setUint16(b * BLOCK + 18, highRow - start, true);
  }
  return base64Of(view);
}

/** Undefined where it is none of so many rows: a file may be anybody's. */
export function decodeOutline(text: string | undefined, rows: number): Outline | undefined {
  const blocks = Math.ceil(rows / OUTLINE_ROWS);
  const bytes = text === undefined ? undefined : safeBytes(text);
  if (!bytes || blocks === 0 || bytes.length !== blocks * BLOCK) return undefined;
  const view = new DataView(bytes.buffer);
  const each = (read: (at: number) => number) =>
    Float64Array.from({ length: blocks }, (_, b) => read(b * BLOCK));
  const row = (offset: number) =>
    each((at) => {
      const place = (at / BLOCK) * OUTLINE_ROWS + view.getUint16(at + offset, true);
      return Math.min(rows - 1, place);
    });
  return {
    low: each((at) => view.getFloat64(at, true)),
    lowRow: row(16),
    high: each((at) => view.getFloat64(at + 8, true)),
    highRow: row(18),
  };
}

/** @param codes indices into `words`; undefined where they change too often */
export function encodeRuns(codes: ArrayLike<number>, words: readonly string[]): string | undefined {
  const rows: number[] = [];
  for (let i = 0; i < codes.length; i++) {
    if (i > 0 && codes[i] === codes[i - 1]) continue;
    if (rows.push(i) > MOST_RUNS) return undefined;
  }
  return JSON.stringify({
    words,
    rows: base64Of(Uint32Array.from(rows)),
    codes: base64Of(Uint8Array.from(rows, (row) => codes[row]!)),
  });
}

/** Undefined where they are none of so many rows. */
export function decodeRuns(text: string | undefined, rows: number): WordRuns | undefined {
  let told: { words?: unknown; rows?: unknown; codes?: unknown };
  try {
    told = JSON.parse(text ?? '{}');
  } catch {
    return undefined;
  }
  const { words } = told ?? {};
  const starts = safeBytes(told?.rows);
  const codes = safeBytes(told?.codes);
  if (!Array.isArray(words) || !starts || !codes || starts.length !== 4 * codes.length)
    return undefined;
  const view = new DataView(starts.buffer);
  const places = Float64Array.from(codes, (_, i) => view.getUint32(4 * i, true));
  const sound =
    places[0] === 0 &&
    places.every((row, i) => row < rows && (i === 0 || row > places[i - 1]!)) &&
    codes.every((code) => typeof words[code] === 'string');
  return sound ? { words, rows: places, codes } : undefined;
}

function safeBytes(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  try {
    return typeof text === 'string' ? bytesOf(text) : undefined;
  } catch {
    return undefined;
  }
}
