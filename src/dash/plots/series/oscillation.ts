import type { TimeSeries } from '../time-series.ts';

/** log₁₀|β₁|: the amplitude of the oscillating direction. */
export const oscillation: TimeSeries = {
  id: 'oscillation',
  title: 'Oscillation',
  unit: 'decades',
  axis: 'log₁₀|β₁|',
  scale: 'linear',
  order: 3,
  description:
    'Amplitude of the oscillating weight, log₁₀|β₁|. It shrinks while S is below the ' +
    'threshold and grows while S is above; the floor of the projection shows as a flat ' +
    'bottom. Valid where β₁ itself underflows to 0.',
  series: [
    {
      key: 'log10_abs_beta1',
      label: 'log₁₀|β₁|',
      column: 'log10_abs_beta1',
      color: 'oscillating',
    },
  ],
};
