import { presetTable } from '../../../core/preset.ts';
import { adam } from './adam.ts';
import { deepLinear } from './deep-linear.ts';
import { digits } from './digits.ts';
import { network } from './network.ts';
import { sgd } from './sgd.ts';

/** Networks that reach the edge within their steps. */
export const NETWORK_PRESETS = [network, digits, deepLinear, adam, sgd] as const;

export type NetworkPresetName = (typeof NETWORK_PRESETS)[number]['name'];

export const NETWORK_PRESET_NAMES: readonly NetworkPresetName[] = NETWORK_PRESETS.map(
  ({ name }) => name,
);

/** The parameters of each. */
export const networkPresets = presetTable(NETWORK_PRESETS);
