import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const paper = {
  name: 'paper',
  parameters: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 20,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
} as const satisfies Preset;

export const shownPaper = (): ShownPreset => ({
  ...paper,
  shows: 'the sharpness climbs to 2/η, and the loss falls on in cycles at the edge of stability',
});
