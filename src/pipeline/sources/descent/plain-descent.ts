import type { Observable } from 'rxjs';
import { source } from '../../core/source.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import type { DescentState } from '../../models/minimal/descend.ts';
import { rowDigitsOf } from '../../models/minimal/row-agreement.ts';
import { type SourceBatch, startModelRun } from '../../models/minimal/run.ts';
import { gdStability } from '../../optimizers/gd.ts';
import { plainStepper } from './plain-stepper.ts';
import { type DescentOptions, rowsOf, type Stepper } from './stepper.ts';

/** The batches of a run of plain gradient descent in float64 from its start. */
export const descent = (config: RunConfig, options: DescentOptions): Observable<SourceBatch> =>
  source(
    () => rowsOf(startModelRun(config, gdStability()), (told) => wholeStepper(told, options.from)),
    options,
  );

/** Plain gradient descent in float64 with all that it needs, from this state where one is given. */
export const wholeStepper = (config: RunConfig, from?: DescentState): Stepper =>
  plainStepper(config, { rowDigits: rowDigitsOf(config, gdStability()) }, from);
