// What `gradientDescent` loads in a page beside plain gradient descent: other precisions and
// optimizers, checkpoints, and what tells of parameters that cannot be. The build makes a module of
// it that stands alone (scripts/bundles.js): programs that bundle would else put what it shares
// with the rest of the library into what the page loads first.
import { ConfigError } from '../../core/config-error.ts';
import type { RowSource } from '../../core/source.ts';
import { checkSourceOptions } from '../../core/source-options.ts';
import { type RunOptions, resolveConfig } from '../../models/minimal/config.ts';
import type { ModelRun, SourceArrays } from '../../models/minimal/run.ts';
import { descentRows } from './descent-rows.ts';
import type { DescentOptions } from './stepper.ts';

/**
 * The rows of any run of `gradientDescent`.
 *
 * @param Refusal the page's own class of errors about parameters: this module has another
 * @throws ConfigError, RangeError, TypeError
 */
export function allDescent(
  options: RunOptions,
  sourceOptions: DescentOptions,
  Refusal: typeof ConfigError,
): RowSource<SourceArrays, ModelRun> {
  try {
    const config = resolveConfig(options);
    checkSourceOptions(sourceOptions);
    return descentRows(config, sourceOptions);
  } catch (error) {
    throw error instanceof ConfigError ? new Refusal(error.parameter, error.problem) : error;
  }
}
