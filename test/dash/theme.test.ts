import { describe, expect, test } from 'vitest';
import { outcomeColor } from '../../src/dash/plots/outcomes.ts';
import { type ColorName, DARK, LIGHT, phaseColor, type Theme } from '../../src/dash/plots/theme.ts';
import { OUTCOMES } from '../../src/pipeline/sweep/sweep-columns.ts';

/** Relative luminance of `#rrggbb` (WCAG 2). */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Lightness L* of CIE, from 0 to 100: what is left of a colour without hue. */
const lightness = (color: string): number => 116 * Math.cbrt(luminance(color)) - 16;

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
] as const)('the %s colours', (_, theme: Theme) => {
  test.each([
    ['outcomes of a map', OUTCOMES.map((outcome) => outcomeColor(theme, outcome))],
    [
      'phases that follow each other',
      ['progressive-sharpening', 'edge-of-stability', 'convergence', 'diverged'].map((word) =>
        phaseColor(theme, word),
      ),
    ],
  ])('tell %s apart without hue', (_what, colors) => {
    const sorted = colors.map(lightness).sort((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) expect(sorted[i]! - sorted[i - 1]!).toBeGreaterThan(9);
  });

  test('each stand for one thing, and stand out from the ground', () => {
    const names: readonly ColorName[] = [
      ...(['sharpness', 'flow', 'loss', 'oscillating', 'convergent', 'surrogate'] as const),
      ...(['alpha', 'beta2', 'batch', 'threshold', 'constrained', 'central'] as const),
      ...(['sharpening', 'edge', 'stabilizing', 'convergence', 'catapult', 'diverged'] as const),
    ];
    expect(new Set(names.map((name) => theme[name])).size).toBe(names.length);
    for (const name of names)
      expect(contrast(theme[name], theme.background), name).toBeGreaterThan(3);
  });
});
