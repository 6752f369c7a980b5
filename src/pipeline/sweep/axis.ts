import {
  ConfigError,
  type NumberParameter,
  parseNumber,
  readValue,
  type TextParameter,
  type WordParameter,
} from '../core/parameters.ts';
import { log } from '../numeric/elementary.ts';
import { exp } from '../numeric/exponential.ts';
import { SWEEP_PARAMETERS, type SweepParameterName } from './parameters.ts';

/**
 * The values of one parameter in a sweep, computed when asked for: a range may be as long as it
 * likes.
 */
export interface Axis<T = number> {
  /** Canonical text: equal for equal values, and read by `parseAxis` as the same axis. */
  readonly text: string;
  readonly count: number;
  /** The i-th value, 0 ≤ i < count. */
  at(i: number): T;
  /** Whether the axis has this very value. */
  has(value: T): boolean;
}

/**
 * Digits of the inner points of a range: few enough to type, and free of the rounding of any
 * logarithm.
 */
const RANGE_DIGITS = 12;
/** Ranges of whole numbers are rounded and cleared of duplicates, so they have to be listed. */
const LONGEST_LIST = 1_000_000;

/**
 * Reads the values of one parameter: `0.05`, a fraction `1/20`, a list `0.01,0.02`, a range with
 * both ends, in equal steps `from:to:count` (or `from:to:lin:count`) or equal ratios
 * `from:to:log:count`, whole numbers `0..99`, or any of these separated by commas. Values that
 * stand twice count once.
 *
 * @throws ConfigError where the text is no such thing, runs backwards, or takes the logarithm of 0
 * or less
 */
export function parseAxis(
  name: string,
  text: string,
  parameter: NumberParameter = SWEEP_PARAMETERS[name as SweepParameterName],
): Axis {
  return parseNumbers({ name, parameter }, text);
}

/** The parameter of an axis, by the name that messages give it. */
interface Named {
  readonly name: string;
  readonly parameter: NumberParameter;
}

/** Places of a list, none of them empty. */
function listItems(name: string, text: string, comma: ',' | ';', such: string): string[] {
  const items = text.split(comma).map((item) => item.trim());
  if (text.trim() === '') throw new ConfigError(name, `no values are given; ${such}`);
  if (items.includes(''))
    throw new ConfigError(
      name,
      `"${text}" has an empty place between its ${comma === ',' ? 'commas' : 'semicolons'}`,
    );
  return items;
}

/**
 * Reads the values of a parameter that takes words or texts, one beside the other. Values that
 * stand twice count once.
 * @throws ConfigError
 */
export function parseNames(
  name: string,
  text: string,
  parameter: WordParameter | TextParameter,
  comma: ',' | ';',
): Axis<string> {
  const such = `give one or several, separated by ${comma}`;
  const items = listItems(name, text, comma, such);
  const values = [...new Set(items.map((item) => readValue(name, parameter, item)))];
  return {
    text: values.join(comma),
    count: values.length,
    at: (i) => values[i]!,
    has: (value) => values.includes(value),
  };
}

function parseNumbers(parameter: Named, text: string): Axis {
  const items = listItems(parameter.name, text, ',', EXAMPLES);
  const parts = items.map((item) => parseItem(parameter, item));
  const only = parts.length === 1 ? parts[0]! : undefined;
  if (only && !isWhole(parameter)) return only;
  if (only && only.count === 1) return only;
  // A run of consecutive whole numbers needs no list, however long it is.
  if (only?.text.includes('..')) return only;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (count > LONGEST_LIST) {
    throw new ConfigError(
      parameter.name,
      `${count} values in one list are too many; give a single range, or at most 10⁶`,
    );
  }
  const values = new Set<number>();
  for (const part of parts) for (let i = 0; i < part.count; i++) values.add(part.at(i));
  return listAxis([...values], parts.map((part) => part.text).join(','));
}

const EXAMPLES = 'give a number, a list such as 0.01,0.02, or a range such as 0.01:0.5:log:60';

function parseItem(parameter: Named, item: string): Axis {
  const consecutive = /^([+-]?\d+)\.\.([+-]?\d+)$/.exec(item);
  if (consecutive)
    return consecutiveAxis(parameter, Number(consecutive[1]), Number(consecutive[2]));
  if (item.includes(':')) return rangeAxis(parameter, item);
  const value = checked(parameter, parseNumber(item), item);
  checkWhole(parameter, value);
  return listAxis([value], String(value));
}

function consecutiveAxis(parameter: Named, from: number, to: number): Axis {
  if (!isWhole(parameter))
    throw new ConfigError(parameter.name, `${from}..${to} is for whole numbers; ${EXAMPLES}`);
  if (to < from)
    throw new ConfigError(
      parameter.name,
      `${from}..${to} goes backwards; put the smaller number first`,
    );
  checkWhole(parameter, from);
  checkWhole(parameter, to);
  return {
    text: from === to ? String(from) : `${from}..${to}`,
    count: to - from + 1,
    at: (i) => from + i,
    has: (value) => Number.isInteger(value) && value >= from && value <= to,
  };
}

function rangeAxis(parameter: Named, item: string): Axis {
  const given = item.split(':').map((field) => field.trim());
  const fields = given.length === 3 ? [given[0]!, given[1]!, 'lin', given[2]!] : given;
  const [fromText, toText, scale, countText] = fields;
  if (fields.length !== 4 || (scale !== 'lin' && scale !== 'log') || !/^\d+$/.test(countText!)) {
    throw new ConfigError(
      parameter.name,
      `"${item}" is no range; write from:to:count, or from:to:log:count for equal ratios`,
    );
  }
  const from = checked(parameter, parseNumber(fromText!), fromText!);
  const to = checked(parameter, parseNumber(toText!), toText!);
  const count = Number(countText);
  if (count === 0)
    throw new ConfigError(parameter.name, `the range ${item} is empty; give it at least one point`);
  if (to < from)
    throw new ConfigError(
      parameter.name,
      `the range ${item} goes backwards; put the smaller end first`,
    );
  if (count === 1 && from !== to) {
    throw new ConfigError(
      parameter.name,
      `the range ${item} has one point but two ends; write ${from}, or more points`,
    );
  }
  if (count > 1 && from === to) {
    throw new ConfigError(
      parameter.name,
      `the range ${item} has two equal ends; write ${from} alone`,
    );
  }
  if (scale === 'log' && !(from > 0)) {
    throw new ConfigError(
      parameter.name,
      `the range ${item} takes the logarithm of ${from}; start above 0, or use lin`,
    );
  }
  if (count === 1) return listAxis([from], String(from));

  const at = (i: number) => {
    if (i === 0) return from;
    if (i === count - 1) return to;
    const share = i / (count - 1);
    const value = scale === 'lin' ? from + (to - from) * share : from * exp(share * log(to / from));
    return Number(value.toPrecision(RANGE_DIGITS));
  };
  const text = `${from}:${to}:${scale}:${count}`;
  if (isWhole(parameter)) return wholeRange(parameter, text, count, at);
  const distinct = [0, count >> 1, count - 2].every((i) => at(i) < at(i + 1) || i + 1 >= count);
  if (!(distinct && Number.isSafeInteger(count))) {
    throw new ConfigError(
      parameter.name,
      `the range ${item} is finer than ${RANGE_DIGITS} digits can tell; take fewer points`,
    );
  }
  return {
    text,
    count,
    at,
    has(value) {
      const share =
        scale === 'lin' ? (value - from) / (to - from) : log(value / from) / log(to / from);
      const near = Math.round(share * (count - 1));
      return [near - 1, near, near + 1].some((i) => i >= 0 && i < count && at(i) === value);
    },
  };
}

/** A range over whole numbers: each point rounded, duplicates dropped. */
function wholeRange(
  parameter: Named,
  text: string,
  count: number,
  at: (i: number) => number,
): Axis {
  if (count > LONGEST_LIST) {
    throw new ConfigError(
      parameter.name,
      `a range of ${count} rounded points is too long; write from..to, or at most 10⁶`,
    );
  }
  const values = new Set<number>();
  for (let i = 0; i < count; i++) values.add(Math.round(at(i)));
  for (const value of values) checkWhole(parameter, value);
  return listAxis([...values], text);
}

function listAxis(values: readonly number[], text: string): Axis {
  const all = new Set(values);
  return { text, count: values.length, at: (i) => values[i]!, has: (value) => all.has(value) };
}

/** Reads starts: three numbers `α,β₁,β₂`, several of them separated by semicolons. */
export function parseStarts(text: string): Axis<readonly [number, number, number]> {
  const starts = new Map<string, readonly [number, number, number]>();
  for (const item of text.split(';')) {
    const numbers = item.split(',').map(parseNumber);
    if (numbers.length !== 3 || numbers.some((x) => !Number.isFinite(x))) {
      throw new ConfigError(
        'init',
        `"${item}" is not three numbers; give α,β₁,β₂ such as 0.3,0.1,0.3, several of them ` +
          'separated by semicolons, or sweep over alpha, beta1 and beta2',
      );
    }
    starts.set(numbers.join(','), [numbers[0]!, numbers[1]!, numbers[2]!]);
  }
  const values = [...starts.values()];
  return {
    text: [...starts.keys()].join(';'),
    count: values.length,
    at: (i) => values[i]!,
    has: (value) => starts.has(value.join(',')),
  };
}

function checked(parameter: Named, value: number, text: string): number {
  if (Number.isFinite(value)) return value;
  throw new ConfigError(parameter.name, `"${text}" is not a number; ${EXAMPLES}`);
}

function isWhole({ parameter }: Named): boolean {
  return parameter.type === 'integer';
}

function checkWhole(parameter: Named, value: number): void {
  if (isWhole(parameter)) readValue(parameter.name, parameter.parameter, value);
}
