import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const gradientFlow = {
  name: 'gradient-flow',
  parameters: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 60,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 20_000,
  },
} as const satisfies Preset;

export const shownGradientFlow = (): ShownPreset => ({
  ...gradientFlow,
  shows: 'a learning rate so small that the run converges below 2/η, as gradient flow does',
});
