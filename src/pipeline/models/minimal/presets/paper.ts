import type { Preset } from '../../../core/preset.ts';

export const paper = {
  name: 'paper',
  shows: 'the sharpness climbs to 2/η, and the loss falls on in cycles at the edge of stability',
  parameters: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 20,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
} as const satisfies Preset;
