import type { NumberParameter, Parameter } from '../core/parameters.ts';
import { runParameters } from '../models/minimal/run-parameters.ts';

type Numeric<T> = {
  [K in keyof T]: T[K] extends { readonly type: 'number' | 'integer' } ? K : never;
}[keyof T];

type PartName = (typeof runParameters.init.parts)[number]['name'];

export type SweepParameterName = Exclude<Numeric<typeof runParameters>, 'every'> | PartName;

/**
 * Every number that makes a run what it is, by name, in the order in which a sweep nests them: the
 * last one varies fastest. A start counts as its parts.
 */
export const SWEEP_PARAMETERS = Object.fromEntries(
  Object.entries<Parameter>(runParameters).flatMap(
    ([name, parameter]): [string, NumberParameter][] => {
      if (parameter.group === 'OUTPUT') return [];
      if (parameter.type === 'number' || parameter.type === 'integer') return [[name, parameter]];
      if (parameter.type !== 'numbers') return [];
      return parameter.parts.map((part) => [
        part.name,
        { ...part, type: 'number', symbol: `${part.symbol}₀`, group: parameter.group },
      ]);
    },
  ),
) as Readonly<Record<SweepParameterName, NumberParameter>>;

export const SWEEP_PARAMETER_NAMES = Object.keys(SWEEP_PARAMETERS) as SweepParameterName[];
