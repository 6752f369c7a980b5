import type { App, Panel } from '../app.ts';
import { timePanel } from './time-panel.ts';

/** α and β₂, the two weights that learn. */
export const weightsPanel = (app: App): Panel =>
  timePanel(app, {
    id: 'weights',
    title: 'Weights',
    unit: 'dimensionless',
    axis: 'α, β₂',
    scale: 'linear',
    description:
      'Second-layer weight α and first-layer weight β₂ of the relevant feature. At the edge |α| hovers around α̂ = √(2/(ηλ₁)) (dashed) while β₂ grows towards 1/α̂.',
    series: [
      { key: 'alpha', label: 'α', column: 'alpha', color: 'var(--series-1)' },
      { key: 'beta2', label: 'β₂', column: 'beta2', color: 'var(--series-3)' },
      {
        key: 'alpha_hat',
        label: 'α̂',
        color: 'var(--threshold)',
        dash: '6 4',
        width: 1.2,
        derived: ({ facts: { eta, lambda1 }, anchors }) => {
          if (!eta || !lambda1) return undefined;
          const edge = Math.sqrt(2 / (eta * lambda1)) * Math.sign(anchors.get('alpha') ?? 1);
          return { at: () => edge };
        },
      },
    ],
  });
