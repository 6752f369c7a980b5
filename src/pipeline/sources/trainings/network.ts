import type { Observable } from 'rxjs';
import type { Batch } from '../../core/batch.ts';
import type { Run } from '../../core/run.ts';
import { orderSchema, type Schema } from '../../core/schema.ts';
import { networkOrder, trainingColumns } from '../../models/network/columns.ts';
import {
  type NetworkOptions,
  networkRunParameters,
  setupNetwork,
} from '../../models/network/config.ts';
import { chosenOptimizer } from '../../models/network/optimizer.ts';
import { NETWORK_PRESETS } from '../../models/network/presets/index.ts';
import { measuredColumns } from '../../phases/measured/columns.ts';
import type { Training, TrainingColumns, TrainingConfig } from './training.ts';

/** Networks: their phases are found from loss and sharpness, and spikes have causes. */
export const networkTraining: Training = {
  model: 'mlp',
  phases: 'measured',
  about: 'a multilayer perceptron, with the exact top of the spectrum of its Hessian',
  parameters: networkRunParameters,
  presets: NETWORK_PRESETS,
  async open() {
    const [{ networkPipeline }, { networkDescent }] = await Promise.all([
      import('../../operators/network-pipeline.ts'),
      import('../descent/network-descent.ts'),
    ]);
    return {
      resolve: (options) => setupOf(options).config,
      schema: (config) => schemaOf(config),
      stream: (config, source, report) =>
        networkDescent(optionsOf(config), source).pipe(
          networkPipeline(report),
        ) as unknown as Observable<Batch<TrainingColumns, Run<TrainingConfig>>>,
    };
  },
};

/** What was said, or a config, without the name of the model. */
function optionsOf(said: object): NetworkOptions {
  const { model: _, ...options } = said as NetworkOptions & { readonly model?: string };
  return options;
}

const setupOf = (said: object) => setupNetwork(optionsOf(said));

function schemaOf(said: object): Schema {
  const { config } = setupOf(said);
  const { eigenvalues, batch, loss, activation } = config;
  const own = trainingColumns({
    eigenvalues,
    batch,
    classes: loss === 'cross-entropy',
    metric: chosenOptimizer(config).optimizer.metric !== undefined,
    relu: activation === 'relu',
  });
  const added = measuredColumns('threshold', 'sharpness_ratio', 'regime', 'phase', 'cycle');
  return orderSchema([...own, ...added], networkOrder(eigenvalues));
}
