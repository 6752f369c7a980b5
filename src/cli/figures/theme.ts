/** Colours of a figure. Curves also differ in dash and width, so that no figure depends on telling colours apart. */
export interface Theme {
  readonly name: 'light' | 'dark';
  readonly background: string;
  readonly text: string;
  /** Captions, axes and ticks. */
  readonly muted: string;
  readonly grid: string;
  /** Hues of Okabe and Ito, which people with any common colour blindness tell apart; lighter on a dark ground. */
  readonly blue: string;
  readonly orange: string;
  readonly green: string;
  readonly pink: string;
  readonly shade: string;
}

export const LIGHT: Theme = {
  name: 'light',
  background: '#ffffff',
  text: '#1a1d21',
  muted: '#555b63',
  grid: '#e3e6ea',
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#007f5f',
  pink: '#b0508a',
  shade: '#dfecf6',
};

export const DARK: Theme = {
  name: 'dark',
  background: '#14171b',
  text: '#eceff3',
  muted: '#aab2bd',
  grid: '#2c323a',
  blue: '#56b4e9',
  orange: '#f09a3e',
  green: '#35c79b',
  pink: '#e39ac4',
  shade: '#20303d',
};

/** The font that comes with the package, and what viewers without it take. */
export const FONT = "'Source Sans 3', 'Source Sans Pro', system-ui, sans-serif";
