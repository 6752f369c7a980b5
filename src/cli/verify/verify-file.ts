import { otherThanRun, theoryOfOther } from '../../pipeline/formats/stored-run.ts';
import { jsonObject } from '../../pipeline/formats/table-file.ts';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import type { CheckResult } from '../../pipeline/theory/check.ts';
import { checkFile } from '../../pipeline/theory/file-check.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { verifyRun } from '../../pipeline/theory/verify.ts';
import { openTable } from '../inspect/table-reader.ts';
import { derivedAgain, MOST_WORK, madeAgain } from './made-again.ts';
import { networkChecks } from './network-checks.ts';
import { runOf, storedRun } from './read-run.ts';
import { PART_KEY, verifyPart } from './sweep-part.ts';

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
  if (file.metadata[PART_KEY] !== undefined)
    return { results: await verifyPart(path, file, always, MOST_WORK), config: null };
  const said = jsonObject(file.metadata['eos.config']);
  const other = otherThanRun(storedRun(file));
  if (other) {
    const derived = await derivedAgain(path, file);
    const again = await madeAgain(path, file, always);
    const results = [
      ...(derived ? [derived] : []),
      again,
      ...(isNetworkRun(said) ? await networkChecks(file, MOST_WORK) : []),
      theoryOfOther(other),
    ];
    return { results, config: said };
  }
  const { table, facts } = await runOf(path, file, given);
  const results = [...checkFile(table, facts)];
  if (facts.config) results.push(await madeAgain(path, file, always));
  return { results, config: table.config, table };
}

/** Whether the rows are those of the training of a network itself. */
const isNetworkRun = (said: Readonly<Record<string, unknown>> | null): boolean =>
  said?.model === 'mlp' && said.dynamics === undefined && said.weights === undefined;
