import { type ColumnStore, lowerBound } from './columns.ts';

/** Rows that are joined into one string at a time. */
const CSV_ROWS = 4096;

/** The rows of [from, to] as CSV, values as they stand in the file. */
export async function csv(
  store: ColumnStore,
  columns: readonly string[],
  from: number,
  to: number,
): Promise<Blob> {
  const groups = (await store.groupsIn(from, to)) as number[];
  const parts: string[] = [`${['step', ...columns].join(',')}\n`];
  await store.visit(
    groups,
    (group) => Promise.all(['step', ...columns].map((column) => store.values(column, group))),
    (values) => {
      const step = values[0]!;
      const words = columns.map((column) => store.source.words(column));
      let lines: string[] = [];
      for (let i = lowerBound(step, from); i < lowerBound(step, to, true); i++) {
        const cells = columns.map((_, c) =>
          words[c]!.length > 0
            ? quoted(words[c]![values[c + 1]![i]!] ?? '')
            : String(values[c + 1]![i]),
        );
        lines.push(`${step[i]},${cells.join(',')}\n`);
        if (lines.length < CSV_ROWS) continue;
        parts.push(lines.join(''));
        lines = [];
      }
      parts.push(lines.join(''));
    },
  );
  return new Blob(parts, { type: 'text/csv' });
}

/** A cell that no spreadsheet takes for a formula and no reader splits. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
