import { count, plainNumber, plural } from '../../pipeline/format.ts';
import { type Changed, type Difference, isSame } from './compare.ts';

/** What two runs differ in, for people. */
export function differenceLines(difference: Difference): string[] {
  const { files, parameters, outcome, columns, rows } = difference;
  if (isSame(difference))
    return [`the same: ${plural(rows.compared, 'row')}, parameters and outcome`];
  const lines: string[] = [];
  const list = (title: string, changes: readonly Changed[]) => {
    if (changes.length === 0) return;
    lines.push(title);
    for (const { name, values } of changes)
      lines.push(`  ${name}: ${values.map(shown).join(' → ')}`);
  };
  list('parameters', parameters);
  list('outcome', outcome);
  files.forEach((file, i) => {
    const names = columns.only[i]!;
    if (names.length > 0) lines.push(`only ${file} has the columns ${names.join(', ')}`);
    if (rows.only[i]! > 0)
      lines.push(`only ${file} has ${plural(rows.only[i]!, 'row')} of ${count(rows.counts[i]!)}`);
  });
  if (!rows.first) {
    lines.push(`rows of the same step: all ${count(rows.compared)} are the same`);
    return lines;
  }
  lines.push(
    `rows of the same step: ${count(rows.differing)} of ${count(rows.compared)} differ, the ` +
      `first at step ${count(rows.first.step)}`,
  );
  for (const { name, values, difference: by } of rows.first.values) {
    const apart = by === null ? '' : `, by ${plainNumber(by, 3)}${relative(by, values[0])}`;
    lines.push(`  ${name}: ${values.map(shown).join(' → ')}${apart}`);
  }
  return lines;
}

function relative(by: number, from: unknown): string {
  return typeof from === 'number' && from !== 0
    ? ` (${plainNumber(by / Math.abs(from), 2)} of it)`
    : '';
}

/** A value in full: digits are what a difference is about. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
