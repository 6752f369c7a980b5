import {
  ConfigError,
  type Parameter,
  type ParameterTable,
  readValue,
  type ValuesOf,
} from '../pipeline/core/parameters.ts';
import { UsageError } from './errors.ts';
import { Flags, type Interfaces } from './oclif.ts';

type FlagOf<P extends Parameter> = P extends { readonly type: 'boolean' }
  ? Interfaces.BooleanFlag<boolean | undefined>
  : Interfaces.OptionFlag<ValuesOf<{ value: P }>['value'] | undefined>;

export type FlagsOf<T extends ParameterTable> = { readonly [K in keyof T]: FlagOf<T[K]> };

/**
 * The flags of a table of parameters, each with its environment variable; their values are read and
 * checked.
 */
export function flagsOf<T extends ParameterTable>(table: T): FlagsOf<T> {
  return Object.fromEntries(
    Object.entries(table).map(([name, parameter]) => [name, flagOf(name, parameter)]),
  ) as FlagsOf<T>;
}

function flagOf(name: string, parameter: Parameter): unknown {
  const { symbol, group, letter, aliases = [] } = parameter;
  const common = {
    description: descriptionOf(parameter),
    helpGroup: group,
    ...(parameter.variable === false ? {} : { env: variableOf(name) }),
    aliases: [...aliases],
    ...(letter === undefined ? {} : { char: letter as 'q' }),
  };
  if (parameter.type === 'boolean') return Flags.boolean(common);
  return Flags.custom<unknown>({
    ...common,
    helpValue: symbol ?? name.toUpperCase(),
    parse: async (text) => readFrom(originOf(name), parameter, text),
  })();
}

/** The environment variable of a flag. */
function variableOf(name: string): string {
  return `EOS_${name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Where the value of a flag comes from, as a message should name it: the flag itself, the
 * environment variable, or the config file that is given where it sets the value.
 */
export function originOf(name: string, configFile?: string): string {
  const flag = `--${name}`;
  if (process.argv.some((word) => word === flag || word.startsWith(`${flag}=`))) return flag;
  const variable = variableOf(name);
  if (process.env[variable]) return variable;
  return configFile === undefined ? flag : `--config: ${configFile}: ${name}`;
}

/** The value of a parameter from a place that the message shall name. @throws UsageError */
export function readFrom<P extends Parameter>(
  origin: string,
  parameter: P,
  value: unknown,
): ValuesOf<{ value: P }>['value'] {
  try {
    return readValue(origin, parameter, value);
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

/** One line of help: what the value is, which there are, what it is unless given. */
function descriptionOf(parameter: Parameter): string {
  const { meaning, example, default: value } = parameter;
  const words =
    'words' in parameter && parameter.words.length > 0 ? `: ${parameter.words.join(', ')}` : '';
  const such = example !== undefined && value == null && words === '' ? `, such as ${example}` : '';
  const unlessGiven = value == null || typeof value === 'boolean' ? '' : ` [${String(value)}]`;
  return meaning + words + such + unlessGiven;
}

/**
 * Refuses a word in the environment variable of a switch that says neither yes nor no: the parser
 * takes it for a no, and a run would do what its user did not ask for.
 *
 * @throws UsageError naming the variable
 */
export function checkSwitches(table: ParameterTable): void {
  for (const [name, parameter] of Object.entries(table)) {
    const obeyed = parameter.type === 'boolean' && parameter.variable !== false;
    const word = obeyed ? process.env[variableOf(name)] : undefined;
    if (word) readFrom(variableOf(name), parameter, word);
  }
}

/** What was said of a table: the flags (and environment) first, then the config file. */
export function saidOf<T extends ParameterTable>(
  table: T,
  flags: object,
  file: object = {},
): Partial<ValuesOf<T>> {
  const given = flags as Readonly<Record<string, unknown>>;
  const filed = file as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(table).map((name) => [name, given[name] ?? filed[name]]),
  ) as Partial<ValuesOf<T>>;
}

/** Values of a table in which only what has no default may be missing. */
type Settled<T extends ParameterTable> = {
  readonly [K in keyof T]: T[K] extends { readonly default: unknown }
    ? ValuesOf<T>[K]
    : ValuesOf<T>[K] | undefined;
};

/** As `saidOf`, with the default of whatever was not said. */
export function settledOf<T extends ParameterTable>(
  table: T,
  flags: object,
  file?: object,
): Settled<T> {
  const said: Readonly<Record<string, unknown>> = saidOf(table, flags, file);
  return Object.fromEntries(
    Object.entries(table).map(([name, parameter]) => [name, said[name] ?? parameter.default]),
  ) as Settled<T>;
}
