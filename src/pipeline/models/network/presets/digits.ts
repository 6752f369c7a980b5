import type { ShownPreset } from '../../../core/preset.ts';

export const digits = {
  name: 'digits',
  shows: 'handwritten digits, up to the edge and along it',
  parameters: {
    layers: '64-32-10',
    data: 'digits:100',
    loss: 'mse',
    'init-scale': 0.5,
    eta: 1,
    steps: 2000,
  },
} as const satisfies ShownPreset;
