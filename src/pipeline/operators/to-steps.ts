import { concatMap, from, type OperatorFunction } from 'rxjs';
import { checkBatches } from '../core/batch.ts';
import { checkNothing } from '../core/own-option.ts';
import type { Column, ColumnArray } from '../core/schema.ts';
import { type Phase, type Regime, RUN_COLUMNS, type RunArrays } from '../models/minimal/columns.ts';
import type { ModelBatch } from '../models/minimal/run.ts';

/** One row as an object, strings spelt out; columns that no operator has added are absent. */
export type Step = {
  readonly [C in keyof RunArrays]?: C extends 'regime'
    ? Regime
    : C extends 'phase'
      ? Phase
      : number;
} & {
  readonly step: number;
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly log10_abs_beta1: number;
  readonly loss: number;
  readonly grad_norm: number;
};

/**
 * Turns batches into one object a step, for those who want plain RxJS and have a few steps only: it
 * costs more than everything before it.
 *
 * @example gradientDescent(presets.paper).pipe(classifySharpness(), toSteps(), filter((s) =>
 * s.regime === 'unstable'))
 */
export function toSteps(...nothing: []): OperatorFunction<ModelBatch, Step> {
  checkNothing('toSteps', nothing);
  return (source) =>
    source.pipe(
      checkBatches('toSteps'),
      concatMap((batch) => from(batchSteps(batch))),
    );
}

function* batchSteps({ length, columns }: ModelBatch): Generator<Step> {
  const present = RUN_COLUMNS.flatMap((spec: Column) => {
    const values = (columns as Readonly<Record<string, ColumnArray | undefined>>)[spec.name];
    return values ? [{ name: spec.name, values, words: spec.words }] : [];
  });
  for (let i = 0; i < length; i++) {
    const step: Record<string, number | string> = {};
    for (const { name, values, words } of present)
      step[name] = words ? words[values[i]!]! : values[i]!;
    yield step as unknown as Step;
  }
}
