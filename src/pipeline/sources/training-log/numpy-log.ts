import { UnsupportedFileError } from '../../formats/file-errors.ts';
import { type NumberLists, type NumpyArray, readNpy } from '../../formats/npy.ts';
import { readZip } from '../../formats/zip.ts';
import { stemOf } from './column-names.ts';
import { LogError } from './log-error.ts';
import { nameKind } from './name-kinds.ts';
import { conversionOf } from './sniff.ts';

/** Bytes that an array of an archive may unpack to. */
const LARGEST = 1 << 28;

/** Arrays by name, and numbers that stand alone: a document that is read as one of JSON is. */
export type Arrays = Readonly<Record<string, NumberLists>>;

/**
 * The arrays of a .npy file, called by the file's name, or of a .npz file, called by their own.
 * @throws LogError where nothing in it can be read
 */
export async function readNumpy(
  format: 'npy' | 'npz',
  bytes: Uint8Array,
  title: string,
): Promise<Arrays> {
  try {
    return format === 'npy' ? arraysOf(stemOf(title), readNpy(bytes)) : await readNpz(bytes);
  } catch (error) {
    if (error instanceof LogError) throw error;
    throw new LogError(`a .${format} file: ${error instanceof Error ? error.message : error}`);
  }
}

/** How Python loads what it has pickled, without running any of it. */
const PICKLED = "'FILE', map_location='cpu', weights_only=False";

async function readNpz(bytes: Uint8Array): Promise<Arrays> {
  const entries = readZip(bytes, LARGEST);
  if (entries.some(({ name }) => name.endsWith('data.pkl')))
    throw new LogError(
      'a .pt file, which only Python reads; write it as CSV there (with the names that yours ' +
        `has): ${conversionOf(`import torch; d = torch.load(${PICKLED})`)}`,
    );
  const all: Record<string, NumberLists> = {};
  const passed: string[] = [];
  for (const entry of entries) {
    if (!entry.name.endsWith('.npy')) continue;
    try {
      Object.assign(all, arraysOf(entry.name.slice(0, -4), readNpy(await entry.read())));
    } catch (error) {
      if (!(error instanceof UnsupportedFileError)) throw error;
      passed.push(`${entry.name}: ${error.message}`);
    }
  }
  if (Object.keys(all).length > 0) return all;
  throw new LogError(passed[0] ?? 'a zip archive without arrays of NumPy');
}

function arraysOf(name: string, { values }: NumpyArray): Arrays {
  if (typeof values === 'number') return { [name]: values };
  if (!Array.isArray(values)) return values as Arrays;
  const rows = values as readonly NumberLists[];
  // A row or a column of numbers is a list of them.
  if (rows.length === 1 && Array.isArray(rows[0])) return { [name]: rows[0] };
  const sides = rows.map((row) => (Array.isArray(row) ? row.length : 0));
  const width = sides[0] ?? 0;
  if (width === 1) return { [name]: rows.flat() as NumberLists };
  // Rows of a name that says nothing are the cells of a table without a header.
  if (width > 1 && nameKind(name) === null)
    return Object.fromEntries(
      Array.from({ length: width }, (_, i) => [
        String(i + 1),
        rows.map((row) => (row as readonly NumberLists[])[i]!),
      ]),
    );
  return { [name]: rows };
}
