import type { Observable } from 'rxjs';
import { ConfigError } from '../../core/config-error.ts';
import { isPlain } from '../../core/is-plain.ts';
import { plainValues } from '../../core/ranges.ts';
import { source } from '../../core/source.ts';
import type { RunConfig, RunOptions } from '../../models/minimal/config.ts';
import { plainConfig } from '../../models/minimal/plain-config.ts';
import { type SourceBatch, startModelRun } from '../../models/minimal/run.ts';
import { gdStability } from '../../optimizers/gd.ts';
import { type LateDigits, plainStepper } from './plain-stepper.ts';
import { type DescentOptions, rowsOf } from './stepper.ts';

/** What needs no more than this module: other options bring along what they need. */
const SOURCE_RANGES = {
  batchSize: { type: 'integer', minimum: 1, default: null },
  pace: { type: 'number', exclusiveMinimum: 0, default: null },
} as const;

/**
 * Gradient descent θ ← θ − η∇L(θ) on the minimal network, with the projection that keeps its
 * oscillation alive: a cold Observable of batches of consecutive steps, rows t = 0 … steps. Each
 * subscription is a run of its own. A run that diverges ends with the last row whose loss is at
 * most 10¹².
 *
 * @throws ConfigError where a parameter cannot be used, RangeError where `batchSize` or `pace`
 * cannot: in Node at once, in browsers as the error of the Observable, since only then what tells
 * of it is loaded. `resolveConfig` throws at once everywhere.
 */
export function gradientDescent(
  options: RunOptions = {},
  sourceOptions: DescentOptions = {},
): Observable<SourceBatch> {
  const config = plainConfig(options);
  const told = isPlain(sourceOptions) ? sourceOptions : undefined;
  // A page that runs plain gradient descent from its start need not load what else there is.
  const start =
    config && told && plainValues(SOURCE_RANGES, { ...told }, {})
      ? () => lightRows(config)
      : () =>
          import('./all-descent.ts').then((all) =>
            all.allDescent(options, sourceOptions, ConfigError),
          );
  return source(start, told);
}

/** The rows of a run that loads what tells the digits of whole rows where θ has few. */
function lightRows(config: RunConfig) {
  const run = startModelRun(config, gdStability());
  const digits: LateDigits = {
    // The source goes on when it is there.
    send: () =>
      run.hold(
        import('../../models/minimal/row-agreement.ts').then((module) => {
          digits.rowDigits = module.rowDigitsOf(config, run.stability);
        }),
      ),
  };
  return rowsOf(run, (told) => plainStepper(told, digits));
}
