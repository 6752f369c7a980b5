import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const plain = {
  name: 'plain',
  parameters: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 20,
    init: [0.6, 0.01, 0.6],
    floor: 0,
    steps: 5_500,
  },
} as const satisfies Preset;

export const shownPlain = (): ShownPreset => ({
  ...plain,
  shows: 'no projection: β₁ falls far below what a float64 can hold, and each cycle is longer',
});
