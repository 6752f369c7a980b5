import { anyResults, anyRows, sweepColumns } from '../../pipeline/sweep/any-result.ts';
import { sweptModelOf } from '../../pipeline/sweep/map-parameters.ts';
import { configOfRow, networkOptionsOfRow } from '../../pipeline/sweep/row-config.ts';
import type { SweptConfig } from '../../pipeline/sweep/sweep.ts';
import { type CheckResult, contradictions, doesNotApply } from '../../pipeline/theory/check.ts';
import { loadDataOf } from '../data-file.ts';
import type { TableReader, Values } from '../inspect/table-reader.ts';
import { readWholePart } from '../sweep/part-file.ts';

/** The key by which a part of a sweep's summary says its name. */
export const PART_KEY = 'eos.part';

const CHECKSUM = {
  name: 'part-whole',
  statement: 'the part is under its own name, and its bytes are as they were written',
};
const ROWS = {
  name: 'rows-again',
  statement:
    'made once more from its parameters, each run of the part has the very same row, to the last ' +
    'bit',
};
/** The time that a run took is of no other run. */
const OF_THE_MACHINE = 'wall_seconds';

/** Checks a part of a sweep's summary: its checksum, and each row against its run made anew. */
export async function verifyPart(
  path: string,
  table: TableReader,
  always: boolean,
  most: number,
): Promise<readonly CheckResult[]> {
  const whole = (await readWholePart(path)) !== undefined;
  const bytes = contradictions(whole ? [] : ['its checksum or its name is another']);
  const result = (check: typeof ROWS, finding: ReturnType<typeof contradictions>) => ({
    ...check,
    recomputed: [],
    ...finding,
  });
  return [result(CHECKSUM, bytes), result(ROWS, await wrongRows(table, always ? Infinity : most))];
}

async function wrongRows(table: TableReader, most: number) {
  const model = sweptModelOf((name) => table.fields.some((field) => field.name === name));
  const columns = sweepColumns(model);
  const names = columns.map(({ name }) => name);
  const found = columns.flatMap(({ name, type }) => {
    const field = table.fields.find((each) => each.name === name);
    if (!field) return [`there is no column ${name}`];
    return field.type === type || type === 'TEXT' ? [] : [`${name} is ${field.type}, not ${type}`];
  });
  if (found.length > 0) return contradictions(found);
  let work = 0;
  let row = 0;
  for await (const block of table.read(names)) {
    for (let i = 0; i < block.run_id!.length; i++, row++) {
      const at = (column: string) => block[column]![i] ?? null;
      let config: SweptConfig;
      try {
        if (model === 'mlp') await loadDataOf(networkOptionsOfRow(at));
        config = configOfRow(model, at);
      } catch (error) {
        found.push(`row ${row} is of no run: ${(error as Error).message}`);
        continue;
      }
      work += (config.steps + 1) * (model === 'mlp' ? NETWORK_STEP : 1);
      if (work > most && row > 0)
        return row > 0 && found.length === 0
          ? {
              ...doesNotApply(`the first ${row} rows are the same; --again makes the others`),
              verdict: 'not reached' as const,
            }
          : contradictions(found);
      found.push(...wrongCells(model, config, block, i, row));
    }
  }
  return contradictions(found);
}

/** Steps of the minimal model that one of a small network takes. */
const NETWORK_STEP = 200;

function wrongCells(
  model: SweptConfig['model'],
  config: SweptConfig,
  block: Readonly<Record<string, Values>>,
  i: number,
  row: number,
): string[] {
  const again = anyRows(model);
  for (const { result } of anyResults(model, [config], () => true)) again.add(result, 0);
  return again.schema.flatMap(({ name, words }, c) => {
    if (name === OF_THE_MACHINE) return [];
    const cell = again.columns[c]![0] as number | string | boolean | null;
    const truth = words ? words[Number(cell)]! : cell;
    const own = block[name]![i] ?? null;
    const same = typeof truth === 'boolean' ? Boolean(own) === truth : Object.is(own, truth);
    return same ? [] : [`${name} in row ${row} is ${String(own)}, and should be ${String(truth)}`];
  });
}
