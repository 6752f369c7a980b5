import { parseCell } from './cell.ts';
import { type GivenColumns, NO_STEP, nameRank } from './column-names.ts';
import type { LineTaker } from './lines.ts';
import { LogError, type Tally } from './log-error.ts';
import { AT, QUALIFIES, ROW_FIELDS, type RowField, type RowTaker } from './row-block.ts';

/** A time of day or a duration, which is no number. */
const TIME = /(?:\d+ days?,? *)?\b\d+:\d\d(?::\d\d)?(?![\d.])(?:,\d{3}\b)?/g;
/** A number that is no part of a word, with thousands separators or without. */
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\p{N}_.])[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?` +
    String.raw`|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|nan\b|inf(?:inity)?\b)`,
  'giu',
);

/** What sets the colours of a terminal. */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[A-Za-z]`, 'g');

/** Names in a line that are looked at. */
const MOST_PAIRS = 1000;

/** A name, and the number behind it. */
export type Pair = readonly [name: string, value: number];

/**
 * The names and values in a line of text, whatever stands between: a number is called what stands
 * before it, back to the number, comma, bar, bracket or dash before.
 */
export function pairsOf(line: string): Pair[] {
  const text = line.replace(COLOURS, '').replace(TIME, ',');
  const pairs: Pair[] = [];
  let at = 0;
  for (const match of text.matchAll(NUMBER)) {
    const name = nameBefore(text.slice(at, match.index), at > 0);
    at = match.index + match[0].length;
    const value = parseCell(match[0].replace(/,/g, ''), false);
    if (name !== '' && value !== undefined) pairs.push([name, value]);
    if (pairs.length === MOST_PAIRS) break;
  }
  return pairs;
}

/** Characters before a number that its name is looked for in. */
const LONGEST_NAME = 200;

function nameBefore(text: string, behindNumber: boolean): string {
  const near = text.slice(-LONGEST_NAME);
  // What sticks to the number before is its unit.
  const whole = behindNumber && near === text ? text.replace(/^[^\s,;|()[\]{}=:]+/, '') : near;
  const open = whole.replace(/[\s:=([{"']+$/, '');
  // What stands in brackets behind a name belongs to it: λ_max(H).
  const called = open.replace(/([\p{L}\p{N}_])\(([^()]*)\)$/u, '$1 $2');
  const part = called.split(/[,;|()[\]{}]|\s-\s/).at(-1)!;
  return part.replace(/["']/g, '').replace(/^[\s:=]+|[\s:=]+$/g, '');
}

/** Whether a line says a loss or a sharpness. */
export function isTextRow(line: string): boolean {
  return pairsOf(line).some(
    ([name]) =>
      nameRank('loss', name) < Number.POSITIVE_INFINITY ||
      nameRank('sharpness', name) < Number.POSITIVE_INFINITY,
  );
}

export interface TextOptions {
  readonly given: GivenColumns;
  /**
   * Groups named step, loss, sharpness and eta in a regular expression, instead of names and
   * values.
   */
  readonly pattern?: string | undefined;
}

/**
 * Reads lines of text with names and values, as most training loops print them. Other lines are
 * passed over; a line with a step but no loss gives its step to the lines behind it that have none.
 */
export function createTextReader(
  rows: RowTaker,
  tally: Tally,
  { given, pattern }: TextOptions,
): LineTaker {
  const decoder = new TextDecoder();
  const regex = pattern === undefined ? null : patternOf(pattern);
  const best: { [F in RowField]?: { readonly name: string; readonly rank: number } } = {};
  /** Names in the line that is read. */
  let used: { [F in RowField]?: string } = {};
  let heading = Number.NaN;
  let headingName = '';

  function rankOf(field: RowField, name: string): number {
    if (given[field] === undefined) return nameRank(field, name);
    return given[field] === name ? 0 : Number.POSITIVE_INFINITY;
  }

  /**
   * The value of a field: of the most usual name that any line so far had; of steps, that this line
   * has.
   */
  function fieldOf(field: RowField, pairs: readonly Pair[]): number {
    if (field === 'step' && given.step === NO_STEP) return Number.NaN;
    let found: Pair | null = null;
    let rank = Number.POSITIVE_INFINITY;
    for (const pair of pairs) {
      const own = rankOf(field, pair[0]);
      if (own < rank) {
        rank = own;
        found = pair;
      }
    }
    if (!found) return Number.NaN;
    if (rank < (best[field]?.rank ?? Number.POSITIVE_INFINITY))
      best[field] = { name: found[0], rank };
    const other = QUALIFIES[field];
    if (other && found[0] === used[other]) return Number.NaN;
    if (field !== 'step' && found[0] !== best[field]!.name) return Number.NaN;
    used[field] = found[0];
    return found[1];
  }

  return (bytes, from, to, line, _, over) => {
    const text = decoder.decode(bytes.subarray(from, to));
    const groups = regex?.exec(text)?.groups;
    if (regex && !groups) return;
    const pairs = groups
      ? ROW_FIELDS.map(
          (field): Pair => [field, parseCell(groups[field] ?? '', false) ?? Number.NaN],
        )
      : pairsOf(text);
    used = {};
    const step = fieldOf('step', pairs);
    // Of a bar that is written over, only its last state is of the step in the line above.
    if (over && Number.isNaN(step) && !Number.isNaN(heading)) return;
    const loss = fieldOf('loss', pairs);
    const sharpness = fieldOf('sharpness', pairs);
    if (Number.isNaN(loss) && Number.isNaN(sharpness)) {
      if (!Number.isNaN(step)) {
        heading = step;
        headingName = used.step!;
      }
      return;
    }
    const values = [step, loss, sharpness];
    for (const field of ROW_FIELDS.slice(AT.eta)) values.push(fieldOf(field, pairs));
    if (Number.isNaN(step) && !Number.isNaN(heading)) used.step = headingName;
    for (const field of ROW_FIELDS) {
      const name = used[field];
      if (name !== undefined && field !== 'epoch') tally.column(field, name);
    }
    if (Number.isNaN(step)) {
      values[AT.step] = heading;
      heading = Number.NaN;
    }
    rows.row(line, values);
  };
}

/** @throws LogError where it is no regular expression, or has no group of a loss or a sharpness */
function patternOf(pattern: string): RegExp {
  if (!/\(\?<(loss|sharpness)>/.test(pattern))
    throw new LogError(
      `the pattern ${pattern} has no group (?<loss>…) or (?<sharpness>…); groups are called ` +
        `${ROW_FIELDS.join(', ')}`,
    );
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    throw new LogError(
      `the pattern is no regular expression: ${error instanceof Error ? error.message : error}`,
    );
  }
}
