import {
  checkKeys,
  joinTables,
  type ParameterTable,
  resolveValues,
} from '../../core/parameters.ts';
import { type Run, startRun } from '../../core/run.ts';
import { descentParameters } from '../../core/run-parameters.ts';
import { extendSchema, orderSchema } from '../../core/schema.ts';
import { source as rowsSource } from '../../core/source.ts';
import type { Model } from '../../models/model.ts';
import { optimizerOf, optimizers, stabilityOf } from '../../optimizers/index.ts';
import type { OptimizerValues } from '../../optimizers/optimizer.ts';
import { optimizerTable, resolveOptimizer } from '../../optimizers/parameters.ts';
import { MEASURED_COLUMNS } from '../../phases/measured/columns.ts';
import type { MeasuredRun, MeasuredSummary } from '../../phases/measured/summary.ts';
import type { Training, TrainingConfig, TrainingRows } from './training.ts';

/** The optimizers that the sharpness of the plain Hessian goes with. */
const OPTIMIZERS = optimizers.filter(({ metric }) => metric === undefined);

interface SmallConfig extends TrainingConfig {
  readonly band: number;
  readonly [parameter: string]: unknown;
}

type SmallRun = MeasuredRun & Run<SmallConfig, MeasuredSummary>;

/**
 * The training of a model that is a loss over a few numbers: its phases are found from its loss and
 * sharpness.
 */
export function smallTraining(model: Model): Training {
  const parameters = tableOf(model);
  return {
    model: model.name,
    about: model.about,
    phases: 'measured',
    parameters,
    presets: [],
    async open() {
      const [
        { trainingRows, trainingSchema },
        { relateToThreshold },
        { detectMeasuredPhases },
        { linkOf, storedLinks, throughLinks },
        { thinLinks },
      ] = await Promise.all([
        import('../descent/generic-descent.ts'),
        import('../../operators/relate-to-threshold.ts'),
        import('../../operators/detect-measured-phases.ts'),
        import('../../core/stored-pipeline.ts'),
        import('../../operators/thin.ts'),
      ]);
      const own = trainingSchema(model, true);
      const schema = orderSchema(extendSchema(own, MEASURED_COLUMNS.slice(4)), orderOf(model));
      return {
        resolve: (options) => resolve(model, parameters, options),
        schema: () => schema,
        work: () => 1,
        rows: (config, options) =>
          rowsSource(
            () =>
              trainingRows(
                {
                  run: startSmallRun(model, config as SmallConfig),
                  model,
                  optimizer: optimizerOf(config),
                  values: config as unknown as OptimizerValues,
                },
                options,
              ),
            options,
          ) as unknown as TrainingRows,
        pipeline(_, report, stored) {
          const links = [linkOf(relateToThreshold()), linkOf(detectMeasuredPhases(report))];
          if (!stored) return throughLinks(links);
          const given = own.map(({ name }) => name);
          const known = [...links, ...thinLinks(stored.stages)];
          return throughLinks(storedLinks(stored, given, known));
        },
      };
    },
  };
}

function tableOf(model: Model): ParameterTable {
  const columns: ParameterTable = {
    columns: {
      type: 'words',
      noun: 'column',
      words: orderOf(model),
      symbol: 'A,B,C',
      meaning: 'columns to write',
      group: 'OUTPUT',
      default: null,
    },
  };
  return joinTables<ParameterTable, ParameterTable, ParameterTable>(
    { ...columns, ...model.parameters },
    descentParameters,
    optimizerTable(OPTIMIZERS),
  );
}

function resolve(model: Model, table: ParameterTable, given: object): SmallConfig {
  const { model: _, preset: __, ...options } = given as Readonly<Record<string, unknown>>;
  checkKeys(table, options);
  const chosen = resolveOptimizer(OPTIMIZERS, options);
  const ofOptimizers = Object.keys(optimizerTable(OPTIMIZERS));
  const own = Object.fromEntries(
    Object.entries(table).filter(([name]) => !ofOptimizers.includes(name)),
  );
  const said = Object.fromEntries(
    Object.entries(options).filter(([name]) => !ofOptimizers.includes(name)),
  );
  const values = resolveValues(own, said, model.defaults);
  const config = { ...values, ...chosen, model: model.name } as unknown as SmallConfig;
  model.start(config);
  return config;
}

function orderOf(model: Model): readonly string[] {
  return [
    ...['step', 'eta', ...model.columns.map(({ name }) => name), 'loss', 'grad_norm', 'sharpness'],
    ...MEASURED_COLUMNS.map(({ name }) => name).slice(4),
  ];
}

function startSmallRun(model: Model, config: SmallConfig): SmallRun {
  return {
    ...startRun<SmallConfig, MeasuredSummary>(config, stabilityOf(config), orderOf(model)),
    title: model.name,
    tally: { entries: [] },
    warnings: [],
  };
}
