import { plural } from '../format.ts';
import type { RunColumn } from '../models/minimal/columns.ts';
import type { RunTable } from './run-table.ts';

/**
 * What a check has come to. `not reached`: the run is too short to tell; nothing speaks against the
 * statement.
 */
export type Verdict = 'holds' | 'fails' | 'not reached' | 'does not apply';

/** What a check has found in a run to which it applies. */
export interface Finding {
  readonly verdict: Verdict;
  readonly measured: number | null;
  readonly predicted: number | null;
  /** How much is left of what the statement allows; negative where it fails. */
  readonly margin: number | null;
  /** The same three for people, with units and what they are of. */
  readonly text: { readonly measured: string; readonly predicted: string; readonly margin: string };
  /** From which step to which the run decides it: where it fails, or is nearest to that. */
  readonly steps?: readonly [first: number, last: number];
  /** Anything else worth knowing, in a sentence or two. */
  readonly note?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A statement about a run that can fail. */
export interface Check {
  readonly name: string;
  /** In words; the numbers in it are the tolerances of the verdict. */
  readonly statement: string;
  readonly needs: readonly RunColumn[];
  /** Whether it takes every step, so that a thinned file does not do. */
  readonly everyStep?: boolean;
  /** Whether its formulas are for covariance 0 only. */
  readonly noCovariance?: boolean;
  /** Whether it is for λ₁ ≫ λ₂ only (see premise.ts). */
  readonly separated?: boolean;
  /**
   * Whether it takes a start that oscillates: one at which β₁ is 0 for ever is no start of the
   * theory.
   */
  readonly oscillates?: boolean;
  /** Whether it speaks of the edge of stability, so that the run must have come there. */
  readonly edge?: boolean;
  /**
   * Whether it is a law of the steps of plain gradient descent, and says nothing of other
   * optimizers.
   */
  readonly descent?: boolean;
  /** What it computes anew by its nature, besides columns that a file lacks. */
  readonly recomputes?: string;
  run(table: RunTable): Finding;
}

/** A finding under its check's name. */
export interface CheckResult extends Finding {
  readonly name: string;
  readonly statement: string;
  readonly recomputed: readonly string[];
}

const NOTHING = {
  measured: null,
  predicted: null,
  margin: null,
  text: { measured: '', predicted: '', margin: '' },
};

export function doesNotApply(note: string): Finding {
  return { verdict: 'does not apply', ...NOTHING, note };
}

export function notReached(note: string): Finding {
  return { verdict: 'not reached', ...NOTHING, note };
}

/** How many contradictions are told in words. */
const MOST_TOLD = 5;

/** A finding of what contradicts a statement; it holds where nothing does. */
export function contradictions(found: readonly string[], note = ''): Finding {
  const more = found.length > MOST_TOLD ? [`and ${found.length - MOST_TOLD} more`] : [];
  const told = [...found.slice(0, MOST_TOLD), ...more, ...(note === '' ? [] : [note])];
  const words =
    found.length === 0 ? 'nothing contradicts it' : plural(found.length, 'contradiction');
  return {
    verdict: found.length === 0 ? 'holds' : 'fails',
    measured: found.length,
    predicted: 0,
    margin: -found.length,
    text: { measured: words, predicted: '', margin: '' },
    ...(told.length > 0 ? { note: told.join('; ') } : {}),
    details: { found },
  };
}

/** Fewer whole cycles than this make no average. */
export const LEAST_CYCLES = 10;

/** A finding of a measured value that must agree with a predicted one to a relative tolerance. */
export function agreement(
  measured: number,
  predicted: number,
  tolerance: number,
  extra: Pick<Finding, 'note' | 'details' | 'steps'> = {},
): Finding {
  const deviation = Math.abs(measured / predicted - 1);
  return {
    verdict: deviation <= tolerance ? 'holds' : 'fails',
    measured,
    predicted,
    margin: tolerance - deviation,
    text: {
      measured: digits(measured),
      predicted: digits(predicted),
      margin: `${percent(deviation)} off, ${percent(tolerance)} allowed`,
    },
    ...extra,
  };
}

export function percent(part: number): string {
  const value = 100 * part;
  const size = Math.abs(value);
  if (size >= 1e4) return `${value.toExponential(1)} %`;
  return `${size >= 10 ? Number(value.toFixed(1)) : Number(value.toPrecision(2))} %`;
}

/** Five significant digits. */
export function digits(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(5))) : value.toExponential(4);
}

/** A round number such as a tolerance, without a forest of zeros: 0.01, 1e-8. */
export function round(value: number): string {
  return Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}
