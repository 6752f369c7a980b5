import { orderSchema, type Schema } from '../../core/schema.ts';
import { networkOrder, trainingColumns } from '../../models/network/columns.ts';
import {
  networkOptions,
  networkRunParameters,
  networkWork,
  setupNetwork,
} from '../../models/network/config.ts';
import { chosenOptimizer } from '../../models/network/optimizer.ts';
import { NETWORK_PRESETS } from '../../models/network/presets/index.ts';
import { measuredColumns } from '../../phases/measured/columns.ts';
import type { Training, TrainingRows } from './training.ts';

/** Networks: their phases are found from loss and sharpness, and spikes have causes. */
export const networkTraining: Training = {
  model: 'mlp',
  phases: 'measured',
  about: 'a multilayer perceptron, with the exact top of the spectrum of its Hessian',
  parameters: networkRunParameters,
  presets: NETWORK_PRESETS,
  async open() {
    const [
      { networkLinks, tellDone },
      { networkDescent, networkWeights },
      { storedLinks, throughLinks },
      { thinLinks },
      { networkTrajectory },
      { relateToThreshold },
    ] = await Promise.all([
      import('../../operators/network-pipeline.ts'),
      import('../descent/network-descent.ts'),
      import('../../core/stored-pipeline.ts'),
      import('../../operators/thin.ts'),
      import('../network-trajectory.ts'),
      import('../../operators/relate-to-threshold.ts'),
    ]);
    return {
      resolve: (options) => setupOf(options).config,
      schema: schemaOf,
      work: networkWork,
      rows: (config, source) =>
        networkDescent(networkOptions(config), source) as unknown as TrainingRows,
      pipeline(config, report, stored) {
        const done = tellDone(report);
        const links = networkLinks(report);
        if (!stored) return throughLinks([...links, done]);
        const given = ownColumns(config).map(({ name }) => name);
        const known = [...links, ...thinLinks(stored.stages)];
        return throughLinks([...storedLinks(stored, given, known), done]);
      },
      weights: (config, every) => networkWeights(setupOf(config), every),
      beside: {
        schema: (config) => schemaOf(config).filter(({ name }) => !OF_DESCENT.includes(name)),
        rows: (dynamics, config, options) =>
          networkTrajectory(dynamics, networkOptions(config), options).pipe(
            relateToThreshold(),
          ) as unknown as TrainingRows,
      },
    };
  },
};

/** Columns that speak of what an optimizer does step by step. */
const OF_DESCENT = ['phase', 'cycle', 'edge_work', 'edge_directions', 'batch_sharpness'];

const setupOf = (said: object) => setupNetwork(networkOptions(said));

/** What the source fills by itself. */
function ownColumns(said: object): Schema {
  const { config } = setupOf(said);
  const { eigenvalues, batch, loss, activation } = config;
  return trainingColumns({
    eigenvalues,
    batch,
    classes: loss === 'cross-entropy',
    metric: chosenOptimizer(config).optimizer.metric !== undefined,
    relu: activation === 'relu',
  });
}

function schemaOf(said: object): Schema {
  const added = measuredColumns('threshold', 'sharpness_ratio', 'regime', 'phase', 'cycle');
  const { eigenvalues } = setupOf(said).config;
  return orderSchema([...ownColumns(said), ...added], networkOrder(eigenvalues));
}
