import {
  otherThanRun,
  readStoredRun,
  type StoredRun,
  StoredRunError,
  theoryOfOther,
} from '../../pipeline/formats/stored-run.ts';
import { checkFile } from '../../pipeline/theory/file-check.ts';
import { verifyRun } from '../../pipeline/theory/verify.ts';
import { serve, type WorkerScope } from '../load/serve-table.ts';
import { RunFileError } from '../load/table.ts';
import type { CheckApi, ReadRun } from './check-protocol.ts';

const api: CheckApi = {
  async check(run) {
    const file = stored(run);
    const other = otherThanRun(file);
    if (other) return [theoryOfOther(other)];
    try {
      const { table, facts } = await readStoredRun(file);
      return [...checkFile(table, facts), ...verifyRun(table)];
    } catch (error) {
      if (error instanceof StoredRunError) throw new RunFileError(`it${error.message}`);
      throw error;
    }
  },
};

const stored = ({ rows, metadata, names, columns }: ReadRun): StoredRun => ({
  rows,
  metadata,
  columns: names,
  async *read(wanted) {
    yield Object.fromEntries(
      wanted.map((name) => {
        const { values, words } = columns[name]!;
        return [name, words.length === 0 ? values : Array.from(values, (code) => words[code])];
      }),
    );
  },
});

serve(self as unknown as WorkerScope, api);
