import * as plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { composeSvg, wrap } from '../../src/cli/figures/compose.ts';
import { FIGURES } from '../../src/cli/figures/draw-figures.ts';
import { solutionBounds } from '../../src/cli/figures/figure3.ts';
import { flowsFrom } from '../../src/cli/figures/figure4.ts';
import { DARK, LIGHT } from '../../src/cli/figures/theme.ts';
import { fraction, plain, power, powers, powerTick } from '../../src/cli/figures/words.ts';
import { edgeAlpha } from '../../src/pipeline/model/surrogate.ts';
import { run } from '../theory/run.ts';

const runs = { paper: await run({ preset: 'paper' }), figure3: await run({ preset: 'figure3' }) };

interface Mark {
  readonly mark: string;
  readonly stroke: string | null;
  readonly points: number;
  readonly box: readonly number[];
}

/** The marks that hold data, each with its number of points and the box around them. */
function dataMarks(svg: string): Mark[] {
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  return [
    ...document.querySelectorAll(
      '[aria-label="line"], [aria-label="dot"], [aria-label="area"], [aria-label="rect"], [aria-label="rule"]',
    ),
  ].map((group) => {
    const numbers = [...group.querySelectorAll('path, circle, line, rect')].flatMap((shape) => {
      const d = shape.getAttribute('d');
      if (d) return [...d.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map((match) => [Number(match[1]), Number(match[2])]);
      return [
        ['cx', 'cy'],
        ['x', 'y'],
        ['x1', 'y1'],
        ['x2', 'y2'],
      ].flatMap(([x, y]) => {
        const at = shape.getAttribute(x!);
        const to = shape.getAttribute(y!);
        return at === null || to === null ? [] : [[Number(at), Number(to)]];
      });
    });
    const xs = numbers.map(([x]) => x!);
    const ys = numbers.map(([, y]) => y!);
    const box = numbers.length === 0 ? [] : [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    return {
      mark: group.getAttribute('aria-label')!,
      stroke: group.getAttribute('stroke'),
      points: numbers.length,
      box: box.map((value) => Math.round(value)),
    };
  });
}

const draw = (number: number, theme = LIGHT) => {
  const figure = FIGURES.find((candidate) => candidate.number === number)!;
  const drawn = figure.draw(runs[figure.preset], theme, plot);
  return composeSvg(`Figure ${number}. ${drawn.title}`, drawn, theme, plot);
};

describe.each([1, 2, 3, 4, 5])('figure %i', (number) => {
  const light = draw(number);

  test('its data marks', () => {
    expect(dataMarks(light)).toMatchSnapshot();
  });

  test('differs in nothing but colours in the dark', () => {
    const shape = (svg: string) => dataMarks(svg).map(({ mark, points, box }) => ({ mark, points, box }));
    expect(shape(draw(number, DARK))).toEqual(shape(light));
    expect(draw(number, DARK)).toContain(DARK.background);
  });

  test('says its parameters, names its axes, and describes itself', () => {
    const document = new DOMParser().parseFromString(light, 'image/svg+xml');
    const words = document.documentElement.textContent!.replaceAll('\u00a0', ' ');
    expect(words).toContain(`Figure ${number}. `);
    for (const parameter of ['λ₁ = 100', 'λ₂ = 0.01', number === 3 ? 'η = 1/12' : 'η = 1/20', '(0.3, 0.1, 0.3)']) {
      expect(words).toContain(parameter);
    }
    expect(words).toMatch(/step t|weight β₂/);
    expect(light).toContain('role="img"');
    expect(light).not.toMatch(/NaN|undefined|<style|currentcolor/);
  });

  test('every curve stays within its panel', () => {
    for (const { box } of dataMarks(light)) {
      if (box.length === 0) continue;
      expect(Math.min(...box)).toBeGreaterThanOrEqual(0);
      expect(box[2]).toBeLessThanOrEqual(1000);
      expect(box[3]).toBeLessThanOrEqual(380);
    }
  });
});

test('every spike of the loss is drawn to its top', () => {
  const spikes = runs.paper.column('loss');
  const document = new DOMParser().parseFromString(draw(1), 'image/svg+xml');
  const path = document.querySelector('[aria-label="line"] path')!.getAttribute('d')!;
  const ys = [...path.matchAll(/,(-?[\d.]+)/g)].map((match) => Number(match[1]));
  const [bottom, top] = [Math.max(...ys), Math.min(...ys)];
  const highest = spikes.reduce((a, b) => Math.max(a, b));
  const drawnAt = (value: number) => bottom - (value / highest) * (bottom - top);
  for (let t = 1; t + 1 < spikes.length; t++) {
    const isTop =
      spikes[t]! > 0.01 &&
      spikes[t]! > Math.max(...spikes.subarray(Math.max(t - 100, 0), t), ...spikes.subarray(t + 1, t + 100));
    if (isTop) expect(Math.min(...ys.map((y) => Math.abs(y - drawnAt(spikes[t]!)))), `spike at ${t}`).toBeLessThan(0.5);
  }
});

test.each(['paper', 'figure3'] as const)('S∞ lies between its bounds on %s', (preset) => {
  const { upper, lower } = solutionBounds(runs[preset]);
  const end = runs[preset].column('gfs_sharpness');
  for (let t = 0; t < end.length; t++) {
    expect(end[t]! <= upper[t]! * (1 + 1e-12) && end[t]! >= lower[t]! * (1 - 1e-12), `step ${t}`).toBe(true);
  }
});

test('the bounds are no emptier than a spike', () => {
  const { upper, lower } = solutionBounds(runs.figure3);
  const gap = upper.map((value, t) => value - lower[t]!);
  expect(Math.max(...gap)).toBeLessThan(4);
});

test('at least 12 flows reach a minimizer of their own on αβ₂ = 1', () => {
  const ends = flowsFrom(runs.paper, 16).flatMap(({ end }) => (end ? [end] : []));
  for (const { alpha, beta2 } of ends) expect(alpha * beta2).toBeCloseTo(1, 9);
  expect(new Set(ends.map(({ alpha }) => alpha.toFixed(3))).size).toBeGreaterThanOrEqual(12);
  const alphaHat = edgeAlpha(100, 1 / 20);
  for (const { alpha } of ends) expect(alpha).toBeGreaterThan(alphaHat);
});

test('numbers in captions', () => {
  expect(plain(-0.000123)).toBe('−1.23·10⁻⁴');
  expect(power(1e-6)).toBe('10⁻⁶');
  expect(power(-4.00040005e-4, 3)).toBe('−4.00·10⁻⁴');
  expect(fraction(1 / 12)).toBe('1/12');
  expect(fraction(0.07)).toBe('0.07');
  expect(powerTick(1e-3)).toBe('10⁻³');
  expect(powerTick(3e-3)).toBe('');
  expect(powers(1e-5, 0.05)).toEqual([1e-5, 1e-4, 1e-3, 1e-2]);
  expect(powers(1e-12, 1).length).toBeLessThanOrEqual(7);
});

test('lines break between words, and never where a space does not allow it', () => {
  expect(wrap('one two\u00a0=\u00a0three four', 9)).toEqual(['one', 'two\u00a0=\u00a0three', 'four']);
});
