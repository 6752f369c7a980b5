import type { FileOrigin } from '../load/bytes.ts';

/** What the reader of a sweep is asked for: these columns of all parts, one below the other. */
export interface SweepCall {
  readonly parts: readonly FileOrigin[];
  readonly numbers: readonly string[];
  /** Column of words, told as codes into `words`. */
  readonly word: string;
  readonly words: readonly string[];
}

export type SweepReply =
  | { readonly read: number }
  | { readonly numbers: readonly Float64Array[]; readonly codes: Uint8Array }
  | { readonly error: string };
