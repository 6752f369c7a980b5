import type { ShownPreset } from '../../../core/preset.ts';

export const network = {
  name: 'network',
  shows: 'a network of two layers that learns T₆ at the edge, one spike after the other',
  parameters: { layers: '1-50-50-1', data: 'chebyshev:6:20', eta: 0.2, steps: 5000 },
} as const satisfies ShownPreset;
