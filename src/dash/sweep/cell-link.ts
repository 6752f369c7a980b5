import type { SweepTable, TableParameter } from '../../pipeline/sweep/heat-map.ts';

const CELL = 'cell:';

/** Whether a link names a run of a sweep by its parameters, rather than a file. */
export const isCell = (link: string): boolean => link.startsWith(CELL);

/** How links name a run of a sweep: by the sweep, and the parameters in which its runs differ. */
export function cellLink(
  sweep: string,
  varied: readonly TableParameter[],
  table: SweepTable,
  row: number,
): string {
  const said = varied.map(({ column }) => {
    const value = table.numbers(column)[row]!;
    return `${column}=${encodeURIComponent(table.words(column)?.[value] ?? value)}`;
  });
  return `${CELL}${sweep}:${said.join(';')}`;
}

/** The row of a sweep that a link names; undefined where it has none, or is another sweep. */
export function linkedRow(link: string, sweep: string, table: SweepTable): number | undefined {
  const start = `${CELL}${sweep}:`;
  if (!link.startsWith(start)) return undefined;
  const tests = link
    .slice(start.length)
    .split(';')
    .map((part) => part.split('='))
    .map(([column = '', text = '']) => {
      const value = decodeURIComponent(text);
      const place = table.words(column)?.indexOf(value);
      return { numbers: table.numbers(column), value: place ?? Number(value) };
    });
  for (let row = 0; row < table.length; row++)
    if (tests.every(({ numbers, value }) => numbers?.[row] === value)) return row;
  return undefined;
}
