import {
  ConfigError,
  type NumberParameter,
  readValue,
  type WordParameter,
} from '../core/parameters.ts';
import { show } from '../core/show.ts';
import type { Optimizer, OptimizerValues } from './optimizer.ts';
import { defaultsOf } from './shared-parameters.ts';

/** The parameter that names the optimizer, and the parameters of all of them, each by its name. */
export type OptimizerTable = Readonly<Record<string, NumberParameter | WordParameter>> & {
  readonly optimizer: WordParameter;
};

/** An optimizer by name, with the values of its own parameters. */
export type OptimizerChoice = OptimizerValues & { readonly optimizer: string };

/** Everything that can be said of these optimizers. */
export function optimizerTable(optimizers: readonly Optimizer[]): OptimizerTable {
  const own = ownNames(optimizers).map((name): [string, NumberParameter] => {
    const having = optimizers.filter(({ parameters }) => Object.hasOwn(parameters, name));
    const { meaning, ...parameter } = having[0]!.parameters[name]!;
    const values = having.map((each) => `${each.name} ${each.parameters[name]!.default}`);
    // What it is unless given, and whether it may be given, only the optimizer tells.
    return [name, { ...parameter, meaning: `${meaning} (${values.join(', ')})`, default: null }];
  });
  return {
    optimizer: optimizerParameter(optimizers),
    ...Object.fromEntries(own),
  } as OptimizerTable;
}

/** Names of the parameters that these optimizers have of their own. */
export const ownNames = (optimizers: readonly Optimizer[]): readonly string[] => [
  ...new Set(optimizers.flatMap(({ parameters }) => Object.keys(parameters))),
];

/** The parameter that names one of them, the first of which is taken where none is named. */
const optimizerParameter = (optimizers: readonly Optimizer[]): WordParameter => ({
  type: 'word',
  noun: 'optimizer',
  words: optimizers.map(({ name }) => name),
  synonyms: Object.fromEntries(
    optimizers.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name])),
  ),
  symbol: 'NAME',
  meaning: 'rule by which each step is taken',
  group: 'OPTIMIZER',
  default: optimizers[0]!.name,
});

/**
 * The optimizer that is named, with a value for each of its parameters; `momentum` where only that
 * is given.
 * @throws ConfigError for a value that cannot be, or that belongs to another optimizer
 */
export function resolveOptimizer(
  optimizers: readonly Optimizer[],
  given: Readonly<Record<string, unknown>>,
): OptimizerChoice {
  const named = optimizerParameter(optimizers);
  const isGiven = (key: string) => given[key] !== undefined && given[key] !== null;
  const name = isGiven('optimizer')
    ? readValue('optimizer', named, given.optimizer)
    : isGiven('momentum') && given.momentum !== 0 && named.words.includes('momentum')
      ? 'momentum'
      : named.default;
  const optimizer = optimizers.find((each) => each.name === name)!;
  const values: Record<string, number> = { ...defaultsOf(optimizer) };
  for (const key of ownNames(optimizers)) {
    if (!isGiven(key)) continue;
    const parameter = optimizer.parameters[key];
    if (parameter) values[key] = readValue(key, parameter, given[key]);
    else if (!isZero(given[key])) throw foreign(key, given[key], optimizer, optimizers);
  }
  return { ...values, optimizer: optimizer.name } as OptimizerChoice;
}

const isZero = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'string') && Number(value) === 0;

function foreign(
  key: string,
  value: unknown,
  { name }: Optimizer,
  optimizers: readonly Optimizer[],
): ConfigError {
  const others = optimizers.filter(({ parameters }) => Object.hasOwn(parameters, key));
  const use = others.map((each) => each.name).join(' or ');
  // A number on a command line is text, but looks like one.
  const number = typeof value === 'string' && /^[\d.e+-]+$/i.test(value);
  const told = number ? value : show(value);
  return new ConfigError(key, `${told} does not go with --optimizer ${name}; use ${use}`);
}
