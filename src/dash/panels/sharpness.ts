import * as Plot from '@observablehq/plot';
import type { App, Panel } from '../app.ts';
import { timePanel } from './time-panel.ts';

/** S against the threshold 2/η with the band of the regime `edge`, and the sharpness of the gradient-flow solution. */
export const sharpnessPanel = (app: App): Panel =>
  timePanel(app, {
    id: 'sharpness',
    title: 'Sharpness',
    unit: 'dimensionless',
    axis: 'sharpness S',
    scale: 'linear',
    description:
      'Largest eigenvalue S of the Hessian, and S∞: the sharpness of the minimum at which gradient flow from here would end. Dashed: the threshold 2/η, or what belongs to a log’s optimizer. Shaded: the regime “edge”, S within the band around it.',
    series: [
      { key: 'sharpness', label: 'S', column: 'sharpness', color: 'var(--series-1)' },
      {
        key: 'gfs',
        label: 'S∞ (gradient-flow solution)',
        column: 'gfs_sharpness',
        color: 'var(--series-4)',
        width: 1.8,
      },
      {
        key: 'threshold',
        label: '2/η',
        name: ({ facts }) => facts.thresholdName,
        // A log's threshold moves with its schedule of η, and then stands in a column of its own.
        column: 'threshold',
        color: 'var(--threshold)',
        dash: '6 4',
        width: 1.6,
        derived: ({ facts: { threshold } }) =>
          threshold === undefined ? undefined : { at: () => threshold },
      },
    ],
    below: ({ facts: { threshold, band } }, [low, high]) => {
      if (threshold === undefined) return [];
      const [y1, y2] = [
        Math.max(low, threshold * (1 - band)),
        Math.min(high, threshold * (1 + band)),
      ];
      return y1 < y2
        ? [
            Plot.rect([0], {
              y1: [y1],
              y2: [y2],
              fill: 'var(--threshold)',
              fillOpacity: 0.12,
              className: 'regime-band',
            }),
          ]
        : [];
    },
  });
