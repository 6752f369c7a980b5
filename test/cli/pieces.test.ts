import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inPieces } from '../../src/cli/reader/pieces.ts';
import { UnsupportedFileError } from '../../src/pipeline/formats/file-errors.ts';
import type { TableFile, Values } from '../../src/pipeline/formats/table-file.ts';

const MEGABYTE = 1 << 20;

/** A table of row groups of these columns, which counts how often it is read. */
function tableOf(groups: readonly (readonly Values[])[]) {
  const reads: string[] = [];
  const table = {
    groups: groups.map(([first]) => ({ rows: first!.length })),
    read: async (field: number, group: number) => {
      reads.push(`${field} of ${group}`);
      return groups[group]![field]!;
    },
  } as unknown as TableFile;
  return { table: inPieces(table), reads };
}

const column = (rows: number) =>
  fc.oneof(
    fc.constant(Float64Array.from({ length: rows }, (_, i) => i)),
    fc.array(
      fc.oneof(
        fc.constant(null),
        fc.nat(40).map((n) => 'x'.repeat(n * 10_000)),
      ),
      {
        minLength: rows,
        maxLength: rows,
      },
    ),
  );

test('pieces of a row group are its rows, none too large, each column read once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.nat(200).chain((rows) => fc.tuple(column(rows), column(rows))),
        { maxLength: 3 },
      ),
      async (groups) => {
        const { table, reads } = tableOf(groups);
        for (const [group, columns] of groups.entries()) {
          const rows = columns[0].length;
          const parts: unknown[][] = [[], []];
          for (let from = 0; from < rows; ) {
            const piece = await table.read([0, 1], group, from);
            expect(piece.length).toBeGreaterThan(0);
            const texts = piece.columns.flatMap((values) => Array.from(values));
            const characters = texts.reduce<number>(
              (sum, value) => sum + (typeof value === 'string' ? value.length : 0),
              0,
            );
            expect(2 * characters).toBeLessThanOrEqual(16 * MEGABYTE);
            for (const [c, values] of piece.columns.entries())
              parts[c]!.push(...Array.from(values));
            from += piece.length;
          }
          expect(parts).toEqual(columns.map((values: Values) => Array.from(values)));
        }
        expect(new Set(reads).size).toBe(reads.length);
      },
    ),
    { numRuns: 50 },
  );
});

test('a row that alone is larger is refused', async () => {
  const { table } = tableOf([[['short', 'x'.repeat(9 * MEGABYTE)]]]);
  expect(await table.read([0], 0, 0)).toMatchObject({ length: 1, columns: [['short']] });
  await expect(table.read([0], 0, 1)).rejects.toThrow(UnsupportedFileError);
});
