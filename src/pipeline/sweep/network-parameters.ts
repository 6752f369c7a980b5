import type {
  NumberParameter,
  Parameter,
  TextParameter,
  WordParameter,
} from '../core/parameters.ts';
import { networkRunParameters } from '../models/network/run-parameters.ts';

type SweptParameter = NumberParameter | WordParameter | TextParameter;

/**
 * Everything that makes a run of a network what it is, in the order in which a sweep nests it: the
 * last one varies fastest.
 */
export const NETWORK_SWEEP_PARAMETERS: Readonly<Record<string, SweptParameter>> =
  Object.fromEntries(
    Object.entries<Parameter>(networkRunParameters)
      .map(([name, parameter]) => [name, switchOf(parameter)] as const)
      .filter(
        (entry): entry is [string, SweptParameter] =>
          entry[0] !== 'preset' &&
          entry[1].group !== 'OUTPUT' &&
          ['number', 'integer', 'word', 'text'].includes(entry[1].type),
      ),
  );

/** What is on or off in a run is one of two words, of which a sweep may have both. */
function switchOf(parameter: Parameter): Parameter {
  if (parameter.type !== 'boolean') return parameter;
  return {
    type: 'word',
    noun: 'switch',
    words: ['no', 'yes'],
    synonyms: { 0: 'no', false: 'no', off: 'no', 1: 'yes', true: 'yes', on: 'yes' },
    symbol: 'yes',
    meaning: parameter.meaning,
    group: parameter.group ?? 'MODEL',
    default: parameter.default ? 'yes' : 'no',
  };
}

/** Column of a parameter in the summary. */
export const networkColumnName = (name: string): string => name.replaceAll('-', '_');
