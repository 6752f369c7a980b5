import { findTraining, trainingParameters } from '../pipeline/sources/trainings/index.ts';
import { UsageError } from './errors.ts';
import { originOf, saidOf } from './parameter-flags.ts';

/** What was said of a run of whatever model. */
export interface TrainingOptions {
  readonly model?: string;
  readonly preset?: string;
  readonly steps?: number;
  readonly [parameter: string]: unknown;
}

/** A seed without points that it could be of is a slip. @throws UsageError */
export function checkSeed(seed: unknown, samples: unknown): void {
  if (seed === undefined || samples !== undefined || originOf('seed') !== '--seed') return;
  throw new UsageError(
    '--seed: has no effect, since no points are sampled; give --samples N too, or leave it out',
  );
}

/**
 * What the user said of the run: flags (and environment) first, then the config file, then the
 * preset. A preset that is named on the command line also wins over what the file says of the
 * values that a preset sets.
 */
export function runOptions(flags: object, file: object = {}): TrainingOptions {
  const { preset, seed } = flags as { readonly preset?: string; readonly seed?: unknown };
  const presets = findTraining(flags).presets;
  const hidden = Object.keys(presets.find(({ name }) => name === preset)?.parameters ?? {});
  const kept = Object.fromEntries(
    Object.entries(file).filter(([key]) => !hidden.includes(key) && !(preset && key === 'model')),
  );
  const all = saidOf(trainingParameters, flags, kept) as Readonly<Record<string, unknown>>;
  const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const training = findTraining(said);
  const first = training.presets[0]?.name;
  if (training.model === 'minimal') checkSeed(seed, said.samples ?? undefined);
  return {
    ...said,
    model: training.model,
    ...(first === undefined ? {} : { preset: String(said.preset ?? first) }),
  };
}
