import { presetTable } from '../../../core/preset.ts';
import { figure3 } from './figure3.ts';
import { gradientFlow } from './gradient-flow.ts';
import { paper } from './paper.ts';
import { plain } from './plain.ts';
import { threePhases } from './three-phases.ts';

/**
 * Named parameters: those of the runs that the paper's figures and the reference trajectories are
 * made of.
 */
export const PRESETS = [paper, figure3, threePhases, gradientFlow, plain] as const;

export type PresetName = (typeof PRESETS)[number]['name'];

export const PRESET_NAMES: readonly PresetName[] = PRESETS.map(({ name }) => name);

/** The parameters of each preset. */
export const presets = presetTable(PRESETS);
