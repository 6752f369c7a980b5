import type { TableClient } from './load/client.ts';
import type { RunFacts } from './load/facts.ts';
import type { Interval, Row, TableInfo } from './load/protocol.ts';
import type { Store } from './store.ts';

/** One run on the page. */
export interface Run {
  readonly id: number;
  readonly name: string;
  /** Its link as it stands in the URL; a dropped file has none. */
  readonly link: string | undefined;
  /** Which of the run colours is its. */
  readonly slot: number;
  readonly client: TableClient;
  /** Whoever serves the file says that it is still being written. */
  readonly writing: boolean;
  readonly info: TableInfo;
  readonly facts: RunFacts;
  /** Phases from the file's own column, fine ones. */
  readonly phases: readonly Interval[];
  /** Values of a few columns at the first step at the edge (or else the first of all), where derived lines begin. */
  readonly anchors: ReadonlyMap<string, number>;
  /** Trajectories beside the run: gradient flow, constrained, central. */
  readonly companions: readonly Companion[];
}

export interface Companion {
  readonly kind: CompanionKind;
  readonly client: TableClient;
  readonly info: TableInfo;
}

export const COMPANIONS = ['gradient-flow', 'constrained', 'central'] as const;
export type CompanionKind = (typeof COMPANIONS)[number];

/** What the panels see of the page. */
export interface App {
  readonly store: Store;
  runs(): readonly Run[];
  /** All steps of all runs. */
  fullRange(): readonly [number, number];
  /** The steps shown: what the view asks for as far as the runs have it. */
  range(): readonly [number, number];
  /** Whether less than all steps is shown. */
  zoomed(): boolean;
  /** The row under the crosshair in each run that has one there, once it is read. */
  rows(): ReadonlyMap<number, Row>;
  /** Sets the range within the run, or resets it. */
  zoom(range: readonly [number, number] | null): void;
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
  /** Whether there is anything to show of a run. */
  shows(run: Run): boolean;
  /** Whether the drawing found nothing but nulls in those columns. */
  empty?(): boolean;
  draw(): Promise<void>;
  /** Follows the crosshair. */
  follow(): void;
}

export const hasColumns = (run: Run, columns: readonly string[]): boolean =>
  columns.every((column) => run.info.columns.some(({ name }) => name === column));

/** The row nearest to the crosshair among those of all runs: what its step is. */
export function rowUnder(app: App): Row | undefined {
  const { cursor } = app.store.get();
  if (cursor === null) return undefined;
  const away = ({ step }: Row) => Math.abs(step - cursor);
  return [...app.rows().values()].reduce<Row | undefined>(
    (best, row) => (best && away(best) <= away(row) ? best : row),
    undefined,
  );
}

export const runColor = (run: Run): string => `var(--run-${(run.slot % 8) + 1})`;
