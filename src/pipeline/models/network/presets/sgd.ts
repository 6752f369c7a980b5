import type { ShownPreset } from '../../../core/preset.ts';

export const sgd = {
  name: 'sgd',
  shows: 'mini-batches: the batch sharpness settles at 2/η, the sharpness below',
  parameters: { layers: '1-30-20-1', data: 'chebyshev:3:20', batch: 5, eta: 0.2, steps: 8000 },
} as const satisfies ShownPreset;
