import { basename, dirname, join, relative, resolve } from 'node:path';
import { checksum } from '../pipeline/core/checksum.ts';
import type { ByteTarget } from '../pipeline/formats/byte-target.ts';
import { hyparquetFormat } from '../pipeline/formats/parquet/hyparquet.ts';
import { DIGEST_KEY, SCHEMA_VERSION } from '../pipeline/formats/run-metadata.ts';
import { SEAL_KEY, UNSEALED } from '../pipeline/formats/seal.ts';
import { jsonObject } from '../pipeline/formats/table-file.ts';
import type { Compression, Metadata, TableColumn } from '../pipeline/formats/table-format.ts';
import { fileTarget } from '../pipeline/node/file-target.ts';
import type { Runs, TrainingConfig, WeightsAt } from '../pipeline/sources/trainings/training.ts';
import type { DynamicsFile } from './dynamics-files.ts';
import { UsageError } from './errors.ts';
import { checkOutput, type Replace } from './output-file.ts';

/** What of weights a user says. */
export interface SaidWeights {
  readonly weights: string | undefined;
  readonly weightsEvery: number | undefined;
}

/** Where the weights of a run go, and at which steps. */
export interface WeightsRequest {
  readonly file: string;
  readonly every: number;
}

/** Key of the weights that are written beside a run, in its metadata. */
const WEIGHTS_KEY = 'eos.weights';
/** Steps from one row to the next where nobody says. */
const EVERY = 100;
/** Numbers in a row group: a megabyte. */
const GROUP = 1 << 17;

/** What was said of the weights; undefined where none are to be written. @throws UsageError */
export function weightsRequest({
  weights: file,
  weightsEvery: every,
}: SaidWeights): WeightsRequest | undefined {
  if (file !== undefined) return { file, every: every ?? EVERY };
  if (every === undefined) return undefined;
  throw new UsageError(
    '--weights-every: has no effect, since no weights are written; give --weights FILE.parquet ' +
      'too, or leave it out',
  );
}

/** What the file of a run notes of its weights: those of another folder by their way from it. */
export function notedWeights({ file, every }: WeightsRequest, out: string): Metadata {
  const way = relative(dirname(resolve(out)), resolve(file));
  return { [WEIGHTS_KEY]: JSON.stringify({ file: way, every }) };
}

/**
 * The weights of a run that is continued: what is said of them, else what its file notes. That is
 * somebody's word: no other folder than its own is written to because of it.
 *
 * @throws UsageError where they are in another
 */
export function resumedWeights(
  said: SaidWeights,
  metadata: Metadata,
  out: string,
): WeightsRequest | undefined {
  const { file, every } = jsonObject(metadata[WEIGHTS_KEY]) ?? {};
  const steps = Number.isSafeInteger(every) && Number(every) >= 1 ? Number(every) : EVERY;
  const weightsEvery = said.weightsEvery ?? steps;
  if (said.weights !== undefined || typeof file !== 'string')
    return weightsRequest(said.weights === undefined ? said : { ...said, weightsEvery });
  if (file !== '' && !/[\\/]/.test(file) && basename(file) === file && file !== '..')
    return { file: join(dirname(out), file), every: weightsEvery };
  throw new UsageError(
    `--resume: the weights of this run go to ${file}, as seen from its folder; name that file ` +
      'with --weights',
  );
}

/** The columns of a file with so many parameters a row. */
export const weightsColumns = (parameters: number): readonly [TableColumn, TableColumn] => [
  { name: 'step', type: 'INT64', symbol: 't', unit: 'steps', meaning: 'step, from 0' },
  {
    name: 'weights',
    type: 'DOUBLE',
    listed: parameters,
    symbol: 'θ',
    unit: '1',
    meaning: 'of each layer its weights [outputs × inputs], row by row, and then its biases',
  },
];

export function weightsMetadata(config: object, every: number, lastStep: number): Metadata {
  const said = JSON.stringify({ ...config, weights: every });
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': said,
    [DIGEST_KEY]: checksum(said),
    'eos.summary': JSON.stringify({ interrupted: false, last_step: lastStep }),
    [SEAL_KEY]: UNSEALED,
  };
}

/**
 * Gets the file of the weights ready, so that what cannot be done is told before anything is
 * computed. It is written behind the run, by the same steps without what is measured on them.
 */
export async function planWeightsFile(
  { file: path, every }: WeightsRequest,
  runs: Runs,
  config: TrainingConfig,
  compression: Compression | undefined,
  replace: Replace,
): Promise<DynamicsFile> {
  const { weights } = runs;
  if (!weights)
    throw new UsageError(
      `--weights: a run of the model ${config.model} has its parameters as columns of its file; ` +
        'leave this out',
    );
  await checkOutput('weights', path, { ...config, weights: every }, replace);
  return {
    name: 'weights',
    path,
    async write(signal) {
      const target = fileTarget(path);
      try {
        const rows = await writeWeights(target, weights(config, every), signal, {
          config,
          every,
          compression,
        });
        await (rows === undefined ? target.abort() : target.commit());
        return rows;
      } catch (error) {
        await target.abort();
        throw error;
      }
    },
  };
}

/** @returns the number of rows; undefined where it was stopped before the last one */
async function writeWeights(
  target: ByteTarget,
  rows: Iterable<WeightsAt>,
  signal: AbortSignal,
  how: {
    readonly config: object;
    readonly every: number;
    readonly compression: Compression | undefined;
  },
): Promise<number | undefined> {
  const format = hyparquetFormat(how.compression);
  let writer: ReturnType<typeof format> | undefined;
  let group: WeightsAt[] = [];
  let count = 0;
  let lastStep = -1;
  const writeGroup = async () => {
    const size = group[0]?.theta.length ?? 0;
    const numbers = new Float64Array(group.length * size);
    for (const [i, { theta }] of group.entries()) numbers.set(theta, i * size);
    const steps = Float64Array.from(group, ({ step }) => step);
    if (steps.length > 0) await writer!.write({ length: steps.length, columns: [steps, numbers] });
    group = [];
  };
  for (const { step, theta } of rows) {
    // Ctrl-C is heard between two rows.
    await new Promise((resolved) => setImmediate(resolved));
    if (signal.aborted) return undefined;
    writer ??= format(target, weightsColumns(theta.length));
    group.push({ step, theta: theta.slice() });
    count++;
    lastStep = step;
    if ((group.length + 1) * theta.length > GROUP) await writeGroup();
  }
  if (!writer) throw new Error('the run has no step whose weights could be written');
  await writeGroup();
  await writer.finish(weightsMetadata(how.config, how.every, lastStep));
  return count;
}
