import type { Parameter, ParameterTable, TextParameter } from '../../pipeline/core/parameters.ts';
import { optimizerParameter, runParameters } from '../../pipeline/models/minimal/config.ts';
import { SWEEP_PARAMETERS, type SweepParameterName } from '../../pipeline/sweep/parameters.ts';
import type { SweepOptions } from '../../pipeline/sweep/sweep.ts';
import { readConfigFile } from '../config-file.ts';
import { UsageError } from '../errors.ts';
import { saidOf } from '../parameter-flags.ts';
import { checkSeed } from '../run-options.ts';

/** The values of each parameter that a sweep can vary, as text. */
const axisParameters = Object.fromEntries(
  Object.entries<Parameter>(SWEEP_PARAMETERS).map(([name, { symbol, meaning, group, aliases }]) => [
    name,
    {
      type: 'text',
      noun: 'a grid such as 0.01,0.02 or 0.01:0.5:log:60',
      grid: true,
      symbol: 'GRID',
      meaning: `${symbol}, ${meaning}`,
      group,
      aliases: name === 'seed' ? ['seeds'] : (aliases ?? []),
      variable: false,
    },
  ]),
) as Readonly<Record<SweepParameterName, TextParameter>>;

/** Everything that makes a sweep the one it is: flags and keys of `--spec`. */
export const gridParameters = {
  ...axisParameters,
  preset: { ...runParameters.preset, variable: false },
  optimizer: { ...optimizerParameter, default: null, variable: false },
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

/** What the user said of the sweep: flags first, then the spec file. */
export async function sweepOptions(
  flags: object & { readonly spec?: string | undefined; readonly init?: string | undefined },
): Promise<SweepOptions> {
  const file = await readSpec(flags.spec);
  // Parts of a start on the command line stand against a whole one in the file, and the other way
  // round.
  const parts = flags.init === undefined ? [] : runParameters.init.parts.map(({ name }) => name);
  const kept = Object.entries(file).filter(([name]) => !(parts as string[]).includes(name));
  const said = saidOf(gridParameters, flags, Object.fromEntries(kept));
  checkSeed(said.seed, said.samples);
  return { ...said, trajectories: strideOf(said.trajectories) };
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
