import type { App, Panel } from '../app.ts';
import { predictedSlope } from './predicted-slope.ts';
import { timePanel } from './time-panel.ts';

/** L, L₂ and the surrogate L̂ on a logarithmic scale, with the slope that the model predicts for L̂ at the edge. */
export const lossPanel = (app: App): Panel =>
  timePanel(app, {
    id: 'loss',
    title: 'Loss',
    unit: 'dimensionless',
    axis: 'loss',
    scale: 'log',
    description:
      'Training loss L, its convergent part L₂ and the surrogate loss L̂ (L₂ with α pinned at the edge). L spikes while the run is at the edge; L̂ falls steadily. Dashed: the predicted slope 2·ln(1 − 2λ₂/λ₁) of ln L̂ per step, from the first crossing of 2/η on.',
    series: [
      { key: 'loss', label: 'L', column: 'loss', color: 'var(--series-1)' },
      { key: 'l2', label: 'L₂', column: 'l2', color: 'var(--series-3)' },
      { key: 'l_hat', label: 'L̂', column: 'l_hat', color: 'var(--series-2)', width: 2 },
      {
        key: 'predicted',
        label: 'predicted slope',
        color: 'var(--text)',
        dash: '6 4',
        width: 1.2,
        derived: predictedSlope,
      },
    ],
  });
