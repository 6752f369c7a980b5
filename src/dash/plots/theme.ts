import * as Plot from '@observablehq/plot';

/**
 * Colours of what is drawn, light and dark; each stands for one thing on the page and in figures.
 * Hues of Okabe and Ito, which people with any common colour blindness tell apart, until they stand
 * out 3:1 from the ground. What a map tells of runs, from sharpening to diverged, differs in
 * lightness as well, so that it is told apart without colours too.
 */
const COLORS = {
  sharpness: ['#0072b2', '#56b4e9'],
  solution: ['#6f2459', '#b5589a'],
  loss: ['#4a5568', '#b6c2d2'],
  oscillating: ['#c2410c', '#ff9a5c'],
  convergent: ['#00795b', '#2ec99c'],
  surrogate: ['#5b4bb7', '#a99bff'],
  alpha: ['#8f4a3a', '#e0a08f'],
  beta2: ['#d1447a', '#ffb3cc'],
  batch: ['#6f7400', '#d6dc5a'],
  threshold: ['#8a6100', '#f0c14b'],
  flow: ['#6f2459', '#b5589a'],
  constrained: ['#1a212b', '#eceff3'],
  central: ['#0b7285', '#4fc9da'],
  sharpening: ['#7595be', '#7d9cc4'],
  edge: ['#9a6b08', '#dcae3c'],
  stabilizing: ['#5e3b00', '#a8791f'],
  convergence: ['#43601a', '#b9dc7e'],
  catapult: ['#c2255c', '#ff8fab'],
  diverged: ['#22262d', '#eef1f5'],
  unknown: ['#b9c0ca', '#565f6c'],
  other: ['#7d8899', '#7d8899'],
  run1: ['#0072b2', '#56b4e9'],
  run2: ['#c2410c', '#ff9a5c'],
  run3: ['#00795b', '#2ec99c'],
  run4: ['#9c3d7d', '#e58fc6'],
  run5: ['#8a6100', '#f0c14b'],
  run6: ['#5b4bb7', '#a99bff'],
  run7: ['#4d5b2f', '#b9cf86'],
  run8: ['#57534e', '#b8b2aa'],
} as const satisfies Readonly<Record<string, readonly [light: string, dark: string]>>;

export type ColorName = keyof typeof COLORS;

/** Colours by what they stand for, and those of the ground, of letters, axes and grid lines. */
export type Theme = Readonly<
  Record<ColorName | 'background' | 'text' | 'muted' | 'grid' | 'shade', string>
>;

const names = Object.keys(COLORS) as ColorName[];
const colors = (of: (name: ColorName) => string) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<ColorName, string>;

export const LIGHT: Theme = {
  background: '#ffffff',
  text: '#1a1d21',
  muted: '#555b63',
  grid: '#e3e6ea',
  shade: '#dfecf6',
  ...colors((name) => COLORS[name][0]),
};

export const DARK: Theme = {
  background: '#14171b',
  text: '#eceff3',
  muted: '#aab2bd',
  grid: '#2c323a',
  shade: '#20303d',
  ...colors((name) => COLORS[name][1]),
};

/**
 * On the page, which is light or dark as its reader wishes, colours are variables of its
 * stylesheet.
 */
export const PAGE: Theme = {
  background: 'var(--panel)',
  text: 'var(--text)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  shade: 'var(--accent-soft)',
  ...colors((name) => `var(--${name})`),
};

/** Colours of the ramp of ordered values. */
const RAMP = 33;

/** Gives an element the variables that `PAGE` and `rampColor` name. */
export function setColors(style: CSSStyleDeclaration): void {
  const viridis = Plot.scale({ color: { type: 'linear', domain: [0, 1], scheme: 'viridis' } })!;
  for (let i = 0; i < RAMP; i++) {
    const share = i / (RAMP - 1);
    // Neither end is lost on a light or a dark ground.
    const [light, dark] = [viridis.apply(0.82 * share), viridis.apply(0.3 + 0.7 * share)];
    style.setProperty(`--ramp${i}`, `light-dark(${light}, ${dark})`);
  }
  for (const name of names)
    style.setProperty(`--${name}`, `light-dark(${COLORS[name][0]}, ${COLORS[name][1]})`);
}

/** Colour of a value on the page, at its share of the way from the lowest to the highest. */
export const rampColor = (share: number): string => `var(--ramp${Math.round(share * (RAMP - 1))})`;

const RUNS = 8;

/** Colour of the run in a slot, where colours tell runs apart. */
export const runColor = (theme: Theme, slot: number): string =>
  theme[`run${(slot % RUNS) + 1}` as ColorName];

const PHASES: Readonly<Record<string, readonly [name: string, color: ColorName]>> = {
  'progressive-sharpening': ['progressive sharpening', 'sharpening'],
  'edge-of-stability': ['edge of stability', 'edge'],
  'eos-sharpening': ['edge of stability: sharpening', 'edge'],
  'eos-self-stabilization': ['edge of stability: self-stabilization', 'stabilizing'],
  convergence: ['convergence', 'convergence'],
  catapult: ['catapult', 'catapult'],
  diverged: ['diverged', 'diverged'],
};

/** A phase's name for people; foreign words stay as they are. */
export const phaseName = (word: string): string => PHASES[word]?.[0] ?? word;

export const phaseColor = (theme: Theme, word: string): string =>
  theme[PHASES[word]?.[1] ?? 'other'];

const DYNAMICS: Readonly<Record<string, readonly [color: ColorName, dash: string]>> = {
  'gradient-flow': ['flow', '7 3'],
  constrained: ['constrained', '4 3'],
  central: ['central', '9 3 2 3'],
  edge: ['edge', '2 3'],
};

/**
 * How a dynamics beside a run is drawn; those without a look of their own take one by their place.
 */
export function dynamicsLook(theme: Theme, name: string, place: number) {
  const [color, dash] = DYNAMICS[name] ?? ([`run${(place % RUNS) + 1}`, '1 2'] as const);
  return { color: theme[color as ColorName], dash };
}
