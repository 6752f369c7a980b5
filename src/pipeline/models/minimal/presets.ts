/** Named parameters: those of the runs that the paper's figures and the reference trajectories are made of. */
const PRESETS = {
  paper: {
    shows: 'the sharpness climbs to 2/η, and the loss falls on in cycles at the edge of stability',
    parameters: {
      lambda1: 100,
      lambda2: 0.01,
      eta: 1 / 20,
      init: [0.3, 0.1, 0.3],
      floor: 1e-6,
      steps: 10_000,
    },
  },
  figure3: {
    shows:
      'a larger learning rate: the edge is reached sooner, and the cycles are shorter and wilder',
    parameters: {
      lambda1: 100,
      lambda2: 0.01,
      eta: 1 / 12,
      init: [0.3, 0.1, 0.3],
      floor: 1e-6,
      steps: 10_000,
    },
  },
  'three-phases': {
    shows: 'a stronger relevant feature: sharpening, edge of stability and convergence in one run',
    parameters: {
      lambda1: 100,
      lambda2: 0.1,
      eta: 1 / 20,
      init: [0.3, 0.1, 0.3],
      floor: 1e-6,
      steps: 10_000,
    },
  },
  'gradient-flow': {
    shows: 'a learning rate so small that the run converges below 2/η, as gradient flow does',
    parameters: {
      lambda1: 100,
      lambda2: 0.01,
      eta: 1 / 60,
      init: [0.3, 0.1, 0.3],
      floor: 1e-6,
      steps: 20_000,
    },
  },
  plain: {
    shows: 'no projection: β₁ falls far below what a float64 can hold, and each cycle is longer',
    parameters: {
      lambda1: 100,
      lambda2: 0.01,
      eta: 1 / 20,
      init: [0.6, 0.01, 0.6],
      floor: 0,
      steps: 5_500,
    },
  },
} as const;

export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** The parameters of each preset. */
export const presets = Object.fromEntries(
  Object.entries(PRESETS).map(([name, { parameters }]) => [name, parameters]),
) as { readonly [Name in PresetName]: (typeof PRESETS)[Name]['parameters'] };

/** What a run of the preset shows, in one sentence. */
export function presetShows(name: PresetName): string {
  return PRESETS[name].shows;
}
