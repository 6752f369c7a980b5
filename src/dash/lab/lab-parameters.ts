import {
  ConfigError,
  checkKeys,
  type ParameterTable,
  type WordsParameter,
} from '../../pipeline/core/parameters.ts';
import type { Dynamics } from '../../pipeline/dynamics/dynamics.ts';
import { dynamics } from '../../pipeline/dynamics/index.ts';
import { runParameters } from '../../pipeline/models/minimal/run-parameters.ts';
import { networkRunParameters } from '../../pipeline/models/network/config.ts';
import { optimizers } from '../../pipeline/optimizers/index.ts';
import { optimizerTable } from '../../pipeline/optimizers/parameters.ts';

/** What was said of a run of the lab: texts, as they were typed; `model` may be among them. */
export type LabOptions = Readonly<Record<string, string>>;

/** A run as it can be computed anew to the last digit: its options, and what was changed when. */
export interface Recipe {
  readonly options: LabOptions;
  readonly changes: readonly Change[];
}

/** A change that took effect behind the row of this step. */
export interface Change {
  readonly after: number;
  readonly options: LabOptions;
}

/** What can be said of the runs of a model. */
export interface LabTable {
  readonly model: string;
  /** The preset that is taken where none is named. */
  readonly preset: string;
  readonly parameters: ParameterTable;
}

/** The lab decides by itself that a run has no end, keeps all columns, and computes in float64. */
const OWN = [...['steps', 'epsilon', 'precision', 'columns', 'every'], ...['schedule', 'measure']];
const sayable = (table: ParameterTable): ParameterTable =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !OWN.includes(name)));

/** The dynamics that can go along with runs of a model. */
export const besideModel = (model: string): readonly Dynamics[] =>
  dynamics.filter(({ startNetwork }) => model === 'minimal' || startNetwork);

/** The same as the command line names them. */
const also = (model: string): WordsParameter => ({
  type: 'words',
  noun: 'dynamics',
  words: besideModel(model).map(({ name }) => name),
  meaning: 'dynamics that go along from the same start',
  group: 'OUTPUT',
  symbol: 'NAME',
  default: null,
});

/** The models that the lab can train, the first of which is taken where none is named. */
export const LAB_TABLES: readonly LabTable[] = [
  {
    model: 'minimal',
    preset: 'paper',
    parameters: { ...sayable(runParameters), also: also('minimal') },
  },
  {
    model: 'mlp',
    preset: 'network',
    parameters: { ...sayable(networkRunParameters), also: also('mlp') },
  },
];

/**
 * The model that these options mean: the one named, else that of the preset, else the first.
 * @throws ConfigError where there is no such model, or it has no such parameter
 */
export function labTable({ model, ...options }: LabOptions): LabTable {
  const presets = ({ parameters }: LabTable) =>
    (parameters.preset as { readonly words?: readonly string[] } | undefined)?.words ?? [];
  const found =
    model === undefined
      ? (LAB_TABLES.find((each) => presets(each).includes(options.preset ?? '')) ?? LAB_TABLES[0]!)
      : LAB_TABLES.find((each) => each.model === model);
  if (!found) {
    const names = LAB_TABLES.map((each) => each.model).join(' and ');
    throw new ConfigError('model', `the lab has no model '${model}'; there are ${names}`);
  }
  checkKeys(found.parameters, options);
  return found;
}

/** Parameters of a model that may change while a run goes on: those of its optimizer. */
export const liveParameters = ({ parameters }: LabTable): readonly string[] =>
  Object.entries(parameters).flatMap(([name, { group, type }]) =>
    name === 'optimizer' || (group === 'OPTIMIZER' && type === 'number') ? [name] : [],
  );

const OF_OPTIMIZERS = Object.keys(optimizerTable(optimizers));

/**
 * Options with others in their place. Where the optimizer is another, what was said of the one
 * before goes with it.
 */
export function withOptions(options: LabOptions, said: LabOptions): LabOptions {
  const all = { ...options, ...said };
  if (said.optimizer === undefined || said.optimizer === options.optimizer) return all;
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => name in said || !OF_OPTIMIZERS.includes(name)),
  );
}
