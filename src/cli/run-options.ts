import { type RunOptions, runParameters } from '../pipeline/models/minimal/config.ts';
import { presets } from '../pipeline/models/minimal/presets.ts';
import { saidOf } from './parameter-flags.ts';

/**
 * What the user said of the run: flags (and environment) first, then the config file, then the preset. A preset that
 * is named on the command line also wins over what the file says of the values that a preset sets.
 */
export function runOptions(flags: RunOptions, file: RunOptions = {}): RunOptions {
  const hidden = flags.preset ? Object.keys(presets.paper) : [];
  const kept = Object.fromEntries(Object.entries(file).filter(([key]) => !hidden.includes(key)));
  const said = saidOf(runParameters, flags, kept);
  return { ...said, preset: said.preset ?? 'paper' };
}
