import { joinTables, type ParameterTable } from '../../core/parameters.ts';
import { optimizerTable } from '../../optimizers/parameters.ts';
import { plainOptimizers } from '../../optimizers/plain.ts';
import { plainParameters } from './config.ts';

/**
 * Everything that can be said of a run: flags, environment, config files, help and JSON Schema come
 * from it.
 */
export const runParameters = joinTables(
  plainParameters,
  optimizerTable(plainOptimizers) as ParameterTable,
  {},
) as typeof plainParameters;
