import type { Method } from '../load/protocol.ts';
import type { LabConfig } from './lab-models.ts';
import type { LabOptions, Recipe } from './lab-parameters.ts';

/** How the run stands, told to the page as it goes. */
export interface LabStatus {
  readonly config: LabConfig;
  readonly recipe: Recipe;
  readonly step: number;
  readonly divergedAt: number | null;
  /** Whether its last change can be taken back. */
  readonly undoable: boolean;
  readonly playing: boolean;
  /** The dynamics that go along. */
  readonly along: readonly string[];
  /** Steps a second, as measured; 0 while it stands. */
  readonly rate: number;
  /** What happens, in words, and the names of the formulas behind them. */
  readonly text: string;
  readonly formulas: readonly string[];
}

/** Until when a run plays: for ever, for one step, to the next peak of L₁, or to a step. */
export type Until = 'stopped' | 'step' | 'spike' | number;

/** What the page asks of the worker of the lab, besides the questions about a table. */
export interface LabApi {
  /**
   * Computes a run as far as this step, or goes on from where another one stands.
   * @throws ConfigError whose message names what cannot be used
   */
  start(recipe: Recipe, to: number, from?: string): Promise<LabStatus>;
  change(options: LabOptions): Promise<LabStatus>;
  undo(): Promise<LabStatus>;
  /** Plays at so many steps a second; a speed of 0 stands still. */
  play(speed: number, until: Until): Promise<LabStatus>;
  checkpoint(): Promise<string>;
  /** Lets these dynamics go along from where the run began, or was changed last. */
  accompany(names: readonly string[]): Promise<void>;
  /** Asks a question about the table of a dynamics that goes along. */
  ofDynamics(name: string, method: Method, args: readonly unknown[]): Promise<unknown>;
}

/** What the page asks of the worker that saves files. */
export interface SaveApi {
  /**
   * The file of this run up to a step: of `eos stream` where it is one run, else of its segments.
   */
  save(recipe: Recipe, to: number, format: 'parquet' | 'arrow'): Promise<ArrayBuffer>;
}

/** A question about the rows of the run. */
export interface Question {
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** How a run stands behind a change, with answers about its rows. */
export interface Renewed {
  readonly status: LabStatus;
  /** In the order of the questions; none where one cannot be answered. */
  readonly answers: readonly ({ readonly value: unknown } | undefined)[];
}

/** What the worker is sent for it: changes go with what is going to be asked behind them. */
export interface LabWorkerApi extends Omit<LabApi, 'start' | 'change'> {
  start(questions: readonly Question[], ...start: Parameters<LabApi['start']>): Promise<Renewed>;
  change(questions: readonly Question[], options: LabOptions): Promise<Renewed>;
}

export const LAB_METHODS = [
  ...(['start', 'change', 'undo', 'play', 'checkpoint'] as const),
  ...(['accompany', 'ofDynamics'] as const),
];
