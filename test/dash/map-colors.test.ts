import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import type { Look } from '../../src/dash/plots/draw.ts';
import { mapColors, sweepMap } from '../../src/dash/plots/sweep-map.ts';
import { LIGHT } from '../../src/dash/plots/theme.ts';
import { type HeatMap, QUANTITIES } from '../../src/pipeline/sweep/heat-map.ts';

const quantity = QUANTITIES.minimal.find(({ name }) => name === 'max_sharpness_ratio')!;

function colorsOf(values: readonly number[], diverged: readonly number[]) {
  const cells = [
    ...values.map((value) => ({ shares: [{ value, share: 1, diverged: false }] })),
    ...diverged.map((value) => ({ shares: [{ value, share: 1, diverged: true }] })),
  ];
  const facet = { value: null, border: [], cells };
  const map = { quantity, facets: [facet] } as unknown as HeatMap;
  return mapColors(map, LIGHT);
}

const ratio = fc.double({ min: 0.01, max: 3, noNaN: true });

test('runs that diverged take no part of the scale, whatever they reached', () => {
  fc.assert(
    fc.property(
      fc.array(ratio, { minLength: 1, maxLength: 8 }),
      fc.array(fc.double({ min: 1, max: 1e300, noNaN: true }), { minLength: 1, maxLength: 4 }),
      (values, diverged) => {
        const [alone, beside] = [colorsOf(values, []), colorsOf(values, diverged)];
        expect(beside.ramp).toEqual(alone.ramp);
        for (const value of values)
          expect(beside.of({ value, diverged: false })).toBe(alone.of({ value, diverged: false }));
        for (const value of diverged)
          expect(beside.of({ value, diverged: true })).toBe(LIGHT.diverged);
      },
    ),
  );
});

test('a ratio has one hue below 1 and another above', () => {
  const colors = colorsOf([0.4, 0.9, 1.1, 1.6], [1e9]);
  const of = (value: number) => {
    const [red, , blue] = colors.of({ value, diverged: false }).match(/\d+/g)!.map(Number) as [
      number,
      number,
      number,
    ];
    return Math.sign(red - blue);
  };
  expect([0.4, 0.6, 1.4, 1.6].map(of)).toEqual([of(0.4), of(0.4), -of(0.4), -of(0.4)]);
  // The legend marks where they part, and that is not its middle.
  const [low, one, high] = colors.ramp!.ticks;
  expect([low, high]).toMatchObject([{ label: '0.4' }, { label: '1.6' }]);
  expect(one!.label).toBe('1');
  expect(colorsOf([0.4, 0.9, 2.8], []).ramp!.ticks[1]).toMatchObject({ label: '1', at: 0.25 });
  expect(colorsOf([1.2, 1.4], []).ramp!.ticks.map(({ label }) => label)).toEqual([
    ...['1.2', '1.3', '1.4'],
  ]);
});

test('what diverged is told from any scale by its pattern, in the legend too', () => {
  const axis = (column: string) => ({
    column,
    log: false,
    named: false,
    places: [0, 1].map((value) => ({ value, from: value, to: value + 1 })),
  });
  const [x, y] = [axis('eta'), axis('lambda2')];
  const cells = [0.5, 1.5, 9, 1e9].map((value, i) => ({
    x: x.places[i % 2]!,
    y: y.places[i >> 1]!,
    shares: [{ value, share: 1, diverged: i === 3 }],
  }));
  const map = { quantity, x, y, facet: null, facets: [{ value: null, border: [], cells }] };
  const { legend } = mapColors(map as unknown as HeatMap, LIGHT);
  expect(legend.filter(({ hatched }) => hatched).map(({ label }) => label)).toEqual(['diverged']);
  const { document } = parseHTML('<html><body></body></html>');
  const look = { width: 400, height: 300, theme: LIGHT, document };
  const { svg, box } = sweepMap(map as unknown as HeatMap, look as unknown as Look);
  const lines = svg.querySelector('.cells path[fill=none]')!.getAttribute('d')!;
  const [left, top, width, height] = box(3);
  const ends = [...lines.matchAll(/[ML]([\d.]+),([\d.]+)/g)];
  expect(ends.length).toBeGreaterThan(10);
  for (const [, px, py] of ends) {
    expect(Number(px)).toBeGreaterThanOrEqual(left - 0.02);
    expect(Number(px)).toBeLessThanOrEqual(left + width + 0.02);
    expect(Number(py)).toBeGreaterThanOrEqual(top - 0.02);
    expect(Number(py)).toBeLessThanOrEqual(top + height + 0.02);
  }
});
