import { ConfigError } from './config-error.ts';
import { isInRange, type NumberRange } from './ranges.ts';
import { show } from './show.ts';
import { didYouMean } from './suggest.ts';

export { ConfigError } from './config-error.ts';

/** Groups of parameters, in the order in which help, config and sweeps list them. */
const PARAMETER_GROUPS = [
  'MODEL',
  'OPTIMIZER',
  'START',
  'RUN',
  'PHASES',
  'OUTPUT',
  'ENGINE',
  'LOG',
] as const;
export type ParameterGroup = (typeof PARAMETER_GROUPS)[number];

interface Described {
  /** What the value is, to stand behind "the" or alone: "learning rate". */
  readonly meaning: string;
  /** Symbol in the formulas, or the placeholder of the value in help. */
  readonly symbol?: string;
  /** Values that would do, as text: "0.05 or 1/20". */
  readonly example?: string;
  readonly group: ParameterGroup;
  /** Other names that mean the same. */
  readonly aliases?: readonly string[];
  /** False where no environment variable sets it. */
  readonly variable?: boolean;
  /** One letter that stands for the name on a command line. */
  readonly letter?: string;
}

export interface NumberParameter extends Described, NumberRange {
  readonly type: 'number' | 'integer';
  readonly symbol: string;
  readonly default?: number | null;
}

/** A fixed number of numbers, each with a name of its own: a start θ₀ = (α, β₁, β₂). */
export interface NumbersParameter extends Described {
  readonly type: 'numbers';
  readonly parts: readonly PartOfNumbers[];
  readonly default?: readonly number[] | null;
}

export interface PartOfNumbers {
  readonly name: string;
  readonly symbol: string;
  readonly meaning: string;
}

/** One word of several. */
export interface WordParameter extends Described {
  readonly type: 'word';
  /** What a word names: "preset". */
  readonly noun: string;
  readonly words: readonly string[];
  /** Other words for these. */
  readonly synonyms?: Readonly<Record<string, string>>;
  /** Whole numbers that will do as well. */
  readonly integer?: { readonly minimum: number; readonly maximum: number };
  readonly default?: string | null;
}

/** A list of words; any where none are listed. */
export interface WordsParameter extends Described {
  readonly type: 'words';
  readonly noun: string;
  readonly words: readonly string[];
  readonly default?: readonly string[] | null;
}

export interface SwitchParameter extends Described {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** Any text, such as the name of a file. */
export interface TextParameter extends Described {
  readonly type: 'text';
  /** What a text is: "the name of a file". */
  readonly noun: string;
  /** Whether files may hold it as a number or a list as well, as the values of a grid. */
  readonly grid?: boolean;
  readonly default?: string | null;
}

/**
 * One thing that can be said of a run, a model, an optimizer or an output. From it come the flag,
 * the environment variable, the key of config files, the line of help, the JSON Schema and the
 * messages about values that cannot be.
 */
export type Parameter =
  | NumberParameter
  | NumbersParameter
  | WordParameter
  | WordsParameter
  | SwitchParameter
  | TextParameter;

/** Parameters by name. */
export type ParameterTable = Readonly<Record<string, Parameter>>;

export type Plain<P extends Parameter> = P extends NumberParameter
  ? number
  : P extends { readonly type: 'numbers'; readonly parts: infer Parts }
    ? { readonly [K in keyof Parts]: number }
    : P extends { readonly type: 'word'; readonly words: readonly (infer Word)[] }
      ? P extends { readonly integer: object }
        ? Word | `${number}`
        : Word
      : P extends { readonly type: 'words'; readonly words: readonly (infer Word)[] }
        ? readonly Word[]
        : P extends SwitchParameter
          ? boolean
          : string;

export type Nullable<P extends Parameter> = P extends { readonly default: null } ? null : never;

/** Checked values of a table, one for each parameter. */
export type ValuesOf<T extends ParameterTable> = {
  readonly [K in keyof T]: Plain<T[K]> | Nullable<T[K]>;
};

/** What may be said of a table: any part of it, numbers also as text such as `1/20`. */
export type OptionsOf<T extends ParameterTable> = {
  readonly [K in keyof T]?: Given<T[K]> | Nullable<T[K]> | undefined;
};

export type Given<P extends Parameter> = P extends { readonly type: 'number' }
  ? number | string
  : P extends { readonly type: 'numbers' }
    ? readonly number[]
    : Plain<P>;

/** One table of several, sorted by group; within a group the order stays. */
export function joinTables<
  A extends ParameterTable,
  B extends ParameterTable,
  C extends ParameterTable,
>(a: A, b: B, c: C): A & B & C {
  const place = ({ group }: Parameter) => PARAMETER_GROUPS.indexOf(group);
  const entries = Object.entries({ ...a, ...b, ...c } as A & B & C);
  return Object.fromEntries(entries.sort(([, x], [, y]) => place(x) - place(y))) as A & B & C;
}

/** A number as text: decimal, or a fraction such as 1/20. NaN for anything else. */
export function parseNumber(text: string): number {
  const parts = text.split('/').map((part) => part.trim());
  if (
    parts.length > 2 ||
    parts.some((part) => !/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(part))
  )
    return Number.NaN;
  const [numerator, denominator] = parts.map(Number);
  return denominator === undefined ? numerator! : numerator! / denominator;
}

/**
 * Values for a whole table: what is given, else what `base` says (a preset), else the default.
 * @param others further names that may be given, which are not looked at
 * @throws ConfigError naming the first parameter that cannot be used, or a key that is no parameter
 */
export function resolveValues<T extends ParameterTable>(
  table: T,
  given: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>> = {},
  others: readonly string[] = [],
): ValuesOf<T> {
  checkKeys(table, given, others);
  // Each run of a sweep comes by: lists of entries would take longer than all else.
  const values: Record<string, unknown> = {};
  for (const name in table) values[name] = resolveValue(name, table[name]!, given, base);
  return values as ValuesOf<T>;
}

function resolveValue(
  name: string,
  parameter: Parameter,
  given: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>>,
): unknown {
  let value = given[name];
  if (parameter.aliases) for (const alias of parameter.aliases) value ??= given[alias];
  value ??= base[name];
  if (value !== undefined && value !== null) return readValue(name, parameter, value);
  if (parameter.default !== undefined) return parameter.default;
  throw new ConfigError(name, `is missing; ${advice(parameter)}`);
}

/** @throws ConfigError for a key that is neither a parameter nor another name of one */
export function checkKeys(
  table: ParameterTable,
  given: object,
  others: readonly string[] = [],
): void {
  for (const key in given) {
    if (Object.hasOwn(table, key)) continue;
    const names = Object.entries(table).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
    const known = [...names, ...others];
    if (!known.includes(key))
      throw new ConfigError(key, `there is no such parameter${didYouMean(key, known)}`);
  }
}

/**
 * The value that a text or a JSON value means for a parameter, checked: "1/20" for 0.05,
 * "0.3,0.1,0.3" for a list.
 * @param name as the message shall call it
 * @throws ConfigError saying what is wrong with it and what would do
 */
export function readValue<P extends Parameter>(
  name: string,
  parameter: P,
  value: unknown,
): Plain<P>;
export function readValue(name: string, parameter: Parameter, value: unknown): unknown {
  switch (parameter.type) {
    case 'number':
    case 'integer':
      return readNumber(name, parameter, value);
    case 'numbers':
      return readNumbers(name, parameter, value);
    case 'word':
      return readWord(name, parameter, value);
    case 'words':
      return readWords(name, parameter, value);
    case 'boolean':
      return readSwitch(name, value);
    case 'text':
      if (typeof value === 'string' && value !== '') return value;
      throw new ConfigError(name, `${show(value)} is not ${parameter.noun}`);
  }
}

/** The number that a text or a JSON value means for a parameter, checked. @throws ConfigError */
export function readNumber(name: string, parameter: NumberParameter, value: unknown): number {
  const number = typeof value === 'string' ? parseNumber(value) : value;
  if (typeof value === 'string' && !Number.isFinite(number))
    throw new ConfigError(name, `${show(value)} is not a number; write it as 0.05, 1e-6 or 1/20`);
  if (isInRange(parameter, number)) return number;
  const shown = typeof number === 'number' ? String(number) : show(value);
  throw new ConfigError(name, `${shown} is not ${rangeText(parameter)}; ${advice(parameter)}`);
}

/** What a number must be: "a positive number", "a whole number from 1 to 100". */
function rangeText(parameter: NumberParameter): string {
  const { type, minimum, exclusiveMinimum, exclusiveMaximum } = parameter;
  const maximum = parameter.maximum === Number.MAX_SAFE_INTEGER ? undefined : parameter.maximum;
  const noun = type === 'integer' ? 'whole number' : 'number';
  const upper =
    maximum !== undefined
      ? ` to ${maximum}`
      : exclusiveMaximum !== undefined
        ? ` to below ${exclusiveMaximum}`
        : '';
  if (exclusiveMinimum === 0 && upper === '') return `a positive ${noun}`;
  if (exclusiveMinimum !== undefined) return `a ${noun} from above ${exclusiveMinimum}${upper}`;
  if (minimum !== undefined) return `a ${noun} from ${minimum}${upper || ' up'}`;
  return upper === '' ? `a finite ${noun}` : `a ${noun} up${upper}`;
}

function advice({ meaning, example }: Parameter): string {
  const what = meaning.split(/[;,]/)[0];
  return `give the ${what}${example === undefined ? '' : `, such as ${example}`}`;
}

function readNumbers(
  name: string,
  { parts, example }: NumbersParameter,
  value: unknown,
): readonly number[] {
  const symbols = parts.map(({ symbol }) => symbol).join(',');
  const such = `give ${symbols} such as ${example}`;
  const numbers: unknown = typeof value === 'string' ? value.split(',').map(parseNumber) : value;
  if (typeof value === 'string' && !(numbers as number[]).every(Number.isFinite))
    throw new ConfigError(name, `${show(value)} is not a list of numbers; ${such}`);
  if (Array.isArray(numbers) && numbers.length === parts.length && numbers.every(Number.isFinite))
    return [...numbers];
  throw new ConfigError(name, `${show(numbers)} is not ${parts.length} finite numbers; ${such}`);
}

function readWord(
  name: string,
  { noun, words, integer, synonyms = {} }: WordParameter,
  value: unknown,
): string {
  if (typeof value === 'string' && words.includes(value)) return value;
  if (typeof value === 'string' && Object.hasOwn(synonyms, value)) return synonyms[value]!;
  if (integer && /^\d+$/.test(textOf(value))) {
    const { minimum, maximum } = integer;
    if (Number(value) >= minimum && Number(value) <= maximum) return String(Number(value));
    throw new ConfigError(name, `${value} is not a whole number from ${minimum} to ${maximum}`);
  }
  throw new ConfigError(
    name,
    `no ${noun} is called ${show(value)}${didYouMean(textOf(value), words)}${there(words)}`,
  );
}

function there(words: readonly string[]): string {
  return words.length === 0 ? '' : `; there are ${words.join(', ')}`;
}

function readWords(name: string, { noun, words }: WordsParameter, value: unknown): string[] {
  const list: unknown = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list))
    throw new ConfigError(name, `${show(value)} is not a list of ${noun} names`);
  const wanted = new Set(list.map((word) => textOf(word).trim()).filter((word) => word !== ''));
  if (wanted.size === 0)
    throw new ConfigError(name, `the list is empty; name at least one ${noun}`);
  if (words.length === 0) return [...wanted];
  for (const word of wanted) readWord(name, { type: 'word', noun, words } as WordParameter, word);
  return words.filter((word) => wanted.has(word));
}

const ON = ['1', 'true', 'y', 'yes', 'on'];
const OFF = ['0', 'false', 'n', 'no', 'off'];

function readSwitch(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  const word = textOf(value).toLowerCase();
  if (ON.includes(word)) return true;
  if (OFF.includes(word)) return false;
  throw new ConfigError(name, `${show(value)} is neither yes nor no; write 1 or 0`);
}

/** What a value is as text; objects may know of none. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : show(value));
