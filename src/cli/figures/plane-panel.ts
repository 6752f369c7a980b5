import { type PlanePlot, planeFrame, planePlot } from '../../dash/plots/plane.ts';
import type { Theme } from '../../dash/plots/theme.ts';
import type { LegendItem, Panel } from './figure.ts';
import { cutOff } from './words.ts';

/** A panel of the plane of the relevant weights, and what its caption says of what is left out. */
export function planePanel(
  plane: PlanePlot,
  theme: Theme,
  legend: readonly LegendItem[],
): { readonly panel: Panel; readonly leaves: string } {
  return {
    leaves: cutOff(planeFrame(plane).leaves),
    panel: {
      title: 'Plane of the relevant weights',
      legend: [
        ...legend,
        { label: 'minima αβ₂ = 1', color: theme.muted, kind: 'line', dash: '2 3' },
        { label: 'edge |α| = α̂', color: theme.threshold, kind: 'line', dash: '6 4' },
        ...(plane.stableSet
          ? [{ label: 'stable set', color: theme.shade, kind: 'area' } as const]
          : []),
      ],
      draw: (look) => planePlot(plane, look).svg,
    },
  };
}
