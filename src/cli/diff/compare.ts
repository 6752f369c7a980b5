import { isDeepStrictEqual } from 'node:util';
import { isFlat } from '../../pipeline/formats/table-file.ts';
import { openTable, type TableReader, type Values } from '../inspect/table-reader.ts';

/** What two run files differ in. */
export interface Difference {
  readonly files: readonly [string, string];
  readonly parameters: readonly Changed[];
  readonly outcome: readonly Changed[];
  readonly columns: { readonly only: readonly [readonly string[], readonly string[]] };
  readonly rows: {
    readonly counts: readonly [number, number];
    /** Rows whose step only one of the two has. */
    readonly only: readonly [number, number];
    readonly compared: number;
    readonly differing: number;
    readonly first: FirstDifference | null;
  };
}

/** A value that is not the same in both; null where there is none. */
export interface Changed {
  readonly name: string;
  readonly values: readonly [unknown, unknown];
}

/** The first row that is not the same in both. */
export interface FirstDifference {
  /** Its step, or its number in tables without steps. */
  readonly step: number;
  readonly values: readonly (Changed & { readonly difference: number | null })[];
}

/** Parts of a summary that tell what became of the run, in the order in which they are told. */
const OUTCOME = [
  'outcome',
  'interrupted',
  'last_step',
  'cycles',
  'first_crossing',
  'diverged_at',
  'convergence_time',
  'max_sharpness_ratio',
  'final_loss',
  'l_hat_slope',
  'mean_l1_in_eos',
];

/**
 * Compares two run files: parameters, outcome, and row by row, rows of equal steps with each other.
 */
export async function compareRuns(a: string, b: string): Promise<Difference> {
  const tables = [await openTable(a), await openTable(b)] as const;
  const names = tables.map(({ fields }) => fields.filter(isFlat).map((f) => f.name));
  const [ours, theirs] = names as [string[], string[]];
  const shared = ours.filter((name) => theirs.includes(name));
  return {
    files: [a, b],
    parameters: changed(...json(tables, 'eos.config')).filter(({ name }) => name !== 'moments'),
    outcome: changed(...json(tables, 'eos.summary'), OUTCOME),
    columns: {
      only: [
        ours.filter((name) => !shared.includes(name)),
        theirs.filter((name) => !shared.includes(name)),
      ],
    },
    rows: await compareRows(tables, shared),
  };
}

/** Whether the two runs are the same in everything that is compared. */
export function isSame({ parameters, outcome, columns, rows }: Difference): boolean {
  const only = [...columns.only.flat(), ...rows.only.filter((count) => count > 0)];
  return parameters.length + outcome.length + only.length + rows.differing === 0;
}

type Json = Readonly<Record<string, unknown>>;

function json(tables: readonly TableReader[], key: string): [Json, Json] {
  return tables.map(({ metadata }): Json => {
    try {
      const value: unknown = JSON.parse(metadata[key] ?? 'null');
      return typeof value === 'object' && value !== null ? (value as Json) : {};
    } catch {
      return {};
    }
  }) as [Json, Json];
}

function changed(a: Json, b: Json, only?: readonly string[]): Changed[] {
  const names = only ?? [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names
    .filter((name) => !isDeepStrictEqual(a[name] ?? null, b[name] ?? null))
    .map((name) => ({ name, values: [a[name] ?? null, b[name] ?? null] }));
}

async function compareRows(
  [a, b]: readonly [TableReader, TableReader],
  names: readonly string[],
): Promise<Difference['rows']> {
  const [left, right] = [rowsOf(a, names), rowsOf(b, names)];
  let compared = 0;
  let differing = 0;
  let first: FirstDifference | null = null;
  let [leftThere, rightThere] = [await left.next(), await right.next()];
  while (leftThere && rightThere) {
    const [here, there] = [left.step, right.step];
    if (here === there) {
      compared++;
      const differs = names.some((_, c) => !sameCell(left.cell(c), right.cell(c)));
      if (differs) differing++;
      if (differs && !first) first = firstDifference(names, left, right);
    }
    if (here <= there) leftThere = left.advance() || (await left.next());
    if (there <= here) rightThere = right.advance() || (await right.next());
  }
  const only = [a.rows - compared, b.rows - compared] as const;
  return { counts: [a.rows, b.rows], only, compared, differing, first };
}

function firstDifference(names: readonly string[], left: Cursor, right: Cursor): FirstDifference {
  const values = names.flatMap((name, c) => {
    const cells = [left.cell(c), right.cell(c)] as const;
    if (sameCell(...cells)) return [];
    const numbers = cells.map((cell) => (typeof cell === 'string' ? Number.NaN : Number(cell)));
    const difference = numbers[1]! - numbers[0]!;
    const shown = cells.map((cell) => (typeof cell === 'bigint' ? Number(cell) : (cell ?? null)));
    return [
      {
        name,
        values: shown as [unknown, unknown],
        difference: Number.isFinite(difference) ? difference : null,
      },
    ];
  });
  return { step: left.step, values };
}

type Cell = Values[number] | undefined;

/**
 * Equal to the last bit; what was not measured is null in one file and may be NaN in an older one.
 */
function sameCell(a: Cell, b: Cell): boolean {
  return Object.is(a, b) || a === b || (isAbsent(a) && isAbsent(b));
}

function isAbsent(cell: Cell): boolean {
  return cell === null || cell === undefined || Number.isNaN(cell);
}

/** One row of a table after the other. */
interface Cursor {
  readonly step: number;
  cell(column: number): Cell;
  /** Moves on within the block; false at its end. */
  advance(): boolean;
  /** Moves on to the next block; false behind the last one. */
  next(): Promise<boolean>;
}

function rowsOf(table: TableReader, names: readonly string[]): Cursor {
  const blocks = table.read(names)[Symbol.asyncIterator]();
  const steps = names.indexOf('step');
  let columns: readonly Values[] = [];
  let length = 0;
  let i = 0;
  let before = 0;
  return {
    get step() {
      return steps < 0 ? before + i : Number(columns[steps]![i]);
    },
    cell: (column) => columns[column]![i],
    advance() {
      if (i + 1 >= length) return false;
      i++;
      return true;
    },
    async next() {
      before += length;
      i = 0;
      do {
        const { done, value } = await blocks.next();
        if (done) return false;
        columns = names.map((name) => value[name]!);
        length = columns[0]?.length ?? 0;
      } while (length === 0);
      return true;
    },
  };
}
