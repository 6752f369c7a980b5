import { ConfigError, resolveValues } from '../core/parameters.ts';
import { sha256 } from '../formats/platform.ts';
import {
  type NetworkConfig,
  networkRunParameters,
  networkWork,
  setupNetwork,
} from '../models/network/config.ts';
import { isDataFile } from '../models/network/data/table-data.ts';
import { networkPresets } from '../models/network/presets/index.ts';
import { findOptimizer } from '../optimizers/index.ts';
import { type Axis, parseAxis, parseNames } from './axis.ts';
import { NETWORK_SWEEP_PARAMETERS } from './network-parameters.ts';
import type { Sweep } from './sweep.ts';

const NAMES = Object.keys(NETWORK_SWEEP_PARAMETERS);

/** What a caller may say of a sweep of networks: for each parameter its values as text. */
export type NetworkSweepOptions = Readonly<Record<string, string | undefined>>;

/** A sweep of networks in full and in text; parameters that no run has are left out. */
export interface NetworkSweepSpec {
  readonly model: 'mlp';
  readonly axes: Readonly<Record<string, string>>;
  readonly trajectories: number | null;
}

/** Texts that hold commas themselves stand apart by semicolons. */
const SEMICOLONS = ['schedule'];

function axisOf(name: string, text: string): Axis | Axis<string> {
  const parameter = NETWORK_SWEEP_PARAMETERS[name]!;
  if (parameter.type === 'word' || parameter.type === 'text')
    return parseNames(name, text, parameter, SEMICOLONS.includes(name) ? ';' : ',');
  return parseAxis(name, text, parameter);
}

/** Runs looked at before a sweep starts; those of a larger one are checked as they come. */
const MOST_CHECKED = 2000;

/**
 * The spec of a sweep of networks from what the caller said, each value checked.
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function networkSweepSpec(
  { preset, ...said }: NetworkSweepOptions,
  trajectories: number | null,
): NetworkSweepSpec {
  const { preset: table } = networkRunParameters;
  const chosen = resolveValues({ preset: table }, { preset }).preset ?? 'network';
  const base: Readonly<Record<string, unknown>> = networkPresets[chosen];
  const axes: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(NETWORK_SWEEP_PARAMETERS)) {
    // Which layers go with other data, each run finds by itself.
    const own = name === 'layers' && said.data !== undefined ? null : base[name];
    const given = said[name] ?? own ?? parameter.default ?? null;
    if (given !== null) axes[name] = axisOf(name, String(given)).text;
  }
  const foreign = Object.keys(said).find(
    (name) => said[name] !== undefined && !NAMES.includes(name),
  );
  if (foreign !== undefined)
    throw new ConfigError(foreign, 'is not of a network; leave it out, or leave out --model mlp');
  const spec = { model: 'mlp', axes, trajectories } as const;
  const sweep = openNetworkSweep(spec);
  const count = Math.min(sweep.runs, MOST_CHECKED);
  // Spread over all of them, both ends among them.
  for (let i = 0; i < count; i++)
    sweep.config(count < 2 ? 0 : Math.floor((i / (count - 1)) * (sweep.runs - 1)));
  return spec;
}

/** Of files it is not known before they are read: their runs are parts of their own. */
const OF_FILES = 1e6;

/** The runs of a spec that `networkSweepSpec` has made. */
export function openNetworkSweep(spec: NetworkSweepSpec): Sweep<NetworkConfig> {
  const axes = new Map(
    NAMES.filter((name) => spec.axes[name] !== undefined).map((name) => [
      name,
      axisOf(name, spec.axes[name]!),
    ]),
  );
  const runs = [...axes.values()].reduce((product, { count }) => product * count, 1);
  if (!Number.isSafeInteger(runs))
    throw new ConfigError('sweep', `${runs} runs are more than can be numbered`);
  const used = listed(axes.get('optimizer'));

  function config(index: number): NetworkConfig {
    const values: Record<string, unknown> = {};
    let rest = index;
    for (const [name, { count, at }] of [...axes].reverse()) {
      values[name] = at(rest % count);
      rest = Math.floor(rest / count);
    }
    // What one of several optimizers takes is not said of the others.
    for (const name of Object.keys(values))
      if (axes.get(name)!.count === 1 && isOfAnother(name, String(values.optimizer), used))
        delete values[name];
    return setupNetwork(values).config;
  }

  const steps = axes.get('steps') as Axis;
  return {
    model: 'mlp',
    spec,
    id: sha256(JSON.stringify(spec)).slice(0, 16),
    axes: new Map([['steps', steps]]),
    runs,
    work: listed(axes.get('data')).some(isDataFile)
      ? OF_FILES
      : Math.max(...[0, runs - 1].map((index) => networkWork(config(index)))),
    config,
    has(other) {
      if (other.model !== 'mlp') return false;
      const values: Record<string, unknown> = {};
      for (const [name, axis] of axes) {
        const value = networkValue(other, name);
        if (value === null && isOfAnother(name, other.optimizer, used)) continue;
        if (!(axis as Axis<unknown>).has(value)) return false;
        values[name] = value;
      }
      return networkRunId(setupNetwork(values).config) === networkRunId(other);
    },
  };
}

function listed(axis: Axis | Axis<string> | undefined): readonly string[] {
  return Array.from({ length: axis?.count ?? 0 }, (_, i) => String(axis!.at(i)));
}

/** Whether a parameter is of an optimizer of the sweep, and not of this one. */
function isOfAnother(parameter: string, optimizer: string, used: readonly string[]): boolean {
  const has = (name: string) => Object.hasOwn(findOptimizer(name)?.parameters ?? {}, parameter);
  return parameter !== 'weight-decay' && !has(optimizer) && used.some(has);
}

/** The value of a parameter in a run; null where it has none. */
export function networkValue(config: NetworkConfig, name: string): number | string | null {
  const value = (config as unknown as Readonly<Record<string, number | string | boolean | null>>)[
    name
  ];
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value ?? null;
}

/** Identity of a run, wherever it is made: a hash of its parameters. */
export function networkRunId(config: NetworkConfig): string {
  const said = NAMES.map((name) => `${name} ${networkValue(config, name)};`);
  return `r${sha256(`model mlp;${said.join('')}`).slice(0, 20)}`;
}
