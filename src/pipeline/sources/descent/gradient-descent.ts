import { Observable } from 'rxjs';
import { checkSourceOptions } from '../../core/source-options.ts';
import { type RunOptions, resolveConfig } from '../../models/minimal/config.ts';
import type { SourceBatch } from '../../models/minimal/run.ts';
import { descent } from './plain-descent.ts';
import type { DescentOptions } from './stepper.ts';

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
  checkSourceOptions(sourceOptions);
  if (config.optimizer === 'gd' && config.precision === 'float64' && !sourceOptions.resume)
    return descent(config, sourceOptions);
  // A page that runs plain gradient descent from its start need not load what else there is.
  return new Observable((subscriber) => {
    import('./descent-rows.ts')
      .then((rest) => {
        if (!subscriber.closed) rest.descent(config, sourceOptions).subscribe(subscriber);
      })
      .catch((error: unknown) => subscriber.error(error));
  });
}
