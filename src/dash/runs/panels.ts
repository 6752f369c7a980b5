import type { App, Panel } from '../app.ts';
import type { TimeSeries } from '../plots/time-series.ts';
import { checksPanel } from './checks-panel.ts';
import { comparePanel } from './compare-panel.ts';
import { cyclesPanel } from './cycles-panel.ts';
import { planePanel } from './plane-panel.ts';
import { selectionPanel } from './selection-panel.ts';
import { spikesPanel } from './spikes-panel.ts';
import { stripPanel } from './strip-panel.ts';
import { timePanel } from './time-panel.ts';

/** Every plot of columns over steps: a file in `plots/series` is a panel of the page. */
const found = import.meta.glob<Readonly<Record<string, TimeSeries>>>('../plots/series/*.ts', {
  eager: true,
});

/** The panels of the page, in the order in which they stand. */
export function allPanels(app: App): readonly Panel[] {
  const series = Object.values(found)
    .flatMap((module) => Object.values(module))
    .sort((a, b) => a.order - b.order);
  return [
    stripPanel(app),
    ...series.map((spec) => timePanel(app, spec)),
    planePanel(app),
    cyclesPanel(app),
    spikesPanel(app),
    checksPanel(app),
    selectionPanel(app),
    comparePanel(app),
  ];
}
