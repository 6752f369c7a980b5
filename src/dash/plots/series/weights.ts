import type { TimeSeries } from '../time-series.ts';

/** α and β₂, the two weights that learn. */
export const weights: TimeSeries = {
  id: 'weights',
  title: 'Weights',
  unit: 'dimensionless',
  axis: 'α, β₂',
  scale: 'linear',
  order: 4,
  description:
    'Second-layer weight α and first-layer weight β₂ of the relevant feature. At the edge |α| ' +
    'hovers around α̂, where S is at the threshold (dashed), while β₂ grows towards 1/α̂.',
  series: [
    { key: 'alpha', label: 'α', column: 'alpha', color: 'alpha', dynamics: true },
    {
      key: 'beta2',
      label: 'β₂',
      column: 'beta2',
      color: 'beta2',
      dash: '2 3',
      width: 1.8,
      dynamics: true,
    },
    {
      key: 'alpha_hat',
      label: 'α̂',
      color: 'threshold',
      dash: '6 4',
      width: 1.2,
      derived: ({ threshold, lambda1, anchors, changes = [] }) => {
        if (!threshold || !lambda1) return undefined;
        const edge = Math.sqrt(threshold / lambda1) * Math.sign(anchors.get('alpha')?.value ?? 1);
        const from = changes.at(-1);
        return { at: () => edge, ...(from === undefined ? {} : { from }) };
      },
    },
  ],
};
