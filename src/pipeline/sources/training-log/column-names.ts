import { LogError } from './log-error.ts';
import { DOUBTFUL, HELD_OUT, isBatchSharpness, isEpoch, nameKind } from './name-kinds.ts';
import { QUALIFIES, ROW_FIELDS, type RowField } from './row-block.ts';

/**
 * How usual a name is for a field: 0 for the best, Infinity for one that does not fit. A value on
 * data that is not trained on fits where `heldOut` says so.
 */
export function nameRank(field: RowField, name: string, heldOut = false): number {
  const kind = nameKind(name);
  if (field === 'epoch') return isEpoch(kind) ? kind!.rank : Number.POSITIVE_INFINITY;
  if (field === 'batch_sharpness')
    return isBatchSharpness(kind) ? kind!.rank : Number.POSITIVE_INFINITY;
  if (kind?.field !== field || (kind.rank >= HELD_OUT && !heldOut)) return Number.POSITIVE_INFINITY;
  return kind.rank;
}

/**
 * What the caller says about the columns: a name, a JSON path such as `eigs[-1]` or a column
 * number, from 1.
 */
export type GivenColumns = { readonly [F in RowField]?: string | undefined };

/** The field's column among `names`: the one given, or the most usual; −1 where there is none. */
export function chooseColumn(
  field: RowField,
  names: readonly string[],
  given: string | undefined,
): number {
  if (given !== undefined) {
    const at = names.indexOf(given);
    if (at >= 0) return at;
    const number = Number(given);
    if (Number.isInteger(number) && number >= 1 && number <= names.length) return number - 1;
    throw new LogError(
      `no column is called ${given} (asked for as the ${field}); there are ` +
        `${names.slice(0, 20).join(', ')}`,
    );
  }
  let best = -1;
  let bestRank = Number.POSITIVE_INFINITY;
  for (let i = 0; i < names.length; i++) {
    const rank = nameRank(field, names[i]!, true);
    if (rank < bestRank) {
      best = i;
      bestRank = rank;
    }
  }
  return best;
}

/** The column of each field; refuses a log that has neither a loss nor a sharpness. */
export function chooseColumns(
  names: readonly string[],
  given: GivenColumns,
  line: number | null,
  part = false,
): Readonly<Record<RowField, number>> {
  const chosen = Object.fromEntries(ROW_FIELDS.map((field) => [field, -1])) as Record<
    RowField,
    number
  >;
  for (const field of ROW_FIELDS) {
    if (field === 'step' && given.step === NO_STEP) continue;
    const column = chooseColumn(field, names, given[field]);
    const other = QUALIFIES[field];
    if (!other || column !== chosen[other]) chosen[field] = column;
  }
  const enough = chosen.loss >= 0 || chosen.sharpness >= 0 || (part && chosen.eta >= 0);
  if (!enough) throw noColumns(names, line);
  return chosen;
}

/** What a file's name says that it holds: of `runs/a-tag-train_loss.csv`, `train_loss`. */
export function stemOf(title: string): string {
  const stem = title.replace(/^.*[\\/]/, '').replace(/\.\w+$/, '');
  return stem.split('tag-').at(-1)!;
}

/** `--step-col none`: number the rows instead. */
export const NO_STEP = 'none';

export function noColumns(names: readonly string[], line: number | null): LogError {
  const found = names.length === 0 ? 'nothing' : names.slice(0, 20).join(', ');
  return new LogError(
    `no column is named like a loss or a sharpness (found ${found}); name them with ` +
      '--loss-col and --sharpness-col',
    line,
  );
}

/**
 * What makes it doubtful, by their names, that columns hold what they were taken for, where nobody
 * has said so.
 */
export function doubtsOf(
  taken: Readonly<Partial<Record<RowField, string>>>,
  given: GivenColumns,
): string[] {
  return ROW_FIELDS.flatMap((field) => {
    const name = taken[field];
    const rank = name === undefined || given[field] !== undefined ? 0 : nameKind(name)?.rank;
    if (rank === undefined || rank < DOUBTFUL) return [];
    const why =
      rank >= HELD_OUT
        ? 'is not of the data that is trained on'
        : field === 'eta'
          ? 'may be that of the start'
          : 'may be a part of it, or something else';
    const what = field === 'eta' ? 'learning rate' : field;
    return [`${name} was taken as the ${what}, and ${why}; name another with --${field}-col`];
  });
}
