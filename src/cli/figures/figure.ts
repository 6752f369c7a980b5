import type { Look } from '../../dash/plots/draw.ts';
import type { Theme } from '../../dash/plots/theme.ts';
import type { RunColumn } from '../../pipeline/models/minimal/columns.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';

/** The font that comes with the package, and what viewers without it take. */
export const FONT = "'Source Sans 3', 'Source Sans Pro', system-ui, sans-serif";

/** What a line or mark of a panel stands for. */
export interface LegendItem {
  readonly label: string;
  readonly color: string;
  readonly kind: 'line' | 'dot' | 'area';
  readonly dash?: string;
  readonly width?: number;
  /** Colours of a ramp, from low to high. */
  readonly colors?: readonly string[];
}

/** One plot of a figure, drawn to any size. */
export interface Panel {
  readonly title: string;
  readonly legend: readonly LegendItem[];
  readonly draw: (look: Look) => SVGSVGElement;
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
  /** The columns that it draws, or draws from. */
  readonly needs: readonly RunColumn[];
  /** Why it cannot be drawn of a run that has these columns; undefined where it can. */
  readonly unfit?: (table: RunTable) => string | undefined;
  readonly draw: (table: RunTable, theme: Theme) => Figure;
}

/** Why no line can be drawn of a run: it is a point. */
export function tooShort({ length }: RunTable): string | undefined {
  return length < 2 ? 'the run has a single row, and a line takes two' : undefined;
}
