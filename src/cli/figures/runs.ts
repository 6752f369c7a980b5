import type { RunColumn } from '../../pipeline/columns.ts';
import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { UsageError } from '../errors.ts';
import { readRun } from '../verify/read-run.ts';
import { makeRun } from '../verify/run-preset.ts';
import type { FigureSpec } from './figure.ts';

/** What figures draw, or draw of. */
const DRAWN: readonly RunColumn[] = ['loss', 'l1', 'l2', 'l_hat', 'sharpness', 'gfs_sharpness', 'balance'];
const THETA: readonly RunColumn[] = ['alpha', 'beta1', 'beta2'];

/** The run of each figure: made of its preset, once, or read from a file. */
export function runsFor(file: string | undefined): (figure: FigureSpec) => Promise<RunTable> {
  const made = new Map<string, Promise<RunTable>>();
  return ({ preset }) => {
    const key = file ?? preset;
    const known = made.get(key) ?? (file === undefined ? makeRun({ preset }) : readFigureRun(file));
    made.set(key, known);
    return known;
  };
}

async function readFigureRun(file: string): Promise<RunTable> {
  const table = await readRun(file, {}, ['step', 'phase', ...THETA, ...DRAWN]);
  const missing = [...THETA, ...DRAWN].filter((name) => !table.has(name));
  if (missing.length === 0) return table;
  throw new UsageError(`--run: ${file} has no ${missing.join(', ')}, which the figures draw`);
}
