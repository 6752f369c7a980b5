import type { ParameterTable } from '../pipeline/core/parameters.ts';
import { dynamics } from '../pipeline/dynamics/index.ts';
import { COMPRESSIONS } from '../pipeline/formats/table-format.ts';
import { trainingParameters } from '../pipeline/sources/trainings/index.ts';

/** What of a run is written, and where. */
export const outputParameters = {
  out: {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE.parquet',
    meaning: 'Parquet file to write (required unless --dry-run)',
    group: 'OUTPUT',
  },
  arrow: {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE.arrow',
    meaning: 'Arrow IPC file to write as well',
    group: 'OUTPUT',
  },
  also: {
    type: 'words',
    noun: 'dynamics',
    words: dynamics.map(({ name }) => name),
    symbol: 'A,B',
    meaning: 'dynamics to write as well (FILE.central.parquet, …)',
    group: 'OUTPUT',
  },
  weights: {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE.parquet',
    meaning: 'Parquet file for the weights of a network, as a column of lists',
    group: 'OUTPUT',
  },
  'weights-every': {
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    symbol: 'K',
    meaning: 'steps from one row of the weights to the next, 100 unless given',
    group: 'OUTPUT',
  },
  'parquet-writer': {
    type: 'word',
    noun: 'Parquet writer',
    words: ['hyparquet', 'parquetjs-lite'],
    symbol: 'NAME',
    meaning: 'program that encodes the Parquet file',
    group: 'OUTPUT',
    default: 'hyparquet',
  },
  compression: {
    type: 'word',
    noun: 'compression',
    words: COMPRESSIONS,
    symbol: 'NAME',
    meaning: 'how the numbers of the Parquet file are packed, snappy unless given',
    group: 'OUTPUT',
  },
  'flush-every': {
    type: 'number',
    minimum: 0,
    maximum: 1e6,
    symbol: 'SECONDS',
    meaning: 'seconds after which rows are safe from a crash, 0 for as soon as they are there',
    group: 'OUTPUT',
    default: 5,
  },
  force: {
    type: 'boolean',
    meaning: 'replace existing files whatever they are',
    group: 'OUTPUT',
    default: false,
  },
  'dry-run': {
    type: 'boolean',
    meaning: 'tell size and time, run and log, but write no file',
    group: 'OUTPUT',
    default: false,
  },
} as const satisfies ParameterTable;

/** What of a run is said while it goes on. */
export const logParameters = {
  'log-format': {
    type: 'word',
    noun: 'log format',
    words: ['text', 'json'],
    symbol: 'FORMAT',
    meaning: 'lines of text on stderr, or one JSON object a line on stdout',
    group: 'LOG',
    default: 'text',
  },
  quiet: {
    type: 'boolean',
    letter: 'q',
    meaning: 'say nothing but errors',
    group: 'LOG',
    default: false,
  },
} as const satisfies ParameterTable;

/** How a run is watched. */
export const watchParameters = {
  pace: {
    type: 'number',
    exclusiveMinimum: 0,
    symbol: 'N',
    meaning: 'steps per second, to watch it happen',
    example: '2000',
    group: 'LOG',
  },
  dash: {
    type: 'boolean',
    meaning: 'show the run in the dashboard while it grows, and until Ctrl-C',
    group: 'LOG',
    default: false,
  },
} as const satisfies ParameterTable;

/** Everything that can be said of `eos stream`: its flags, and the keys of `--config`. */
export const streamParameters = {
  ...trainingParameters,
  ...outputParameters,
  ...watchParameters,
  ...logParameters,
};
