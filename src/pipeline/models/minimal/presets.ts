/** Parameters of the runs that the paper's figures and the reference trajectories are made of. */
export const presets = {
  paper: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 20,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
  figure3: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 12,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
  'three-phases': {
    lambda1: 100,
    lambda2: 0.1,
    eta: 1 / 20,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
  'gradient-flow': {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 60,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 20_000,
  },
  plain: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 20,
    init: [0.6, 0.01, 0.6],
    floor: 0,
    steps: 5_500,
  },
} as const satisfies Record<string, object>;

export type PresetName = keyof typeof presets;

export const PRESET_NAMES = Object.keys(presets) as PresetName[];

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
