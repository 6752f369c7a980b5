import type { ShownPreset } from '../../../core/preset.ts';

export const adam = {
  name: 'adam',
  shows: 'Adam: the sharpness in its own metric settles at 38/η',
  parameters: {
    layers: '1-30-20-1',
    data: 'chebyshev:6:20',
    optimizer: 'adam',
    eta: 0.001,
    steps: 4000,
  },
} as const satisfies ShownPreset;
