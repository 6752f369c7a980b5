import type * as Plot from '@observablehq/plot';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import type { Theme } from './theme.ts';

/** Plot, loaded only where figures are drawn. */
export type PlotModule = typeof Plot;

/** What a curve or mark of a panel stands for. */
export interface LegendItem {
  readonly label: string;
  readonly color: string;
  readonly kind: 'line' | 'dot' | 'area';
  readonly dash?: string;
  readonly width?: number;
}

/** One plot of a figure, without its size. */
export interface Panel {
  readonly title: string;
  readonly legend: readonly LegendItem[];
  readonly options: Plot.PlotOptions;
}

/** A figure as it is to be drawn in some theme. */
export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly panels: readonly Panel[];
}

/** A figure of the paper: which run it is of, and how it is drawn. */
export interface FigureSpec {
  readonly number: number;
  /** The preset it is of, unless another run is given. */
  readonly preset: 'paper' | 'figure3';
  /** Why it cannot be drawn of that run; undefined where it can. */
  readonly unfit?: (table: RunTable) => string | undefined;
  readonly draw: (table: RunTable, theme: Theme, plot: PlotModule) => Figure;
}

/** Pixel columns of a panel, and twice as many points as a printed one has. */
export const COLUMNS = 900;
