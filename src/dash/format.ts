/** A number for reading: six significant digits, powers of ten where they are shorter. */
export function formatNumber(value: number, digits = 6): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return formatCount(value);
  const text =
    size >= 1e6 || size < 1e-3 ? value.toExponential(digits - 1) : value.toPrecision(digits);
  return text
    .replace(/(\.\d*?)0+(e|$)/, '$1$2')
    .replace(/\.(e|$)/, '$1')
    .replaceAll('-', '−')
    .replace('e+', 'e');
}

/** A whole number with narrow spaces between thousands, at which no line breaks. */
export function formatCount(value: number): string {
  return String(value)
    .replace(/\B(?=(\d{3})+$)/g, '\u202f')
    .replace('-', '−');
}

/** How many of something, in the words that go with one and with many. */
export const counted = (count: number, noun: string): string =>
  `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Bytes for reading. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Letters at the end of a long name that stay: they often tell runs apart. */
const NAME_END = 13;
const LONG_NAME = 28;

/** A name in two parts, of which the first may be cut off where there is no room. */
export function nameParts(name: string): readonly [string, string] {
  const letters = [...name];
  const end = letters.length > LONG_NAME ? NAME_END : 0;
  return [
    letters.slice(0, letters.length - end).join(''),
    letters.slice(letters.length - end).join(''),
  ];
}

/** A name shortened in its middle. */
export function shortName(name: string): string {
  const [start, end] = nameParts(name);
  return end === '' ? start : `${[...start].slice(0, LONG_NAME - NAME_END - 1).join('')}…${end}`;
}

const PHASE_NAMES: Readonly<Record<string, string>> = {
  'progressive-sharpening': 'progressive sharpening',
  'edge-of-stability': 'edge of stability',
  'eos-sharpening': 'edge of stability: sharpening',
  'eos-self-stabilization': 'edge of stability: self-stabilization',
  convergence: 'convergence',
};

/** A phase's name for people; foreign words stay as they are. */
export const phaseName = (word: string): string => PHASE_NAMES[word] ?? word;

/** The coarse phase of a step's fine one. */
export const coarsePhase = (word: string): string =>
  word.startsWith('eos-') ? 'edge-of-stability' : word;

const PHASE_COLORS: Readonly<Record<string, string>> = {
  'progressive-sharpening': 'var(--phase-sharpening)',
  'edge-of-stability': 'var(--phase-edge)',
  'eos-sharpening': 'var(--phase-edge)',
  'eos-self-stabilization': 'var(--phase-stabilizing)',
  convergence: 'var(--phase-convergence)',
  catapult: 'var(--phase-catapult)',
  diverged: 'var(--phase-diverged)',
};

export const phaseColor = (word: string): string => PHASE_COLORS[word] ?? 'var(--phase-other)';
