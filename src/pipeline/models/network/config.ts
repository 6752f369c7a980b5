import { etaPlan } from '../../core/eta-plan.ts';
import {
  ConfigError,
  type OptionsOf,
  resolveValues,
  type ValuesOf,
} from '../../core/parameters.ts';
import { checkObject } from '../minimal/config.ts';
import { namedData, oneHot } from './data/data.ts';
import type { DataSet } from './data/data-set.ts';
import type { Activation, Loss } from './kernel.ts';
import { chosenOptimizer } from './optimizer.ts';
import { networkPresets } from './presets/index.ts';
import { networkRunParameters } from './run-parameters.ts';

export { networkRunParameters };

/** Every parameter of the training of a network, as used. */
export interface NetworkConfig extends ValuesOf<typeof networkRunParameters> {
  readonly model: 'mlp';
  readonly layers: string;
  readonly loss: Loss;
  readonly activation: Activation;
}

export type NetworkOptions = OptionsOf<typeof networkRunParameters>;

/** What was said, or a config, without the name of the model. */
export function networkOptions(said: object): NetworkOptions {
  const { model: _, ...options } = said as NetworkOptions & { readonly model?: string };
  return options;
}

/** A resolved run: its config, its layers as numbers, and its samples as the loss takes them. */
export interface NetworkSetup {
  readonly config: NetworkConfig;
  readonly layers: readonly number[];
  readonly data: DataSet;
}

const HIDDEN = [50, 50];
const LAST_WIDTH = 1e6;

/**
 * The whole setup of a network from what the caller said, each value checked.
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function setupNetwork(options: NetworkOptions = {}): NetworkSetup {
  checkObject(options);
  const { preset } = resolveValues(
    { preset: networkRunParameters.preset },
    { preset: options.preset },
  );
  const values = resolveValues(networkRunParameters, options, networkPresets[preset ?? 'network']);
  const data = namedData(values);
  const { hash = null } = data;
  if (values['data-hash'] !== null && values['data-hash'] !== hash)
    throw new ConfigError(
      'data',
      `${values.data} is not what it was: its hash is ${hash}, and should be ` +
        `${values['data-hash']}`,
    );
  const { classes, count, inputWidth, outputWidth } = data;
  const loss = values.loss ?? (classes ? 'cross-entropy' : 'mse');
  if (loss === 'cross-entropy' && !classes) {
    throw new ConfigError(
      'loss',
      'cross-entropy needs classes, and the targets are numbers; use mse',
    );
  }
  const { layers: given } = options;
  // Those of a preset are for its own data.
  const fits = given || isFitting(values.layers, inputWidth, outputWidth);
  const layers = layersOf(fits ? values.layers : null, inputWidth, outputWidth);
  if (values.batch !== null && values.batch > count) {
    throw new ConfigError('batch', `${values.batch} is more than the ${count} samples there are`);
  }
  etaPlan(values.schedule, values.eta, values.steps);
  const { optimizer, values: own } = chosenOptimizer(values);
  const chosen = { optimizer: optimizer.name, ...own };
  const config = {
    ...values,
    ...chosen,
    'data-hash': hash,
    model: 'mlp',
    layers: layers.join('-'),
    loss,
  } as const;
  return { config, layers, data: loss === 'mse' && classes ? oneHot(data) : data };
}

/** Products with weights that take as long as a step of the minimal model. */
const PRODUCTS = 50;

/**
 * How long a step takes, with its spectrum, roughly: in steps of the minimal model in float64,
 * as measured.
 */
export const networkWork = (said: object): number => workOf(setupNetwork(networkOptions(said)));

/** `networkWork` of what has been set up. */
export function workOf({ layers, data }: NetworkSetup): number {
  const weights = layers.reduce((sum, width, i) => sum + width * (layers[i + 1] ?? 0), 0);
  return 1 + (weights * data.count) / PRODUCTS;
}

function isFitting(text: string | null, inputs: number, outputs: number): boolean {
  const layers = text?.split('-').map(Number);
  return layers?.[0] === inputs && layers.at(-1) === outputs;
}

function layersOf(text: string | null, inputs: number, outputs: number): readonly number[] {
  if (text === null) return [inputs, ...HIDDEN, outputs];
  const layers = text.split('-').map(Number);
  const such = [inputs, ...HIDDEN, outputs].join('-');
  const sound = layers.every((w) => Number.isSafeInteger(w) && w >= 1 && w <= LAST_WIDTH);
  if (!sound || layers.length < 2)
    throw new ConfigError('layers', `'${text}' is not a list of widths such as ${such}`);
  if (layers[0] !== inputs || layers.at(-1) !== outputs) {
    throw new ConfigError(
      'layers',
      `${text} does not fit the data, which has ${inputs} inputs and ${outputs} outputs; ` +
        `${such} does`,
    );
  }
  return layers;
}
