import type { App, Panel } from '../app.ts';
import { timePanel } from './time-panel.ts';

/** L₁ against L₂: the oscillatory part is near zero but for its spikes. */
export const splitPanel = (app: App): Panel =>
  timePanel(app, {
    id: 'split',
    title: 'Loss split',
    unit: 'dimensionless',
    axis: 'L₁, L₂',
    scale: 'linear',
    description:
      'L₁ = ½λ₁(αβ₁)², the oscillatory part of the loss (irrelevant feature), against L₂ = ½λ₂(αβ₂ − 1)², its convergent part. L₁ is near zero but for a spike in every cycle at the edge.',
    series: [
      { key: 'l1', label: 'L₁ oscillatory', column: 'l1', color: 'var(--series-2)' },
      { key: 'l2', label: 'L₂ convergent', column: 'l2', color: 'var(--series-3)', width: 1.8 },
    ],
  });
