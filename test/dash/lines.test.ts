import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import type { Look } from '../../src/dash/plots/draw.ts';
import { linesPlot } from '../../src/dash/plots/lines.ts';
import { sharpness } from '../../src/dash/plots/series/sharpness.ts';
import { LIGHT } from '../../src/dash/plots/theme.ts';
import { seriesLines, timeSeriesPlot } from '../../src/dash/plots/time-series.ts';

test('rows that are left out of what is shown have no dots above the drawing', () => {
  const { document } = parseHTML('<html><body></body></html>');
  const x = Float64Array.from({ length: 20 }, (_, i) => i);
  const y = x.map((step) => (step === 12 ? 1e9 : 30 + step));
  const plot = {
    ...{ label: 'sharpness S', log: false, robust: true },
    steps: [0, 19] as const,
    lines: [{ points: { x, y }, color: 'black', rows: true }],
  };
  const look = { width: 600, height: 300, theme: LIGHT, document } as unknown as Look;
  const { svg, out } = linesPlot(plot, look);
  expect(out).toBe(1);
  const dots = [...svg.querySelectorAll('circle')].map((dot) => Number(dot.getAttribute('cy')));
  expect(dots).toHaveLength(19);
  for (const down of dots) expect(down >= 0 && down <= 300).toBe(true);
});

test.each([
  ['is named where it stays', [40, 40, 40], '2/η = 40'],
  ['has no name of one value where it moves', [40, 40, 20], undefined],
])('the threshold that a log has in a column %s', (_, threshold, label) => {
  const x = [0, 1, 2];
  const points = new Map([
    ['sharpness', { x, y: [10, 30, 41] }],
    ['threshold', { x, y: threshold }],
  ]);
  const run = { thresholdName: '2/η', band: 0.05, anchors: new Map() };
  const steps = [0, 2] as const;
  const plot = timeSeriesPlot(
    sharpness,
    seriesLines(sharpness, [{ run, points }], steps, LIGHT),
    steps,
  );
  expect(plot.level?.label).toBe(label);
});

test('the thresholds of many runs are fainter than their sharpness, those of a few are not', () => {
  const { document } = parseHTML('<html><body></body></html>');
  const look = { width: 600, height: 300, theme: LIGHT, document } as unknown as Look;
  const points = new Map([['sharpness', { x: [0, 1, 2], y: [10, 30, 41] }]]);
  const opacities = (runs: number) => {
    const all = Array.from({ length: runs }, (_, i) => ({
      run: { threshold: 40 + i, thresholdName: '2/η', band: 0.05, anchors: new Map() },
      points,
      color: 'black',
    }));
    const lines = seriesLines(sharpness, all, [0, 2], LIGHT);
    const { svg } = linesPlot(timeSeriesPlot(sharpness, lines, [0, 2]), look);
    const drawn = [...svg.querySelectorAll('[aria-label=line] > g')];
    return drawn.map((line) => Number(line.getAttribute('stroke-opacity') ?? 1));
  };
  expect(opacities(4)).toEqual(Array(8).fill(1));
  expect(opacities(5)).toEqual(Array(5).fill([1, 0.45]).flat());
});
