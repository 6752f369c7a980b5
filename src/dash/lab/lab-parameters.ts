import { ConfigError, checkKeys, type ParameterTable } from '../../pipeline/core/parameters.ts';
import { runParameters } from '../../pipeline/models/minimal/config.ts';
import { networkRunParameters } from '../../pipeline/models/network/config.ts';

/** What was said of a run of the lab: texts, as they were typed; `model` may be among them. */
export type LabOptions = Readonly<Record<string, string>>;

/** What can be said of the runs of a model. */
export interface LabTable {
  readonly model: string;
  readonly parameters: ParameterTable;
}

/** The lab decides by itself that a run has no end, keeps all columns, and computes in float64. */
const OWN = [...['steps', 'epsilon', 'precision', 'columns', 'every'], ...['schedule', 'measure']];
const sayable = (table: ParameterTable): ParameterTable =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !OWN.includes(name)));

/** The models that the lab can train, the first of which is taken where none is named. */
export const LAB_TABLES: readonly LabTable[] = [
  { model: 'minimal', parameters: sayable(runParameters) },
  { model: 'mlp', parameters: sayable(networkRunParameters) },
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

/**
 * Parameters of a model that may change while a run goes on: those of its optimizer, but not which
 * it is.
 */
export const liveParameters = ({ parameters }: LabTable): readonly string[] =>
  Object.entries(parameters).flatMap(([name, { group, type }]) =>
    group === 'OPTIMIZER' && type === 'number' ? [name] : [],
  );
