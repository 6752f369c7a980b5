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
    Object.entries<Parameter>(networkRunParameters).filter(
      (entry): entry is [string, SweptParameter] =>
        entry[0] !== 'preset' &&
        entry[1].group !== 'OUTPUT' &&
        ['number', 'integer', 'word', 'text'].includes(entry[1].type),
    ),
  );

/** Column of a parameter in the summary. */
export const networkColumnName = (name: string): string => name.replaceAll('-', '_');
