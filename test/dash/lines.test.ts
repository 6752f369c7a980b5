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

test.each([
  ['two runs', 2, 'own', [1, 1]],
  ['many runs with thresholds of their own', 6, 'own', [0.015, 1]],
  ['many runs with one threshold', 6, 'one', [1, 0.45]],
  ['many runs with thresholds that move', 6, 'column', [1, 0.45]],
])('%s: thresholds do not cover the sharpness', (_, many, of, [part, opacity]) => {
  const { document } = parseHTML('<html><body></body></html>');
  const look = { width: 600, height: 300, theme: LIGHT, document } as unknown as Look;
  const runs = Array.from({ length: many }, (_, i) => {
    const threshold = of === 'own' ? 40 + i : 40;
    const columns = {
      sharpness: [10, 30, 41],
      ...(of === 'column' ? { threshold: [9, 8, 7] } : {}),
    };
    return {
      run: { threshold, thresholdName: '2/η', band: 0.05, anchors: new Map() },
      points: new Map(Object.entries(columns).map(([name, y]) => [name, { x: [0, 1, 2], y }])),
      color: 'black',
    };
  });
  const lines = seriesLines(sharpness, runs, [0, 2], LIGHT);
  const { svg } = linesPlot(timeSeriesPlot(sharpness, lines, [0, 2]), look);
  const drawn = [...svg.querySelectorAll('[aria-label=line] > g')];
  const looks = lines.map(({ series, line: { points }, tick = false }, i) => {
    const x = Array.from(points.x);
    const length = (Math.max(...x) - Math.min(...x)) / 2;
    return [series.key, length, Number(drawn[i]!.getAttribute('stroke-opacity') ?? 1), tick];
  });
  expect(looks.filter(([key]) => key === 'sharpness')).toEqual(
    Array(many).fill(['sharpness', 1, 1, false]),
  );
  const [, length, own, tick] = looks.find(([key]) => key === 'threshold')!;
  expect([length, own, tick]).toEqual([expect.closeTo(part!, 6), opacity, part! < 1]);
  expect(Math.max(...lines.flatMap(({ line }) => Array.from(line.points.x)))).toBe(2);
});
