import { ConfigError } from '../core/parameters.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import type { NetworkConfig } from '../models/network/config.ts';
import { NETWORK_PRESET_NAMES } from '../models/network/presets/index.ts';
import { NETWORK_SWEEP_PARAMETERS } from './network-parameters.ts';
import {
  type NetworkSweepSpec,
  networkRunId,
  networkSweepSpec,
  openNetworkSweep,
} from './network-sweep.ts';
import { SWEEP_PARAMETERS } from './parameters.ts';
import {
  openSweep,
  runId,
  type Sweep,
  type SweepOptions,
  type SweepSpec,
  type SweptConfig,
  sweepSpec,
} from './sweep.ts';

/** A sweep of the minimal model, or of networks. */
export type AnySpec = SweepSpec | NetworkSweepSpec;
export type AnySweep = Sweep<RunConfig> | Sweep<NetworkConfig>;

/** What a caller may say of either: the model, and for each parameter its values as text. */
export type AnySweepOptions = Readonly<Record<string, string | undefined>>;

export const SWEPT_MODELS: readonly string[] = ['minimal', 'mlp'];

/** Whether a sweep is of networks. */
export const isOfNetworks = (spec: object): spec is NetworkSweepSpec =>
  'model' in spec && spec.model === 'mlp';

/**
 * The spec of a sweep of the model that is named, else of the preset's, else of the minimal model.
 * @param trajectories keep each so many-th row of the runs as well
 * @throws ConfigError naming the first parameter that cannot be used
 */
export function anySweepSpec(options: AnySweepOptions, trajectories: number | undefined): AnySpec {
  const { model: _, ...said } = options;
  if (sweptModel(options) === 'mlp') return networkSweepSpec(said, trajectories ?? null);
  const foreign = Object.keys(said).find(
    (name) =>
      name in NETWORK_SWEEP_PARAMETERS && !(name in SWEEP_PARAMETERS) && name !== 'optimizer',
  );
  if (foreign !== undefined)
    throw new ConfigError(foreign, 'is of networks alone; give --model mlp too, or leave it out');
  return sweepSpec({ ...(said as SweepOptions), trajectories });
}

/**
 * The model of a sweep: that which is named, else the preset's, else the minimal model.
 * @throws ConfigError where its runs cannot be swept
 */
export function sweptModel({ model, preset }: AnySweepOptions): SweptConfig['model'] {
  if (model !== undefined && !SWEPT_MODELS.includes(model))
    throw new ConfigError('model', `sweeps are of ${SWEPT_MODELS.join(' or ')}, not of '${model}'`);
  const ofNetwork = (NETWORK_PRESET_NAMES as readonly unknown[]).includes(preset);
  return model === 'mlp' || (model === undefined && ofNetwork) ? 'mlp' : 'minimal';
}

/** The runs of such a spec. */
export const openAnySweep = (spec: AnySpec): AnySweep =>
  isOfNetworks(spec) ? openNetworkSweep(spec) : openSweep(spec);

/** Identity of a run of any model. */
export const sweptRunId = (config: SweptConfig): string =>
  config.model === 'mlp' ? networkRunId(config) : runId(config);
