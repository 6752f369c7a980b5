import { readEvents } from '../../formats/tfevents.ts';
import { chooseColumns, type GivenColumns, NO_STEP } from './column-names.ts';
import { createJoin } from './join-rows.ts';
import { LogError, type Tally } from './log-error.ts';
import { AT, ROW_FIELDS, type RowTaker } from './row-block.ts';

/** The values of each tag of event files. */
export type Scalars = Map<string, Series>;

interface Series {
  readonly steps: number[];
  readonly values: number[];
  readonly records: number[];
}

/**
 * Reads the scalars of a TensorBoard event file.
 *
 * @param group the folder `TAG_NAME` that TensorBoard's `add_scalars` has made for one of several
 * scalars of a tag
 */
export async function* readEventLog(
  chunks: AsyncIterable<Uint8Array>,
  into: Scalars,
  tally: Tally,
  group?: string,
): AsyncGenerator<void> {
  let record = 0;
  for await (const { scalars, ...damage } of readEvents(chunks)) {
    record++;
    if (!scalars) tally.add('problem' in damage ? damage.problem : '', record);
    for (const { tag: own, step, value } of scalars ?? []) {
      const tag = group === undefined ? own : tagOfGroup(own, group);
      if (tag === undefined) continue;
      let series = into.get(tag);
      if (!series) {
        series = { steps: [], values: [], records: [] };
        into.set(tag, series);
      }
      series.steps.push(step);
      series.values.push(Number.isFinite(value) ? value : Number.POSITIVE_INFINITY);
      series.records.push(record);
    }
    yield;
  }
}

/**
 * Rows of scalars: a tag is a column, and what is of one step is a row. Tags may turn up at any
 * time, so which of them is taken as what is known at the end alone.
 *
 * @param part whether other files of the run may hold what is missing here
 */
export function takeScalars(
  byTag: Scalars,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
  part: boolean,
): void {
  const tags = [...byTag.keys()];
  if (tags.length === 0 && !part) throw new LogError('it holds no scalars');
  const chosen = chosenOf(tags, given, part);
  if (!chosen) return;
  const join = createJoin();
  const values = new Float64Array(ROW_FIELDS.length);
  for (const field of ROW_FIELDS) {
    if (field === 'epoch') continue;
    const series = byTag.get(tags[chosen[field]] ?? '');
    if (!series) continue;
    tally.column(field, tags[chosen[field]]!);
    series.steps.forEach((step, i) => {
      values.fill(Number.NaN);
      values[AT.step] = step;
      values[AT[field]] = series.values[i]!;
      join.row(series.records[i]!, values);
    });
  }
  join.flush(rows);
}

/**
 * `TAG/NAME` for a tag in the folder `TAG_NAME`; undefined in any other, which is that of another
 * run.
 */
function tagOfGroup(tag: string, group: string): string | undefined {
  const prefix = `${tag.replaceAll('/', '_')}_`;
  return group.startsWith(prefix) ? `${tag}/${group.slice(prefix.length)}` : undefined;
}

/** The tags of each field; null where a part of a run has none of them. */
function chosenOf(tags: readonly string[], given: GivenColumns, part: boolean) {
  try {
    return chooseColumns(tags, { ...given, step: NO_STEP }, null, part);
  } catch (error) {
    if (part && error instanceof LogError) return null;
    throw error;
  }
}
