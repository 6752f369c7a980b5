import type { RowSource } from '../../core/source.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import type { ModelRun, SourceArrays } from '../../models/minimal/run.ts';
import { optimizerStepper } from './optimizer-descent.ts';
import { plainStepper } from './plain-descent.ts';
import { preciseStepper } from './precise-descent.ts';
import { type DescentOptions, rowsOf } from './stepper.ts';

/** The rows of a run under any optimizer, in any precision. */
export function descentRows(
  config: RunConfig,
  options: DescentOptions = {},
): RowSource<SourceArrays, ModelRun> {
  const startStepper =
    config.optimizer !== 'gd'
      ? optimizerStepper
      : config.precision === 'float64'
        ? plainStepper(options.from)
        : preciseStepper;
  return rowsOf(config, options, startStepper);
}
