import type { Integrity } from '../../pipeline/formats/integrity.ts';
import type { TableFile } from '../../pipeline/formats/table-file.ts';
import type { OpenLogOptions } from '../../pipeline/node/open-log.ts';
import type { LogSource } from '../../pipeline/sources/training-log/feed.ts';
import type { Job } from './job.ts';
import { inPieces, type TableInPieces } from './pieces.ts';

/** How files are read that anybody may have written. */
export interface Reading {
  /**
   * Opens a Parquet or Arrow file; a `.partial` counts as far as it is safe.
   * @throws DamagedFileError
   */
  openTable(path: string): Promise<TableInPieces>;
  /** Compares a table file with its checksums. @throws DamagedFileError */
  checkIntegrity(path: string): Promise<Integrity>;
  /** Opens a log, or several files of one run. @throws LogError */
  openLog(paths: readonly string[], options: OpenLogOptions): Promise<LogSource>;
  /** Does a job as a whole. @param what the file, as an error should name it */
  job<Call extends readonly unknown[], Made>(
    what: string,
    job: Job<Call, Made>,
    ...call: Call
  ): Promise<Made>;
  /** Gets ready to open these, while the command that will is still loading. */
  prepareLog?(paths: readonly string[]): void;
}

/** Opens a table in this very process. */
export async function openTableFile(path: string): Promise<TableFile> {
  const { openTable } = await import('../../pipeline/formats/open-table.ts');
  const { PARTIAL } = await import('../../pipeline/node/file-target.ts');
  if (path.endsWith(PARTIAL)) {
    const { partialSource } = await import('../../pipeline/node/stored-file.ts');
    return openTable(await partialSource(path));
  }
  const { pathSource } = await import('../../pipeline/node/path-source.ts');
  return openTable(await pathSource(path));
}

/** Reads them in this very process. */
export const here: Reading = {
  openTable: async (path) => inPieces(await openTableFile(path)),
  async checkIntegrity(path) {
    const { checkIntegrity } = await import('../../pipeline/formats/integrity.ts');
    const { pathSource } = await import('../../pipeline/node/path-source.ts');
    return checkIntegrity(await pathSource(path));
  },
  async openLog([path = '', ...others], options) {
    const { openLog } = await import('../../pipeline/node/open-log.ts');
    const rest = await Promise.all(others.map((each) => openLog(each)));
    const input = await openLog(path, options);
    // A folder is several files already.
    const all = [...(input.others ?? []), ...rest];
    return all.length > 0 ? { ...input, others: all } : input;
  },
  job: (_what, { work }, ...call) => work(() => {}, ...call),
};

let chosen = here;

/** How files are read by whatever asks from now on. */
export function readBy(reading: Reading): void {
  chosen = reading;
}

export const reading = (): Reading => chosen;
