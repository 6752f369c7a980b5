import type { Words } from '../../pipeline/sweep/map-parameters.ts';
import type { FileOrigin } from '../load/bytes.ts';

/** What the reader of a sweep is asked for: these columns of all parts, one below the other. */
export interface SweepCall {
  readonly parts: readonly FileOrigin[];
  readonly numbers: readonly string[];
  /** Columns of texts, as far as the parts have them. */
  readonly texts: readonly string[];
  /** Column of words, told as codes into `words`. */
  readonly word: string;
  readonly words: readonly string[];
}

export type SweepReply =
  | { readonly read: number }
  | {
      readonly numbers: readonly Float64Array[];
      readonly codes: Uint8Array;
      readonly words: ReadonlyMap<string, Words>;
    }
  | { readonly error: string };
