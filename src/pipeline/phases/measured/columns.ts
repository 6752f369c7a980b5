import type { Column } from '../../core/schema.ts';
import { PHASES, REGIMES } from '../../models/minimal/columns.ts';

/** Regimes of a log: those of a run, and `unknown` before the first measurement. */
export const MEASURED_REGIMES = [...REGIMES, 'unknown'] as const;

/** Phases of a log: those of a run first, with the same codes. */
export const MEASURED_PHASES = [...PHASES, 'catapult', 'diverged', 'flat', 'descent'] as const;
export type MeasuredPhase = (typeof MEASURED_PHASES)[number];

/**
 * The columns of the file that `eos detect` writes, named as in a run file where they mean the
 * same.
 */
export const MEASURED_COLUMNS = [
  {
    name: 'step',
    type: 'INT64',
    symbol: 't',
    unit: 'steps',
    meaning: 'training step, as the log counts it',
  },
  {
    name: 'eta',
    type: 'DOUBLE',
    symbol: 'η',
    unit: '1',
    meaning: 'learning rate at the step; none where unknown',
    nullable: true,
  },
  {
    name: 'loss',
    type: 'DOUBLE',
    symbol: 'L',
    unit: '1',
    meaning: 'training loss; none where missing, Infinity where it was not finite',
    nullable: true,
  },
  {
    name: 'sharpness',
    type: 'DOUBLE',
    symbol: 'S',
    unit: '1',
    meaning:
      'largest eigenvalue of the (preconditioned) Hessian, or the batch sharpness where the ' +
      'log has it for SGD; none where it was not measured',
    nullable: true,
  },
  {
    name: 'threshold',
    type: 'DOUBLE',
    symbol: 'τ',
    unit: '1',
    meaning:
      'largest stable sharpness of the optimizer at η, 2/η for gradient descent; none where ' +
      'unknown',
    nullable: true,
  },
  {
    name: 'sharpness_ratio',
    type: 'DOUBLE',
    symbol: 'S/τ',
    unit: '1',
    meaning: 'sharpness over threshold; none where not measured',
    nullable: true,
  },
  {
    name: 'regime',
    type: 'STRING',
    symbol: '',
    unit: '',
    meaning:
      'stable, edge or unstable: the ratio last measured against 1 ∓ band; unknown before the ' +
      'first',
    words: MEASURED_REGIMES,
  },
  {
    name: 'phase',
    type: 'STRING',
    symbol: '',
    unit: '',
    meaning:
      'as known at that step: a phase of a run, or catapult, diverged, flat (no sharpening), ' +
      'descent (loss alone known)',
    words: MEASURED_PHASES,
  },
  {
    name: 'cycle',
    type: 'INT32',
    symbol: '',
    unit: 'cycles',
    meaning: 'upward crossings of the threshold so far, noise allowed for',
  },
] as const satisfies readonly Column[];

/** What a log may tell of its measurements besides: columns of the file where the log has them. */
export const MEASUREMENT_COLUMNS = [
  {
    name: 'sharpness_error',
    type: 'DOUBLE',
    symbol: 'ΔS',
    unit: '1',
    meaning: 'error bar of the sharpness, as the log has it',
    nullable: true,
  },
  {
    name: 'l1',
    type: 'DOUBLE',
    symbol: 'L₁',
    unit: '1',
    meaning: 'energy of the oscillation in directions at the edge, as the log has it',
    nullable: true,
  },
  {
    name: 'l1_leading',
    type: 'DOUBLE',
    symbol: '',
    unit: '1',
    meaning: 'the part of l1 in the direction that holds most of it, as the log has it',
    nullable: true,
  },
  {
    name: 'edge_directions',
    type: 'DOUBLE',
    symbol: '',
    unit: 'directions',
    meaning: 'number of directions at the edge, as the log has it',
    nullable: true,
  },
] as const satisfies readonly Column[];

export type MeasuredColumn = (typeof MEASURED_COLUMNS)[number]['name'];

type ColumnOf<Name> = Extract<(typeof MEASURED_COLUMNS)[number], { readonly name: Name }>;

/** The columns of these names. */
export function measuredColumns<const Names extends readonly MeasuredColumn[]>(
  ...names: Names
): { readonly [K in keyof Names]: ColumnOf<Names[K]> } {
  return names.map((name) => MEASURED_COLUMNS.find((column) => column.name === name)) as {
    readonly [K in keyof Names]: ColumnOf<Names[K]>;
  };
}
