import { type RunOptions, runParameters } from '../pipeline/models/minimal/config.ts';
import { presets } from '../pipeline/models/minimal/presets.ts';
import { UsageError } from './errors.ts';
import { originOf, saidOf } from './parameter-flags.ts';

/** A seed without points that it could be of is a slip. @throws UsageError */
export function checkSeed(seed: unknown, samples: unknown): void {
  if (seed === undefined || samples !== undefined || originOf('seed') !== '--seed') return;
  throw new UsageError(
    '--seed: has no effect, since no points are sampled; give --samples N too, or leave it out',
  );
}

/**
 * What the user said of the run: flags (and environment) first, then the config file, then the preset. A preset that
 * is named on the command line also wins over what the file says of the values that a preset sets.
 */
export function runOptions(flags: RunOptions, file: RunOptions = {}): RunOptions {
  const hidden = flags.preset ? Object.keys(presets.paper) : [];
  const kept = Object.fromEntries(Object.entries(file).filter(([key]) => !hidden.includes(key)));
  const said = saidOf(runParameters, flags, kept);
  checkSeed(flags.seed, said.samples ?? undefined);
  return { ...said, preset: said.preset ?? 'paper' };
}
