/** Networks that reach the edge within their steps. */
export const networkPresets = {
  network: { layers: '1-50-50-1', data: 'chebyshev:6:20', eta: 0.2, steps: 5000 },
  digits: {
    layers: '64-32-10',
    data: 'digits:100',
    loss: 'mse',
    'init-scale': 0.5,
    eta: 1,
    steps: 2000,
  },
  'deep-linear': {
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
  adam: {
    layers: '1-30-20-1',
    data: 'chebyshev:6:20',
    optimizer: 'adam',
    eta: 0.001,
    steps: 4000,
  },
  sgd: { layers: '1-30-20-1', data: 'chebyshev:3:20', batch: 5, eta: 0.2, steps: 8000 },
} as const;

export type NetworkPresetName = keyof typeof networkPresets;
export const NETWORK_PRESET_NAMES = Object.keys(networkPresets) as NetworkPresetName[];

/** One sentence on what each shows. */
export const networkPresetShows: Readonly<Record<NetworkPresetName, string>> = {
  network: 'a network of two layers that learns T₆ at the edge, one spike after the other',
  digits: 'handwritten digits, up to the edge and along it',
  'deep-linear': 'a deep linear network, with several directions at the edge at once',
  adam: 'Adam: the sharpness in its own metric settles at 38/η',
  sgd: 'mini-batches: the batch sharpness settles at 2/η, the sharpness below',
};
