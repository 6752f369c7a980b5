import type { RunTable } from '../../pipeline/theory/run-table.ts';
import { readRun } from '../verify/read-run.ts';
import { makeRun } from '../verify/run-preset.ts';
import type { FigureSpec } from './figure.ts';

/**
 * The run of each figure: made of its preset, once, or read from a file, of which `columns` are
 * read where it has them.
 */
export function runsFor(
  file: string | undefined,
  figures: readonly FigureSpec[],
): (figure: FigureSpec) => Promise<RunTable> {
  const made = new Map<string, Promise<RunTable>>();
  const columns = [
    ...new Set([
      'step',
      'phase',
      'alpha',
      'beta1',
      'beta2',
      ...figures.flatMap(({ needs }) => needs),
    ] as const),
  ];
  const readFrom = async (path: string) => (await readRun(path, {}, columns)).table;
  return ({ preset }) => {
    const key = file ?? preset;
    const known = made.get(key) ?? (file === undefined ? makeRun({ preset }) : readFrom(file));
    made.set(key, known);
    return known;
  };
}
