import type { Observable } from 'rxjs';
import { source } from '../../core/source.ts';
import { type RunConfig, type RunOptions, resolveConfig } from '../../models/minimal/config.ts';
import { type SourceBatch, startModelRun } from '../../models/minimal/run.ts';
import { gd } from '../../optimizers/gd.ts';
import { plainStepper } from './plain-descent.ts';
import { type DescentOptions, rowsOf } from './stepper.ts';

/**
 * Gradient descent θ ← θ − η∇L(θ) on the minimal network, with the projection that keeps its
 * oscillation alive: a cold Observable of batches of consecutive steps, rows t = 0 … steps. Each
 * subscription is a run of its own. A run that diverges ends with the last row whose loss is at
 * most 10¹².
 *
 * @throws ConfigError at once where a parameter cannot be used, RangeError where `batchSize` or
 * `pace` cannot.
 */
export function gradientDescent(
  options: RunOptions = {},
  sourceOptions: DescentOptions = {},
): Observable<SourceBatch> {
  const config = resolveConfig(options);
  return source(() => startRows(config, sourceOptions), sourceOptions);
}

/** A page that runs plain gradient descent from its start need not load what else there is. */
function startRows(config: RunConfig, options: DescentOptions) {
  return config.optimizer === 'gd' && config.precision === 'float64' && !options.resume
    ? rowsOf(startModelRun(config, gd.stability({})), (told) => plainStepper(told, options.from))
    : import('./descent-rows.ts').then(({ descentRows }) => descentRows(config, options));
}
