import type { Preset, ShownPreset } from '../../../core/preset.ts';

export const threePhases = {
  name: 'three-phases',
  parameters: {
    lambda1: 100,
    lambda2: 0.1,
    eta: 1 / 20,
    init: [0.3, 0.1, 0.3],
    floor: 1e-6,
    steps: 10_000,
  },
} as const satisfies Preset;

export const shownThreePhases = (): ShownPreset => ({
  ...threePhases,
  shows: 'a stronger relevant feature: sharpening, edge of stability and convergence in one run',
});
