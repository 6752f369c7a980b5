import type { Parameter, ParameterTable, TextParameter } from '../../pipeline/core/parameters.ts';
import { runParameters } from '../../pipeline/models/minimal/run-parameters.ts';
import { NETWORK_PRESET_NAMES } from '../../pipeline/models/network/presets/index.ts';
import { type AnySweepOptions, SWEPT_MODELS, sweptModel } from '../../pipeline/sweep/any-sweep.ts';
import { NETWORK_SWEEP_PARAMETERS } from '../../pipeline/sweep/network-parameters.ts';
import { SWEEP_PARAMETERS, type SweepParameterName } from '../../pipeline/sweep/parameters.ts';
import { readConfigFile } from '../config-file.ts';
import { loadDataOfAxes } from '../data-file.ts';
import { UsageError } from '../errors.ts';
import { saidOf } from '../parameter-flags.ts';
import { checkSeed } from '../run-options.ts';

/** The values of each parameter that a sweep can vary, as text. */
const axisParameters = Object.fromEntries(
  Object.entries<Parameter>({ ...NETWORK_SWEEP_PARAMETERS, ...SWEEP_PARAMETERS }).map(
    ([name, parameter]) => [name, axisParameter(name, parameter)],
  ),
) as Readonly<Record<SweepParameterName, TextParameter>>;

function axisParameter(name: string, parameter: Parameter): TextParameter {
  const { type, symbol, meaning, group, aliases = [] } = parameter;
  const numeric = type === 'number' || type === 'integer';
  const words = type === 'word' ? `: ${parameter.words.join(', ')}` : '';
  return {
    type: 'text',
    noun: numeric
      ? 'a grid such as 0.01,0.02 or 0.01:0.5:log:60'
      : `one ${parameter.type === 'numbers' ? 'start' : name} or several`,
    grid: true,
    symbol: numeric ? 'GRID' : 'A,B,C',
    meaning: numeric ? `${symbol}, ${meaning}` : `${meaning}${words}`,
    group,
    aliases: name === 'seed' ? ['seeds'] : aliases,
    variable: false,
  };
}

/** Everything that makes a sweep the one it is: flags and keys of `--spec`. */
export const gridParameters = {
  ...axisParameters,
  model: {
    type: 'word',
    noun: 'model',
    words: SWEPT_MODELS,
    symbol: 'NAME',
    meaning: 'what is trained, the minimal model unless given',
    group: 'MODEL',
    default: null,
    variable: false,
  },
  preset: {
    ...runParameters.preset,
    words: [...runParameters.preset.words, ...NETWORK_PRESET_NAMES],
    variable: false,
  },
  precision: { ...runParameters.precision, default: null, variable: false },
  init: {
    type: 'text',
    noun: 'a start such as 0.3,0.1,0.3',
    grid: true,
    symbol: 'α,β₁,β₂;…',
    meaning: 'starts θ₀, several separated by semicolons',
    example: '0.3,0.1,0.3;0.6,0.01,0.6',
    group: 'START',
    variable: false,
  },
  trajectories: {
    type: 'text',
    noun: 'every:K, such as every:10',
    grid: true,
    symbol: 'every:K',
    meaning: 'keep the trajectories as well, each K-th row of them and all near an event',
    group: 'OUTPUT',
    variable: false,
  },
} as const satisfies ParameterTable;

/** What the user said of a sweep, and how many of the rows to keep. */
export interface SaidSweep {
  readonly said: AnySweepOptions;
  readonly trajectories: number | undefined;
}

/** What the user said of the sweep: flags first, then the spec file. */
export async function sweepOptions(
  flags: object & { readonly spec?: string | undefined; readonly init?: string | undefined },
): Promise<SaidSweep> {
  const file = await readSpec(flags.spec);
  // Parts of a start on the command line stand against a whole one in the file, and the other way
  // round.
  const parts = flags.init === undefined ? [] : runParameters.init.parts.map(({ name }) => name);
  const kept = Object.entries(file).filter(([name]) => !(parts as string[]).includes(name));
  const { trajectories, ...all } = saidOf(gridParameters, flags, Object.fromEntries(kept));
  const given = Object.entries(all).filter(([, value]) => value !== undefined && value !== null);
  const said = Object.fromEntries(given) as AnySweepOptions;
  await loadDataOfAxes(said);
  if (sweptModel(said) === 'minimal') checkSeed(said.seed, said.samples);
  return { said, trajectories: strideOf(trajectories) };
}

async function readSpec(path: string | undefined): Promise<object> {
  if (path === undefined) return {};
  return readConfigFile('spec', path, gridParameters, (parameter, value) =>
    parameter.type === 'text' ? gridText(value) : value,
  );
}

function strideOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:every:)?(\d+)$/.exec(text.trim());
  if (match && Number(match[1]) >= 1) return Number(match[1]);
  throw new UsageError(
    `--trajectories: '${text}' is not every:K with a whole number K from 1 up, such as every:10`,
  );
}

/**
 * Values as the flags take them: 0.05, "0.01:0.5:log:60", [0.01, 0.02], and for starts [[0.3, 0.1,
 * 0.3], …].
 */
function gridText(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (!Array.isArray(value) || value.length === 0) return value;
  return value.every((item) => Array.isArray(item))
    ? value.map(gridText).join(';')
    : value.map(String).join(',');
}
