import type { TimeSeries } from '../time-series.ts';

/** How many of a network's followed eigenvalues are near the threshold. */
export const edgeDirections: TimeSeries = {
  id: 'edge-directions',
  title: 'Edge directions',
  unit: 'directions',
  axis: 'directions at the edge',
  scale: 'linear',
  whole: true,
  optional: true,
  order: 5,
  description:
    'How many of the followed eigenvalues are over 0.8 of the threshold. The loss can ' +
    'oscillate in each of these directions, and L₁ is the energy of all of them. Where it is ' +
    'as many as are followed, there may be more.',
  series: [{ key: 'directions', label: 'directions', column: 'edge_directions', color: 'edge' }],
};
