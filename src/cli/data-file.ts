import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { ConfigError, readValue } from '../pipeline/core/parameters.ts';
import {
  type DataChoice,
  type DataColumn,
  dataOfTable,
  isDataFile,
  isKept,
  keepData,
} from '../pipeline/models/network/data/table-data.ts';
import { networkParameters } from '../pipeline/models/network/parameters.ts';
import { guessDelimiter, splitCells } from '../pipeline/sources/training-log/delimited.ts';
import { UsageError } from './errors.ts';
import type { OnRead } from './reader/job.ts';
import { openTableFile, reading } from './reader/reading.ts';

/** Samples of which the kernel can still measure a sharpness are far fewer. */
const LARGEST = 1 << 27;

/**
 * Reads the file that the options of a network name as its data, so that runs can be made of it;
 * does nothing where they name none.
 *
 * @throws UsageError where it is missing or of no use
 */
export async function loadDataOf(said: object): Promise<void> {
  const { data, target = null, raw: switched = false } = said as Partial<DataChoice>;
  if (typeof data !== 'string' || !isDataFile(data)) return;
  const raw = readValue('raw', networkParameters.raw, switched);
  const choice = { data, target, raw };
  if (isKept(choice)) return;
  const { columns, hash } = await reading().job(`--data: ${data}`, dataJob, data);
  keepData(choice, dataOfTable(columns, choice, hash));
}

/** The same for each file that the axes of a sweep name. */
export async function loadDataOfAxes(axes: Readonly<Record<string, string | undefined>>) {
  for (const data of axes.data?.split(',') ?? [])
    for (const target of axes.target?.split(',') ?? [null])
      for (const raw of axes.raw?.split(',') ?? [false])
        await loadDataOf({ data: data.trim(), target: target?.trim() ?? null, raw });
}

/** A table of samples, and a hash of its file. */
interface ReadData {
  readonly columns: readonly DataColumn[];
  readonly hash: string;
}

async function readData(read: OnRead, path: string): Promise<ReadData> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new UsageError(`--data: ${path}: ${why}`);
  });
  if (!there.isFile()) throw new UsageError(`--data: ${path} is not a file`);
  if (there.size > LARGEST)
    throw new UsageError(`--data: ${path} is larger than 128 MB; give fewer samples`);
  read(there.size);
  const bytes = await readFile(path);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const columns = /\.parquet$/i.test(path)
    ? await tableColumns(read, path)
    : delimitedColumns(path, bytes.toString('utf8').replace(/^\ufeff/, ''));
  return { columns, hash };
}

export const dataJob = { name: 'data', work: readData } as const;

async function tableColumns(read: OnRead, path: string): Promise<DataColumn[]> {
  const table = await openTableFile(path);
  const columns: DataColumn[] = [];
  for (const [field, { name, kind }] of table.fields.entries()) {
    if (kind !== 'number' && kind !== 'text')
      throw new ConfigError('data', `column '${name}' of ${path} holds neither numbers nor texts`);
    const values: unknown[] = [];
    for (let group = 0; group < table.groups.length; group++) {
      const part = await table.read(field, group);
      // A cell takes more time than its bytes where it is packed.
      read(8 * part.length);
      for (let i = 0; i < part.length; i++) values.push(part[i]);
    }
    columns.push({ name, values });
  }
  return columns;
}

function delimitedColumns(path: string, text: string): DataColumn[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new ConfigError('data', `${path} is empty`);
  const delimiter = guessDelimiter(lines[0]!);
  const cells = (line: string, number: number) => {
    const found = delimiter === null ? [line.trim()] : splitCells(line, delimiter);
    if (found) return found.map((cell) => cell.trim());
    throw new ConfigError('data', `${path}, row ${number}: a quote is not closed`);
  };
  const names = cells(lines[0]!, 0);
  if (names.every((name) => name !== '' && Number.isFinite(Number(name))))
    throw new ConfigError('data', `${path} has no names of columns in its first line`);
  const rows = lines.slice(1).map((line, i) => {
    const row = cells(line, i + 1);
    if (row.length === names.length) return row;
    throw new ConfigError(
      'data',
      `${path} has ${row.length} cells in row ${i + 1}, and ${names.length} names of columns`,
    );
  });
  return names.map((name, c) => ({ name, values: rows.map((row) => row[c]!) }));
}
