import { jsonObject } from '../../pipeline/formats/table-file.ts';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { type CheckResult, doesNotApply } from '../../pipeline/theory/check.ts';
import { checkFile } from '../../pipeline/theory/file-check.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { verifyRun } from '../../pipeline/theory/verify.ts';
import { openTable, type TableReader } from '../inspect/table-reader.ts';
import { isLogConfig } from '../recover-log.ts';
import { derivedAgain, madeAgain } from './made-again.ts';
import { runOf } from './read-run.ts';

/** What was found out about a file. */
export interface VerifiedFile {
  readonly results: readonly CheckResult[];
  readonly config: unknown;
  readonly lastStep: number | null;
}

/**
 * Checks a file against itself, and the run of the minimal model in it against the theory.
 *
 * @param given parameters, for a file that does not say its own
 * @param always make the run again however long it takes
 * @throws UsageError where it cannot be read, or is of something else
 */
export async function verifyFile(
  path: string,
  given: RunOptions,
  always: boolean,
): Promise<VerifiedFile> {
  const { results, config, table } = await verifyAgainstItself(path, given, always);
  if (!table) return { results, config, lastStep: null };
  return { results: [...results, ...verifyRun(table)], config, lastStep: table.lastStep };
}

/** The first part of `verifyFile`, and the run of the minimal model in the file, where one is. */
export async function verifyAgainstItself(
  path: string,
  given: RunOptions,
  always: boolean,
): Promise<Pick<VerifiedFile, 'results' | 'config'> & { readonly table?: RunTable }> {
  const file = await openTable(path);
  const said = jsonObject(file.metadata['eos.config']);
  const other = said && otherThan(said, file);
  if (other) {
    const derived = await derivedAgain(path, file);
    const again = await madeAgain(path, file, always);
    return { results: [...(derived ? [derived] : []), again, theoryOf(other)], config: said };
  }
  const { table, facts } = await runOf(path, file, given);
  const results = [...checkFile(table, facts)];
  if (facts.config) results.push(await madeAgain(path, file, always));
  return { results, config: table.config, table };
}

/** Why the theory does not speak of a file; undefined where it does. */
function otherThan(said: Readonly<Record<string, unknown>>, { fields }: TableReader) {
  if (isLogConfig(said)) return 'a log';
  if (said.dynamics !== undefined) return `${String(said.dynamics)} beside a run`;
  if ((said.model ?? 'minimal') !== 'minimal') return `the model ${String(said.model)}`;
  return fields.some(({ name }) => name === 'step') ? undefined : 'rows without their step';
}

function theoryOf(other: string): CheckResult {
  const note = `the theory is of gradient descent on the minimal model, and this file of ${other}`;
  return {
    name: 'theory',
    statement: 'what is known of the dynamics holds',
    recomputed: [],
    ...doesNotApply(note),
  };
}
