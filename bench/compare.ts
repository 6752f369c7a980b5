import { DuckDBInstance } from '@duckdb/node-api';
import type { Column } from '../src/pipeline/core/schema.ts';
import { RUN_COLUMNS } from '../src/pipeline/models/minimal/columns.ts';

type Numbers = Readonly<Record<string, number>>;

/** Programs round differently, and these runs amplify it a little. */
const TOLERANCE = 1e-9;
/**
 * l2 and l_hat are squares of differences that cancel near zero: of their roots so much may differ.
 */
const RESIDUAL_TOLERANCE = 1e-12;

/**
 * Both sides must hold the same names and the same numbers, each to so much of its size.
 *
 * @throws Error naming the first number that differs
 */
export function assertSame(
  what: string,
  theirs: Numbers,
  ours: Numbers,
  tolerance = TOLERANCE,
): void {
  const all = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])];
  // A peer that runs fewer steps stops at another last step: only steps that both have are
  // compared.
  const shared = (place: string) =>
    [theirs, ours].every((side) => Object.keys(side).some((name) => split(name)[0] === place));
  // No peer tells how many of its digits are true, and versions need not agree in it.
  const compared = all.filter((name) => shared(split(name)[0]) && split(name)[1] !== 'digits');
  if (compared.length === 0) throw new Error(`${what}: nothing to compare`);
  for (const name of compared) {
    const [a, b] = [theirs[name] ?? Number.NaN, ours[name] ?? Number.NaN];
    const near = Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
    if (!near && !(isSquare(name) && Math.abs(Math.sqrt(a) - Math.sqrt(b)) <= RESIDUAL_TOLERANCE)) {
      throw new Error(`${what}: ${name} is ${a} against ${b}`);
    }
  }
}

/** `2015.alpha` is alpha at step 2015; names without a step are of the whole run. */
function split(name: string): [place: string, column: string] {
  const dot = name.lastIndexOf('.') + 1;
  return [name.slice(0, dot), name.slice(dot)];
}

function isSquare(name: string): boolean {
  const [, column] = split(name);
  return column === 'l2' || column === 'l_hat';
}

/** What is compared of a file. */
const COMPARED = RUN_COLUMNS.filter(({ name }) => name !== 'digits');

/**
 * Sums over the first `rows` rows of a run file: of the size of each number, and of the rows with
 * each word.
 */
export async function columnSums(path: string, rows: number): Promise<Numbers> {
  const sums = COMPARED.flatMap(({ name, words: values }: Column) =>
    values
      ? values.map((word) => `count(*) FILTER (${name} = '${word}')::DOUBLE AS "${name} ${word}"`)
      : [`sum(abs(${name}))::DOUBLE AS ${name}`],
  );
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE AS rows, ${sums.join(', ')} FROM read_parquet($1) WHERE step < $2`,
      [path, rows],
    );
    return reader.getRowObjects()[0] as Record<string, number>;
  } finally {
    connection.closeSync();
  }
}
