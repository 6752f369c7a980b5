import type { TimeSeries } from '../time-series.ts';

/** Share of the samples whose class a network has right. */
export const accuracy: TimeSeries = {
  id: 'accuracy',
  title: 'Accuracy',
  unit: 'share',
  axis: 'accuracy',
  scale: 'linear',
  optional: true,
  order: 6,
  description:
    'Share of the training samples whose class is right: the largest output is that of the ' +
    'class. Not of samples that the network has not seen.',
  series: [{ key: 'accuracy', label: 'accuracy', column: 'accuracy', color: 'convergent' }],
};
