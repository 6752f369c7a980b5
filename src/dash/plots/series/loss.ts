import type { DerivedLine, RunFigures, TimeSeries } from '../time-series.ts';

/** L, L₂ and the surrogate L̂, with the slope that the model predicts for L̂ at the edge. */
export const loss: TimeSeries = {
  id: 'loss',
  title: 'Loss',
  unit: 'dimensionless',
  axis: 'loss',
  scale: 'log',
  order: 1,
  description:
    'Training loss L, its convergent part L₂ and the surrogate loss L̂ (L₂ with α held at the ' +
    'edge). L spikes while the run is at the edge; L̂ falls steadily. Dashed: the predicted ' +
    'slope 2·ln(1 − 2λ₂/λ₁) of ln L̂ a step, from where the edge begins.',
  events: { label: 'spikes', steps: ({ spikes = [] }) => spikes },
  series: [
    { key: 'loss', label: 'L', column: 'loss', color: 'loss', dynamics: true },
    { key: 'l2', label: 'L₂', column: 'l2', color: 'convergent', dash: '2 3', width: 1.8 },
    { key: 'l_hat', label: 'L̂', column: 'l_hat', color: 'surrogate', width: 2 },
    {
      key: 'predicted',
      label: 'predicted slope',
      color: 'text',
      dash: '6 4',
      width: 1.2,
      derived: predictedSlope,
    },
  ],
};

function predictedSlope(run: RunFigures): DerivedLine | undefined {
  const { slopePredicted: slope, edge, anchors } = run;
  const start = anchors.get('l_hat');
  if (slope === undefined || !edge || !(start && start.value > 0)) return undefined;
  return {
    from: edge.first,
    to: edge.last,
    at: (step) => start.value * Math.exp(slope * (step - start.step)),
  };
}
