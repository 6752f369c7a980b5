import type { App, Panel } from '../app.ts';
import { timePanel } from './time-panel.ts';

/** log₁₀|β₁|: the amplitude of the oscillating direction. */
export const oscillationPanel = (app: App): Panel =>
  timePanel(app, {
    id: 'oscillation',
    title: 'Oscillation',
    unit: 'decades',
    axis: 'log₁₀|β₁|',
    scale: 'linear',
    description:
      'Amplitude of the oscillating weight, log₁₀|β₁|. It shrinks while S < 2/η and grows while S > 2/η; the floor of the projection shows as a flat bottom. Valid where β₁ itself underflows to 0.',
    series: [
      {
        key: 'log10_abs_beta1',
        label: 'log₁₀|β₁|',
        column: 'log10_abs_beta1',
        color: 'var(--series-2)',
      },
    ],
  });
