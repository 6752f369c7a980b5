import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const figure3 = {
  name: 'figure3',
  parameters: {
    lambda1: 100,
    lambda2: 0.01,
    eta: 1 / 12,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
} as const satisfies Preset;

export const shownFigure3 = (): ShownPreset => ({
  ...figure3,
  shows:
    'a larger learning rate: the edge is reached sooner, and the cycles are shorter and wilder',
});
