import { ConfigError, type ParameterTable, type WordParameter } from '../../core/parameters.ts';
import { didYouMean } from '../../core/suggest.ts';
import { models } from '../../models/index.ts';
import { optimizers } from '../../optimizers/index.ts';
import { optimizerTable } from '../../optimizers/parameters.ts';
import { minimalTraining } from './minimal.ts';
import { networkTraining } from './network.ts';
import { smallTraining } from './small.ts';
import type { Training } from './training.ts';

/** Every model that can be trained, the first of which is taken where none is named. */
export const trainings: readonly Training[] = [
  minimalTraining,
  networkTraining,
  ...models.filter(({ name }) => name !== minimalTraining.model).map(smallTraining),
];

/** The parameter that names the model. */
export const modelParameter: WordParameter = {
  type: 'word',
  noun: 'model',
  words: trainings.map(({ model }) => model),
  symbol: 'NAME',
  meaning: 'what is trained',
  group: 'MODEL',
  default: null,
};

/** Everything that can be said of the run of any model; what two models share stands there once. */
export const trainingParameters: ParameterTable = {
  model: modelParameter,
  ...Object.assign({}, ...[...trainings].reverse().map(({ parameters }) => parameters)),
  ...optimizerTable(optimizers),
  columns: {
    type: 'words',
    noun: 'column',
    // Which there are, the model says.
    words: [],
    symbol: 'A,B,C',
    meaning: 'columns to write',
    example: 'step,loss,sharpness',
    group: 'OUTPUT',
    default: null,
  },
  preset: {
    type: 'word',
    noun: 'preset',
    words: trainings.flatMap(({ presets }) => presets.map(({ name }) => name)),
    symbol: 'NAME',
    meaning: 'parameters to start from',
    group: 'MODEL',
    default: null,
  },
};

/**
 * The training that these options mean: of the model that is named, else of the preset's, else of
 * the first.
 * @throws ConfigError where there is no such model
 */
export function findTraining(options: object): Training {
  const { model, preset } = options as { readonly model?: unknown; readonly preset?: unknown };
  const named = model ?? undefined;
  if (named === undefined) {
    const byPreset = trainings.find(({ presets }) => presets.some(({ name }) => name === preset));
    return byPreset ?? trainings[0]!;
  }
  const found = trainings.find((training) => training.model === named);
  if (found) return found;
  const names = trainings.map((training) => training.model);
  throw new ConfigError(
    'model',
    `no model is called '${String(named)}'${didYouMean(String(named), names)}; there are ` +
      `${names.join(', ')}`,
  );
}

/** @throws ConfigError for a parameter of another model, naming those that have it */
export function checkOwnParameters({ model, parameters }: Training, options: object): void {
  for (const key of Object.keys(options)) {
    if (key === 'model' || Object.hasOwn(parameters, key)) continue;
    const others = trainings.filter((other) => Object.hasOwn(other.parameters, key));
    if (others.length === 0) continue;
    const names = others.map((other) => `--model ${other.model}`).join(', ');
    throw new ConfigError(key, `--model ${model} has no such parameter; it goes with ${names}`);
  }
}
