import type { LabConfig } from './lab-models.ts';
import type { LabOptions } from './lab-parameters.ts';

/** How the run stands, told to the page as it goes. */
export interface LabStatus {
  readonly config: LabConfig;
  readonly step: number;
  readonly divergedAt: number | null;
  readonly changes: readonly number[];
  readonly playing: boolean;
  /** Steps a second, as measured; 0 while it stands. */
  readonly rate: number;
  /** What happens, in words. */
  readonly text: string;
}

/** Until when a run plays: for ever, for one step, to the next peak of L₁, or to a step. */
export type Until = 'stopped' | 'step' | 'spike' | number;

/** What the page asks of the worker of the lab, besides the questions about a table. */
export interface LabApi {
  /** @throws ConfigError whose message names what cannot be used */
  start(options: LabOptions, from?: string): Promise<LabStatus>;
  change(options: LabOptions): Promise<LabStatus>;
  undo(): Promise<LabStatus>;
  /** Plays at so many steps a second; a speed of 0 stands still. */
  play(speed: number, until: Until): Promise<LabStatus>;
  checkpoint(): Promise<string>;
  /**
   * The Parquet file of `eos stream` with these parameters, up to the step where the run stands.
   */
  save(): Promise<ArrayBuffer>;
}

export const LAB_METHODS = ['start', 'change', 'undo', 'play', 'checkpoint', 'save'] as const;
