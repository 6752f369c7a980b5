import type { Observable } from 'rxjs';
import type { Batch } from '../../core/batch.ts';
import type { Run } from '../../core/run.ts';
import { type RunOptions, resolveConfig, runParameters } from '../../models/minimal/config.ts';
import { minimal } from '../../models/minimal/index.ts';
import { PRESETS } from '../../models/minimal/presets/index.ts';
import type { Training, TrainingColumns, TrainingConfig } from './training.ts';

/** The minimal network: its phases follow exact rules. */
export const minimalTraining: Training = {
  model: minimal.name,
  about: minimal.about,
  phases: 'exact',
  parameters: runParameters,
  presets: PRESETS,
  async open() {
    const [{ runSchema, standardPipeline }, { phaseLog }, { gradientDescent }] = await Promise.all([
      import('../../operators/standard.ts'),
      import('../../sinks/phase-log.ts'),
      import('../descent/gradient-descent.ts'),
    ]);
    return {
      resolve: (options) => resolveConfig(options as RunOptions),
      schema: runSchema,
      stream: (config, source, report) =>
        gradientDescent(config as RunOptions, source).pipe(
          standardPipeline(),
          phaseLog(report),
        ) as Observable<Batch<TrainingColumns, Run<TrainingConfig>>>,
    };
  },
};
