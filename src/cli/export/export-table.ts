import { extname } from 'node:path';
import type { TableField } from '../../pipeline/formats/table-file.ts';
import { refuseAddress, UsageError } from '../errors.ts';
import { openTable } from '../inspect/table-reader.ts';
import {
  type Encoder,
  EXPORT_FORMATS,
  type ExportFormat,
  encodeCsv,
  encodeJson,
  encodeNdjson,
} from './encode.ts';
import { pickFields, type Selection, selectRows } from './selection.ts';

export interface ExportRequest extends Selection {
  readonly file: string;
  readonly format: ExportFormat | undefined;
  /** File to write; standard output unless given, or for `-`. */
  readonly out: string | undefined;
  readonly force: boolean;
}

/** Carries out `eos export`: writes rows of a table in another format. */
export async function exportTable(request: ExportRequest): Promise<void> {
  const { file, out, force } = request;
  if (out !== undefined) refuseAddress('out', out);
  const format = formatOf(request);
  const table = await openTable(file);
  const fields = pickFields(file, table, request.columns);
  const names = fields.map(({ name }) => name);
  if (request.columns === undefined) tellLeftOut(table.fields.filter((f) => !fields.includes(f)));
  const encode = await encoderOf(format, table.metadata);
  const pieces = encode(fields, selectRows(table, names, request));
  if (out === undefined || out === '-') await toStdout(pieces);
  else await toFile(pieces, out, force, format);
}

function tellLeftOut(fields: readonly TableField[]): void {
  if (fields.length === 0) return;
  const names = fields.map(({ name }) => name).join(', ');
  process.stderr.write(
    `left out: ${names}; lists, structs, and second columns of one name are not exported\n`,
  );
}

async function encoderOf(
  format: ExportFormat,
  metadata: Readonly<Record<string, string>>,
): Promise<Encoder> {
  if (format === 'arrow') return (await import('./encode-arrow.ts')).arrowEncoder(metadata);
  return { csv: encodeCsv, json: encodeJson, ndjson: encodeNdjson }[format];
}

/** The format that was named, else the one that the ending of the output says. */
function formatOf({ format, out }: ExportRequest): ExportFormat {
  const ending = extname(out ?? '').slice(1);
  const meant = EXPORT_FORMATS.find((each) => each === ending);
  if (format === undefined && meant === undefined)
    throw new UsageError(
      `no format was named; give one of ${EXPORT_FORMATS.map((name) => `--${name}`).join(', ')}`,
    );
  return format ?? meant!;
}

async function toStdout(pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  // Not `once`: it would listen for errors too, and a reader that leaves is none.
  for await (const piece of pieces)
    if (!process.stdout.write(piece))
      await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()));
}

async function toFile(
  pieces: AsyncIterable<string | Uint8Array>,
  path: string,
  force: boolean,
  format: ExportFormat,
): Promise<void> {
  const { checkOutput } = await import('../output-file.ts');
  const { atomicFile } = await import('../../pipeline/node/atomic-file.ts');
  await checkOutput('out', path, undefined, { force }, format);
  const { withDraft } = await import('../../pipeline/node/draft.ts');
  await withDraft(path, async (draft) => {
    const target = atomicFile(path, draft);
    try {
      for await (const piece of pieces)
        await target.write(typeof piece === 'string' ? Buffer.from(piece) : piece);
      await target.commit();
    } catch (error) {
      await target.abort();
      throw error;
    }
  });
}
