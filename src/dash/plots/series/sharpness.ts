import { formatNumber } from '../../../pipeline/format.ts';
import type { RunFigures, TimeSeries } from '../time-series.ts';

const ratioName = ({ thresholdName }: RunFigures): string =>
  thresholdName === '2/η' ? 'ηS/2' : `S over ${thresholdName}`;

/** The same as shares of the threshold, in which runs of different step sizes compare. */
const ratio: TimeSeries['other'] = {
  id: 'sharpness',
  button: 'S/threshold',
  title: 'Sharpness over threshold',
  unit: 'of the threshold',
  axis: 'S/threshold',
  scale: 'linear',
  order: 0,
  description: '',
  series: [
    {
      key: 'sharpness',
      label: 'S/threshold',
      name: ratioName,
      column: 'sharpness_ratio',
      color: 'sharpness',
    },
    {
      key: 'gfs',
      label: 'S∞/threshold',
      column: 'gfs_sharpness',
      color: 'solution',
      width: 1.8,
      factor: ({ threshold, changes = [] }) =>
        threshold === undefined || changes.length > 0 ? undefined : 1 / threshold,
    },
    {
      key: 'threshold',
      label: 'threshold',
      color: 'threshold',
      dash: '6 4',
      width: 1.6,
      derived: () => ({ at: () => 1 }),
    },
  ],
  level: ({ band }) => ({ value: 1, label: 'threshold', band, moves: true }),
};

/**
 * S against the threshold of the run's optimizer, and the sharpness of the gradient-flow solution.
 */
export const sharpness: TimeSeries = {
  id: 'sharpness',
  title: 'Sharpness',
  unit: 'dimensionless',
  axis: 'sharpness S',
  scale: 'linear',
  order: 0,
  description:
    'Largest eigenvalue S of the Hessian, and S∞: the sharpness of the minimum at which ' +
    'gradient flow from here would end. Of a network, also the eigenvalues next to S, and the ' +
    'batch sharpness, which is what settles at the threshold under mini-batches. Dashed: the ' +
    'threshold of the optimizer, above which it is unstable. Shaded: the regime “edge”, S ' +
    'within the band around it.',
  events: { label: 'optimizer changed', steps: ({ changes = [] }) => changes },
  series: [
    {
      key: 'sharpness',
      label: 'S',
      column: 'sharpness',
      color: 'sharpness',
      dynamics: true,
    },
    {
      key: 'gfs',
      label: 'S∞ (gradient-flow solution)',
      column: 'gfs_sharpness',
      color: 'solution',
      width: 1.8,
    },
    {
      key: 'second',
      label: 'λ₂',
      column: 'sharpness_2',
      color: 'sharpness',
      dash: '7 3',
      width: 1.2,
    },
    {
      key: 'third',
      label: 'λ₃',
      column: 'sharpness_3',
      color: 'sharpness',
      dash: '2 3',
      width: 1.2,
    },
    { key: 'batch', label: 'batch sharpness', column: 'batch_sharpness', color: 'batch' },
    {
      key: 'threshold',
      label: 'threshold',
      name: ({ thresholdName }) => thresholdName,
      // It moves with a schedule of η, and then stands in a column of its own.
      column: 'threshold',
      color: 'threshold',
      dash: '6 4',
      width: 1.6,
      derived: ({ threshold }) => (threshold === undefined ? undefined : { at: () => threshold }),
    },
  ],
  other: ratio,
  level: ({ threshold, thresholdName, band, changes = [] }) => {
    if (threshold === undefined) return undefined;
    // Where the optimizer was changed under way, that is the threshold at the end alone.
    return changes.length > 0
      ? { value: threshold, label: '', moves: true }
      : {
          value: threshold,
          label: `${thresholdName} = ${formatNumber(threshold, 4)}`,
          band,
          moves: true,
        };
  },
};
