import { lastValueFrom, Observable } from 'rxjs';
import type { Batch } from '../../pipeline/core/batch.ts';
import { type Run, startRun } from '../../pipeline/core/run.ts';
import { arrowSink } from '../../pipeline/formats/arrow/arrow-sink.ts';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import { findTraining } from '../../pipeline/sources/trainings/index.ts';
import { labModel } from './lab-models.ts';
import type { Recipe } from './lab-parameters.ts';
import type { SaveApi } from './lab-protocol.ts';
import type { LabRun } from './lab-run.ts';
import { replay } from './replay.ts';

/** Writes the file of a run, by the sinks of `eos stream`. */
export const saveRun: SaveApi['save'] = async (recipe, to, format) => {
  const target = memoryTarget();
  const rows = recipe.changes.length === 0 ? await wholeRun(recipe, to) : segments(recipe, to);
  const sink = { parquet: parquetSink, arrow: arrowSink }[format];
  await lastValueFrom(rows.pipe(sink(target)), { defaultValue: undefined });
  return target.bytes().slice().buffer;
};

/** The very run of the command line. */
async function wholeRun({ options }: Recipe, steps: number): Promise<Observable<Batch<unknown>>> {
  const { also: _, ...own } = options;
  const said = { ...own, steps };
  const runs = await findTraining(said).open();
  const config = runs.resolve(said);
  return runs.rows(config, {}).pipe(runs.pipeline(config, () => {}));
}

/**
 * A run whose parameters were changed under way: all of its rows, with the threshold of each, and
 * in the parameters what was changed behind which step. No set of parameters streams it, so it has
 * no summary, and nobody can go on from it.
 */
function segments(recipe: Recipe, to: number): Observable<Batch<unknown>> {
  const first = labModel(recipe.options).resolve(recipe.options);
  const changes = recipe.changes.filter(({ after }) => after < to);
  const config = { ...first, steps: to, changes };
  return new Observable((subscriber) => {
    let run: Run | undefined;
    const told = async ({ rows: { schema, columns, length }, divergedAt }: LabRun) => {
      run ??= {
        ...startRun(
          config,
          stabilityOf(first),
          schema.map(({ name }) => name),
        ),
        summarized: true,
        metadata: () => ({ 'eos.changes': changes.map(({ after }) => after).join(',') }),
      };
      run.divergedAt = divergedAt;
      subscriber.next({ run, schema, columns, length });
      await run.ready();
    };
    replay(recipe, to, told).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
}
