import type { ShownPreset } from '../../../core/preset.ts';

export const deepLinear = {
  name: 'deep-linear',
  shows: 'a deep linear network, with several directions at the edge at once',
  parameters: {
    layers: '64-10-10-10-10',
    activation: 'linear',
    data: 'digits:50',
    loss: 'mse',
    'init-scale': 0.5,
    // As many outputs oscillate at once.
    eigenvalues: 6,
    eta: 1,
    steps: 3000,
  },
} as const satisfies ShownPreset;
