/** Networks that reach the edge within their steps. */
export const networkPresets = {
  network: {
    layers: '1-50-50-1',
    data: 'chebyshev:6:20',
    eta: 0.2,
    steps: 5000,
  },
  digits: {
    layers: '64-32-10',
    activation: 'relu',
    data: 'digits:200',
    eta: 0.1,
    steps: 2000,
  },
  'deep-linear': {
    layers: '64-20-20-10',
    activation: 'linear',
    loss: 'mse',
    data: 'digits:200',
    eta: 0.1,
    steps: 2000,
  },
  adam: {
    layers: '1-30-20-1',
    data: 'chebyshev:6:20',
    optimizer: 'adam',
    eta: 0.001,
    steps: 4000,
  },
  sgd: {
    layers: '1-30-20-1',
    data: 'chebyshev:4:40',
    batch: 8,
    eta: 0.1,
    steps: 5000,
  },
} as const;

export type NetworkPresetName = keyof typeof networkPresets;
export const NETWORK_PRESET_NAMES = Object.keys(networkPresets) as NetworkPresetName[];
