import type { Column } from '../../core/schema.ts';

const number = (name: string, symbol: string, meaning: string, nullable = false) =>
  ({
    name,
    type: 'DOUBLE',
    symbol,
    unit: '1',
    meaning,
    ...(nullable ? { nullable } : {}),
  }) as const;

const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈';

/** What the columns of a network depend on. */
export interface NetworkColumnOptions {
  readonly eigenvalues: number;
  readonly batch: number | null;
  readonly classes: boolean;
  /** Whether the optimizer measures in a metric of its own. */
  readonly metric: boolean;
  readonly relu: boolean;
}

/** Whose eigenvalues are measured. */
export const measuredMatrix = (metric: boolean): string =>
  metric ? 'P^(−1/2) H P^(−1/2), H the Hessian and P what the optimizer divides by' : 'the Hessian';

/**
 * The columns that training a network fills by itself; the operators add threshold, ratio, regime,
 * phase and cycle. What was not measured at a step is NaN, and NULL in a file.
 */
export function trainingColumns({
  eigenvalues,
  batch,
  classes,
  metric,
  relu,
}: NetworkColumnOptions): readonly Column[] {
  const matrix = measuredMatrix(metric);
  const note = relu ? ', that of the active pattern of the ReLUs' : '';
  const lower = Array.from({ length: eigenvalues - 1 }, (_, i) =>
    number(
      `sharpness_${i + 2}`,
      `λ${SUBSCRIPTS[i + 2]}`,
      `eigenvalue ${i + 2} of ${matrix}, from the top`,
      true,
    ),
  );
  return [
    { name: 'step', type: 'INT64', symbol: 't', unit: 'steps', meaning: 'step, from 0' },
    number('eta', 'η', 'learning rate of the step that follows'),
    number('loss', 'L', 'training loss, of all samples'),
    number('grad_norm', '‖∇L‖₂', 'Euclidean norm of the gradient of all samples'),
    number('sharpness', 'S', `largest eigenvalue of ${matrix}${note}`, true),
    ...lower,
    number('sharpness_error', 'ΔS', 'bound on the error of the sharpness, from residuals', true),
    number(
      'l1',
      'L₁',
      'energy of the oscillation in directions at the edge, ½ gᵀŪ(ŪᵀHŪ)⁻¹Ūᵀg',
      true,
    ),
    number('l2', 'L₂', 'loss without l1', true),
    number(
      'edge_work',
      'ΔL₁',
      'part of the change of the loss since the row before that lies in directions at the edge; ' +
        'taken where the loss has changed by 0.3 %' +
        (batch === null
          ? ''
          : ', of the step that all samples would have made, less what the batch did by itself'),
      true,
    ),
    {
      name: 'edge_directions',
      type: 'DOUBLE',
      symbol: '',
      unit: 'directions',
      meaning: 'followed eigenvalues over 0.8 of the threshold',
      nullable: true,
    },
    ...(batch === null
      ? []
      : [
          number(
            'batch_sharpness',
            'S_B',
            'mean over the mini-batches of an epoch of gᵀHg/‖g‖², g and H those of the mini-batch',
            true,
          ),
        ]),
    ...(classes ? [number('accuracy', '', 'share of the samples whose class is right')] : []),
  ];
}

/** All columns of a network's run file, in the order in which they stand there. */
export function networkOrder(eigenvalues: number): readonly string[] {
  const lower = Array.from({ length: eigenvalues - 1 }, (_, i) => `sharpness_${i + 2}`);
  return [
    'step',
    'eta',
    'loss',
    'grad_norm',
    'sharpness',
    ...lower,
    'sharpness_error',
    'threshold',
    'sharpness_ratio',
    'regime',
    'l1',
    'l2',
    'edge_work',
    'edge_directions',
    'batch_sharpness',
    'accuracy',
    'phase',
    'cycle',
  ];
}
