import type { TableClient } from './load/client.ts';
import type { Row, TableInfo } from './load/protocol.ts';
import type { Interval } from './plots/phase-strip.ts';
import { PAGE } from './plots/theme.ts';
import type { RunFigures } from './plots/time-series.ts';
import type { Place, XAxis, XName } from './plots/x-axis.ts';
import type { RunFacts } from './runs/facts.ts';
import type { ListedRun } from './runs/run-list.ts';
import type { Store } from './store.ts';

/** One run on the page. */
export interface Run {
  readonly id: number;
  readonly name: string;
  /** Its link as it stands in the URL; a dropped file has none. */
  readonly link: string | undefined;
  /** Where it was chosen from. */
  readonly source: ListedRun;
  /** Which of the run colours is its. */
  readonly slot: number;
  readonly client: TableClient;
  /** Whoever serves the file says that it is still being written. */
  readonly writing: boolean;
  /** How fast it grows, and since when it does not, while it is being written. */
  readonly pace: Pace;
  readonly info: TableInfo;
  readonly facts: RunFacts;
  /** Its phases: fine ones of a model, and of a log those that are dated in the end. */
  readonly phases: readonly Interval[];
  /** What was known of them at each step, where that is not the same. */
  readonly knownPhases?: readonly Interval[] | undefined;
  /** What plots say of it besides its columns. */
  readonly figures: RunFigures;
  /** Files of other dynamics from the same start. */
  readonly dynamics: readonly DynamicsFile[];
}

export interface Pace {
  /** Steps a second; undefined until it is known. */
  readonly rate?: number | undefined;
  /** When its last rows came, in milliseconds. */
  readonly grownAt: number;
}

/** The file of a dynamics beside a run. */
export interface DynamicsFile {
  readonly name: string;
  readonly client: TableClient;
  readonly info: TableInfo;
}

/** What the panels see of the page. */
export interface App {
  readonly store: Store;
  runs(): readonly Run[];
  /** The colour that tells a run from others. */
  color(run: Run): string;
  /** What the runs are drawn over. */
  axis(): XAxis;
  /** Draws over another axis, the same steps of the first run if it has a place on both. */
  over(axis: XName): void;
  /** Where a run stands on it; undefined where it has no place there. */
  place(run: Run): Place | undefined;
  /** All positions of all runs. */
  fullRange(): readonly [number, number];
  /** The positions shown: what the view asks for as far as the runs have it. */
  range(): readonly [number, number];
  /** The fewest positions that a zoom shows. */
  least(): number;
  /** The steps of a run that are shown. */
  steps(run: Run): readonly [number, number];
  /** Whether less than all steps is shown. */
  zoomed(): boolean;
  /** The row under the crosshair in each run that has one there, once it is read. */
  rows(): ReadonlyMap<number, Row>;
  /** Shows these positions, or all. */
  zoom(range: readonly [number, number] | null): void;
  /** Shows these steps of a run. */
  zoomTo(run: Run, steps: readonly [number, number]): void;
  /** Puts the crosshair there; the number of a step is whole. */
  point(position: number): void;
  /** Where the crosshair is. */
  cursor(): number | null;
  /** What a drawing reads, once those that are drawn in the same frame have read theirs. */
  gather<T>(reading: Promise<T>): Promise<T>;
  announce(text: string): void;
  showTip(tip: Tip | null): void;
}

/** The tooltip: at a place of the window, lines of text with a colour. */
export interface Tip {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly lines: readonly {
    readonly label: string;
    readonly value: string;
    readonly exact?: string;
    readonly color?: string;
  }[];
}

/** A box of the page. */
export interface Panel {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** Columns that it draws. */
  readonly needs: readonly string[];
  /** Few runs have it, so that nobody misses it. */
  readonly optional?: boolean | undefined;
  /** Whether there is anything to show of a run. */
  shows(run: Run): boolean;
  /** Whether the drawing found nothing but nulls in those columns. */
  empty?(): boolean;
  draw(): Promise<void>;
  /** Follows the crosshair. */
  follow(): void;
}

export const hasColumns = (
  { info }: { readonly info: TableInfo },
  columns: readonly string[],
): boolean => columns.every((column) => info.columns.some(({ name }) => name === column));

/** The row nearest to the crosshair among those of all runs: what its step is, and where it is. */
export function rowUnder(app: App): (Row & { readonly position: number }) | undefined {
  const cursor = app.cursor();
  if (cursor === null) return undefined;
  const found = app.runs().flatMap((run) => {
    const row = app.rows().get(run.id);
    const position = row && app.place(run)?.at(row.step);
    return row && position !== undefined ? [{ ...row, position }] : [];
  });
  const away = ({ position }: { readonly position: number }) => Math.abs(position - cursor);
  return found.reduce<(typeof found)[number] | undefined>(
    (best, row) => (best && away(best) <= away(row) ? best : row),
    undefined,
  );
}

/** Where the crosshair stands: at the row that it is nearest to. */
export const crosshairAt = (app: App): number | null => rowUnder(app)?.position ?? app.cursor();

/** How to draw on the page at a size. */
export const pageLook = (width: number, height: number) => ({
  document,
  theme: PAGE,
  width: Math.max(160, width),
  height,
});

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
