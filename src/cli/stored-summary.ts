import { from, lastValueFrom } from 'rxjs';
import type { Batch } from '../pipeline/core/batch.ts';
import type { Checkpoint } from '../pipeline/core/checkpoint.ts';
import { linkOf, throughLinks } from '../pipeline/core/stored-pipeline.ts';
import { POINT_COLUMNS, runColumns } from '../pipeline/models/minimal/columns.ts';
import type { RunConfig } from '../pipeline/models/minimal/config.ts';
import { type ModelRun, type SourceArrays, startModelRun } from '../pipeline/models/minimal/run.ts';
import type { StoredFile } from '../pipeline/node/stored-file.ts';
import { standardOperators } from '../pipeline/operators/standard.ts';
import { stabilityOf } from '../pipeline/optimizers/index.ts';
import type { TrainingConfig } from '../pipeline/sources/trainings/training.ts';

/**
 * The checkpoint of a file whose pipeline has stored nothing about its summary, nor maybe about its
 * phases: all that is made up for from θ in its rows, where these are all the steps of a run of the
 * minimal model.
 */
export async function withSummary(
  file: StoredFile,
  config: TrainingConfig,
  checkpoint: Checkpoint,
): Promise<Checkpoint> {
  const { stages, rows } = checkpoint;
  const [source = {}] = Object.values(stages) as { readonly step?: unknown }[];
  const there = POINT_COLUMNS.every(({ name }) => file.columns.includes(name));
  if (config.model !== 'minimal' || stages.summarize !== undefined) return checkpoint;
  if (!there || rows === 0 || source.step !== rows) return checkpoint;

  const run = startModelRun(config as RunConfig, stabilityOf(config));
  const { float64ZeroAt = null, bits = null } = source as Partial<ModelRun>;
  Object.assign(run, { float64ZeroAt, bits });
  const pipeline = throughLinks<Batch<unknown>>(standardOperators().map(linkOf));
  const { after = {} } = await lastValueFrom(from(storedRows(file, run, rows)).pipe(pipeline));
  const made = Object.entries(after).map(([name, { state }]) => [name, state()] as const);
  return { rows, stages: { ...stages, ...Object.fromEntries(made), ...stages } };
}

/** The first rows of a file as the source of its run made them. */
async function* storedRows(
  file: StoredFile,
  run: ModelRun,
  rows: number,
): AsyncGenerator<Batch<SourceArrays, ModelRun>> {
  const schema = [
    ...POINT_COLUMNS,
    ...runColumns('digits').filter(({ name }) => file.columns.includes(name)),
  ];
  let left = rows;
  for (let group = 0; left > 0 && group < file.groups.length; group++) {
    const read = await file.read(group, schema);
    const length = Math.min(left, read.length);
    const columns = Object.fromEntries(schema.map(({ name }, c) => [name, read.columns[c]!]));
    yield { run, length, schema, columns: columns as unknown as SourceArrays, after: {} };
    left -= length;
  }
}
