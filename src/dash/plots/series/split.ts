import type { TimeSeries } from '../time-series.ts';

/** L₁ against L₂: the oscillatory part is near zero but for its spikes. */
export const split: TimeSeries = {
  id: 'split',
  title: 'Loss split',
  unit: 'dimensionless',
  axis: 'L₁, L₂',
  scale: 'linear',
  order: 2,
  description:
    'L₁ = ½λ₁(αβ₁)², the oscillatory part of the loss (irrelevant feature), against L₂ = ' +
    '½λ₂(αβ₂ − 1)², its convergent part. L₁ is near zero but for a spike in every cycle at ' +
    'the edge. Of a network, L₁ = Σ (u·g)²/2λ is the energy of the oscillation in directions ' +
    'at the edge, and L₂ the rest of the loss.',
  series: [
    { key: 'l1', label: 'L₁ oscillatory', column: 'l1', color: 'oscillating' },
    {
      key: 'l2',
      label: 'L₂ convergent',
      column: 'l2',
      color: 'convergent',
      dash: '2 3',
      width: 1.8,
    },
  ],
};
