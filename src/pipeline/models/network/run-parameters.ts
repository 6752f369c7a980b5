import { joinTables, type ParameterTable } from '../../core/parameters.ts';
import { descentParameters } from '../../core/run-parameters.ts';
import { optimizers } from '../../optimizers/index.ts';
import { optimizerTable } from '../../optimizers/parameters.ts';
import { networkOrder } from './columns.ts';
import { networkParameters } from './parameters.ts';
import { NETWORK_PRESET_NAMES } from './presets/index.ts';

const ownParameters = {
  preset: {
    type: 'word',
    noun: 'preset',
    words: NETWORK_PRESET_NAMES,
    symbol: 'NAME',
    meaning: 'parameters to start from, network unless given',
    group: 'MODEL',
    default: null,
  },
  columns: {
    type: 'words',
    noun: 'column',
    words: networkOrder(8),
    symbol: 'A,B,C',
    meaning: 'columns to write',
    example: 'step,loss,sharpness',
    group: 'OUTPUT',
    default: null,
  },
} as const satisfies ParameterTable;

/** Everything that can be said of the training of a network. */
export const networkRunParameters = joinTables(ownParameters, networkParameters, {
  ...descentParameters,
  ...optimizerTable(optimizers),
});
