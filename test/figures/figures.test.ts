import { DOMParser } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { composeSvg, wrap } from '../../src/cli/figures/compose.ts';
import { FIGURES } from '../../src/cli/figures/draw-figures.ts';
import { solutionBounds } from '../../src/cli/figures/figure3.ts';
import { flowsFrom } from '../../src/cli/figures/figure4.ts';
import { renderPng } from '../../src/cli/figures/png.ts';
import { cut } from '../../src/dash/plots/cut.ts';
import { DARK, LIGHT } from '../../src/dash/plots/theme.ts';
import { edgeAlpha } from '../../src/pipeline/models/minimal/surrogate.ts';
import { gd } from '../../src/pipeline/optimizers/gd.ts';
import type { RunTable } from '../../src/pipeline/theory/run-table.ts';
import { run } from '../theory/run.ts';

const runs = { paper: await run({ preset: 'paper' }), figure3: await run({ preset: 'figure3' }) };

interface Mark {
  readonly mark: string;
  readonly stroke: string | null;
  readonly points: number;
  readonly box: readonly number[];
}

/** The marks that hold data, each with its number of points and the box around them. */
const DATA_MARKS = ['line', 'dot', 'area', 'rect', 'rule']
  .map((label) => `[aria-label="${label}"]`)
  .join(', ');

function dataMarks(svg: string): Mark[] {
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  return [...document.querySelectorAll(DATA_MARKS)].map(markOf);
}

function markOf(group: Element): Mark {
  // The rectangle of a clip is no data.
  const shapes = [...group.querySelectorAll('path, circle, line, rect')].filter(
    (shape) => shape.parentElement?.localName.toLowerCase() !== 'clippath',
  );
  const numbers = shapes.flatMap((shape) => {
    const d = shape.getAttribute('d');
    if (d)
      return [...d.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map((match) => [
        Number(match[1]),
        Number(match[2]),
      ]);
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
  const box =
    numbers.length === 0
      ? []
      : [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  return {
    mark: group.getAttribute('aria-label')!,
    // A clipped mark has its attributes on a group within.
    stroke:
      group.getAttribute('stroke') ??
      group.querySelector('g[stroke]')?.getAttribute('stroke') ??
      null,
    points: numbers.length,
    box: box.map((value) => Math.round(value)),
  };
}

const draw = (number: number, theme = LIGHT) => {
  const figure = FIGURES.find((candidate) => candidate.number === number)!;
  const drawn = figure.draw(runs[figure.preset], theme);
  return composeSvg(`Figure ${number}. ${drawn.title}`, drawn, theme);
};

describe.each([1, 2, 3, 4, 5])('figure %i', (number) => {
  const light = draw(number);

  test('its data marks', () => {
    expect(dataMarks(light)).toMatchSnapshot();
  });

  test('differs in nothing but colours in the dark', () => {
    const shape = (svg: string) =>
      dataMarks(svg).map(({ mark, points, box }) => ({ mark, points, box }));
    expect(shape(draw(number, DARK))).toEqual(shape(light));
    expect(draw(number, DARK)).toContain(DARK.background);
  });

  test('says its parameters, names its axes, and describes itself', () => {
    const document = new DOMParser().parseFromString(light, 'image/svg+xml');
    const words = document.documentElement.textContent!.replaceAll('\u00a0', ' ');
    expect(words).toContain(`Figure ${number}. `);
    for (const parameter of [
      'λ₁ = 100',
      'λ₂ = 0.01',
      number === 3 ? 'η = 1/12' : 'η = 1/20',
      '(0.3, 0.1, 0.3)',
    ]) {
      expect(words).toContain(parameter);
    }
    expect(words).toMatch(/step t|weight β₂/);
    expect(light).toContain('role="img"');
    expect(light).not.toMatch(/NaN|undefined|<style|currentcolor/);
  });

  test('every curve stays within its panel, without being cut', () => {
    for (const { box, frame } of framedMarks(light)) {
      expect(box[0]).toBeGreaterThanOrEqual(frame[0]! - 1);
      expect(box[1]).toBeGreaterThanOrEqual(frame[1]! - 1);
      expect(box[2]).toBeLessThanOrEqual(frame[2]! + 1);
      expect(box[3]).toBeLessThanOrEqual(frame[3]! + 1);
    }
  });
});

/** The marks of data with the frame of their panel, having seen that they are clipped to it. */
function framedMarks(
  svg: string,
): { mark: string; box: readonly number[]; frame: readonly number[] }[] {
  const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
  return [...document.querySelectorAll('svg svg')].flatMap((panel) => {
    const frames = [...panel.querySelectorAll('clipPath rect')].map((rect) => {
      const [x, y, w, h] = ['x', 'y', 'width', 'height'].map((name) =>
        Number(rect.getAttribute(name)),
      );
      return [x!, y!, x! + w!, y! + h!];
    });
    const frame = frames[0]!;
    for (const other of frames) expect(other).toEqual(frame);
    return [...panel.querySelectorAll(DATA_MARKS)].flatMap((group) => {
      const mark = group.getAttribute('aria-label')!;
      // Dots are whole, also those at an edge.
      if (mark !== 'dot')
        expect(group.getAttribute('clip-path'), `${mark} is clipped`).toMatch(/^url\(#clip-\d\)$/);
      const { box } = markOf(group);
      return box.length === 0 ? [] : [{ mark, box, frame }];
    });
  });
}

/** Runs that are not the presets. */
const odd = {
  'a run that diverges': await run({ floor: 0 }),
  'one that diverges at once': await run({ eta: 0.5, floor: 0 }),
  'one past the saddle': await run({ init: [-0.3, -0.1, 0.3], steps: 20_000 }),
  mirrored: await run({ init: [-0.3, 0.1, -0.3], steps: 5000 }),
  'one with covariance': await run({ samples: 1000, seed: 3, steps: 4000 }),
  'one to the saddle': await run({ init: [0.3, 0, -0.3], floor: 0, steps: 300 }),
  'λ₁ < λ₂': await run({ lambda1: 1, lambda2: 3, eta: 0.5, steps: 500 }),
  'gradient flow': await run({ preset: 'gradient-flow' }),
  'a start beyond the edge': await run({ init: [0.8, 0.1, 0.7], steps: 1000 }),
  'one step': await run({ steps: 1 }),
  'one row': await run({ steps: 0 }),
  'one row, diverged at 1': await run({ eta: 5, init: [8, 5, 3], floor: 0 }),
};

describe.each(Object.entries(odd))('figures of %s', (name, table) => {
  test.each(FIGURES.map((figure) => [figure.number, figure] as const))(
    'figure %i',
    async (number, figure) => {
      const problem = figure.unfit?.(table);
      if (problem !== undefined) {
        expect(problem).toMatch(/covariance 0 only|a single row/);
        expect(number === 5 || table.length === 1).toBe(true);
        return;
      }
      const drawn = figure.draw(table, LIGHT);
      const svg = composeSvg(`Figure ${number}. ${drawn.title}`, drawn, LIGHT);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      const framed = framedMarks(svg);
      expect(framed.length).toBeGreaterThan(0);
      // Nothing is far from its frame either, where renderers fail; and the line of 2/η is in it.
      for (const { box, frame, mark } of framed) {
        const [width, height] = [frame[2]! - frame[0]!, frame[3]! - frame[1]!];
        const room = mark === 'rule' ? [1, 1] : [width, height];
        expect(box[0], mark).toBeGreaterThanOrEqual(frame[0]! - room[0]!);
        expect(box[1], mark).toBeGreaterThanOrEqual(frame[1]! - room[1]!);
        expect(box[2], mark).toBeLessThanOrEqual(frame[2]! + room[0]!);
        expect(box[3], mark).toBeLessThanOrEqual(frame[3]! + room[1]!);
      }
      expect((await renderPng(svg)).length).toBeGreaterThan(1000);
      const document = new DOMParser().parseFromString(svg, 'image/svg+xml');
      const ticks = document.querySelectorAll('[aria-label="y-axis tick label"] text');
      for (const label of ticks)
        expect(label.textContent!.length, `${name}: ${label.textContent}`).toBeLessThanOrEqual(9);
    },
  );
});

describe('titles and captions say only what is true of the run', () => {
  const words = (number: number, table: RunTable) => {
    const { title, caption } = FIGURES[number - 1]!.draw(table, LIGHT);
    return `${title} | ${caption}`.replaceAll('\u00a0', ' ');
  };

  test('of the preset', () => {
    expect(words(1, runs.paper)).toContain('Progressive sharpening, then the edge of stability');
    expect(words(1, runs.paper)).toMatch(
      /rises to 2\/η; it goes over 25 times, and .*brought back.*loss spikes.*the loss falls/,
    );
    expect(words(2, runs.paper)).toContain('near zero but for spikes');
    expect(words(3, runs.figure3)).toContain('Each spike lowers the sharpness');
    expect(words(5, runs.paper)).toContain(
      'follows the flow to the edge, then the constrained trajectory',
    );
    expect(words(5, runs.paper)).toMatch(
      /oscillates around it\. Gradient flow leaves the stable set/,
    );
  });

  test('of a run that diverges', () => {
    const table = odd['a run that diverges'];
    const at = `diverges at step ${table.divergedAt!.toLocaleString('en-US')}`;
    for (const number of [1, 3, 4, 5]) expect(words(number, table)).toContain(at);
    for (const number of [1, 2, 3, 4, 5]) {
      expect(words(number, table)).not.toMatch(
        /in the long run|then the edge|Each spike|oscillates around|that converges|until the minimizer/,
      );
    }
  });

  test('of one whose constrained trajectory goes to the saddle', () => {
    const said = words(5, odd['one past the saddle']);
    expect(said).not.toMatch(/then the constrained|oscillates around/);
    expect(said).toContain('Here it ends near the saddle α = β₂ = 0.');
  });

  test('of others', () => {
    expect(words(2, odd.mirrored)).toContain('½λ₂(−α̂β₂ − 1)²');
    expect(words(2, odd['one past the saddle'])).toContain('½λ₂(sign(α)α̂β₂ − 1)²');
    expect(words(1, odd['a start beyond the edge'])).toContain('at or over 2/η from the start');
    expect(words(1, odd['gradient flow'])).toContain('never comes to 2/η.');
    expect(words(4, odd['one to the saddle'])).toContain('to the saddle α = β₂ = 0');
    expect(words(4, odd['one row'])).toContain(
      '0 steps. Gradient flow from the start of the run, to its minimizer',
    );
    expect(words(4, odd['one row'])).toContain('from the start |');
    expect(words(1, odd['one step'])).toContain('1 step;');
    expect(words(1, odd['a start beyond the edge'])).toMatch(
      /^Training loss and sharpness \|.*it goes over once, and is brought back/,
    );
    expect(words(5, odd['λ₁ < λ₂'])).toContain('here it is not');
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
      spikes[t]! >
        Math.max(...spikes.subarray(Math.max(t - 100, 0), t), ...spikes.subarray(t + 1, t + 100));
    if (isTop)
      expect(
        Math.min(...ys.map((y) => Math.abs(y - drawnAt(spikes[t]!)))),
        `spike at ${t}`,
      ).toBeLessThan(0.5);
  }
});

describe.each(['paper', 'figure3', 'three-phases', 'plain'] as const)(
  'bounds of S∞ on %s',
  (preset) => {
    const table = run({ preset });

    test('S∞ never comes over what it could rise to, and ends where it had to fall', async () => {
      const { upper, lower } = solutionBounds(await table);
      const end = (await table).column('gfs_sharpness');
      let least = Number.POSITIVE_INFINITY;
      for (let t = 0; t < end.length; t++) {
        // What was said at any earlier step binds it still.
        expect(end[t]! <= least * (1 + 1e-12), `step ${t}`).toBe(true);
        expect(end[t]! >= lower[t]!, `step ${t}`).toBe(true);
        least = Math.min(least, upper[t]!);
      }
      expect(upper).toEqual(upper.slice().sort((a, b) => b - a));
      // Where it is said anew it is close; from there to the next crossing a spike lowers S∞
      // further.
      const said = upper.map((value, t) => (value === upper[t - 1] ? 0 : value / end[t]! - 1));
      expect(Math.max(...said)).toBeLessThan(0.05);
    });
  },
);

test('the bounds of a step do not know what comes after it', async () => {
  const [whole, part] = [
    await run({ preset: 'figure3' }),
    await run({ preset: 'figure3', steps: 900 }),
  ];
  const [all, some] = [solutionBounds(whole), solutionBounds(part)];
  expect(some.upper).toEqual(all.upper.slice(0, 901));
  expect(some.lower).toEqual(all.lower.slice(0, 901));
});

test('at least 12 flows reach a minimizer of their own on αβ₂ = 1', () => {
  const ends = flowsFrom(runs.paper, 16).flatMap(({ end }) => (end ? [end] : []));
  for (const { alpha, beta2 } of ends) expect(alpha * beta2).toBeCloseTo(1, 9);
  expect(new Set(ends.map(({ alpha }) => alpha.toFixed(3))).size).toBeGreaterThanOrEqual(12);
  const alphaHat = edgeAlpha(100, 1 / 20, gd.stability({}));
  for (const { alpha } of ends) expect(alpha).toBeGreaterThan(alphaHat);
});

test('lines break between words, and never where a space does not allow it', () => {
  expect(wrap('one two\u00a0=\u00a0three four', 9)).toEqual([
    'one',
    'two\u00a0=\u00a0three',
    'four',
  ]);
});

describe('a line is cut where it leaves its frame', () => {
  const within = (points: readonly (readonly [number, number])[]) => {
    const { x, y } = cut(
      { x: points.map(([px]) => px), y: points.map(([, py]) => py) },
      [0, 10],
      [0, 10],
    );
    return Array.from(x, (px, i) => [px, y[i]!]);
  };

  test('not at all where it stays', () => {
    const points = { x: [0, 5, 10], y: [0, 10, 3] };
    expect(cut(points, [0, 10], [0, 10])).toBe(points);
  });

  test('along its own straight line, and taken up where it comes back', () => {
    expect(
      within([
        [5, 5],
        [5, 1e9],
        [6, 1e9],
        [6, 5],
      ]),
    ).toEqual([
      [5, 5],
      [5, expect.closeTo(15, 6)],
      [Number.NaN, Number.NaN],
      [6, expect.closeTo(15, 6)],
      [6, 5],
    ]);
  });

  test('nothing is left of one that passes by, and a segment across is kept', () => {
    expect(
      within([
        [20, 20],
        [30, 25],
      ]),
    ).toEqual([]);
    expect(
      within([
        [-1e6, 5],
        [1e6, 5],
      ]).filter(([x]) => !Number.isNaN(x)),
    ).toEqual([
      [expect.closeTo(-5, 6), 5],
      [expect.closeTo(15, 6), 5],
    ]);
  });
});
