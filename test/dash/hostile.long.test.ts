import { tableFromArrays, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { describe, expect, test } from 'vitest';
import { openBytes } from '../../src/dash/load/bytes.ts';
import { openAny } from '../../src/dash/load/open-any.ts';
import { RunFileError } from '../../src/dash/load/table.ts';
import { runFacts } from '../../src/dash/runs/facts.ts';
import { makeRows, parquetBytes } from './make-run.ts';

/** Files made of each seed; a longer campaign asks for more. */
const RUNS = Number(process.env.EOS_FUZZ_RUNS ?? 400);

const seed = parquetBytes(makeRows(600), undefined, 250);

/** Reads everything of a file; what the page would do with it. */
async function readAll(bytes: Uint8Array): Promise<number> {
  const source = await openAny(await openBytes({ kind: 'bytes', bytes: bytes.slice().buffer }));
  let values = 0;
  for (const { name } of source.columns)
    for (let group = 0; group < source.groups.length; group++)
      values += (await source.read(name, group)).length;
  runFacts(source.metadata);
  return values;
}

/** Read to the end, or refused with a message for people. */
async function survives(bytes: Uint8Array): Promise<void> {
  try {
    await readAll(bytes);
  } catch (error) {
    // A hang or a huge allocation would fail the test by time, or end its process.
    expect(error).toBeInstanceOf(RunFileError);
  }
}

/** The seed with another footer. */
function withFooter(change: (footer: FileMetaData) => void): Uint8Array {
  const buffer = seed.slice().buffer;
  const footer = parquetMetadata(buffer);
  const body = seed.slice(0, seed.length - footer.metadata_length - 8);
  const { metadata_length: _, ...rest } = footer;
  change(rest as FileMetaData);
  const writer = new ByteWriter();
  writer.appendBytes(body);
  writeMetadata(writer, rest as FileMetaData);
  writer.appendUint32(0x31524150);
  return writer.getBytes().slice();
}

test('the seed itself is whole', async () => {
  expect(await readAll(seed)).toBe(600 * 17);
});

describe('a Parquet file', () => {
  test('cut off anywhere is refused in plain words', async () => {
    for (let cut = 0; cut < seed.length; cut += 97) {
      await expect(readAll(seed.slice(0, cut))).rejects.toThrow(RunFileError);
    }
  });

  test('with flipped bits never crashes or hangs its reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(seed.length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 6,
        }),
        async (flips) => {
          const bytes = seed.slice();
          for (const [at, mask] of flips) bytes[at]! ^= mask;
          await survives(bytes);
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('with flipped bits in its footer never crashes or hangs its reader', async () => {
    const footer = parquetMetadata(seed.slice().buffer).metadata_length + 8;
    await fc.assert(
      fc.asyncProperty(fc.nat(footer - 1), fc.integer({ min: 1, max: 255 }), async (back, mask) => {
        const bytes = seed.slice();
        bytes[seed.length - 1 - back]! ^= mask;
        await survives(bytes);
      }),
      { numRuns: RUNS },
    );
  });

  test.each([
    [
      'billions of rows',
      (footer: FileMetaData) => {
        footer.num_rows = 4_000_000_000n;
      },
      /claims 4,000,000,000 rows, and its row groups have 600/,
    ],
    [
      'billions of rows in a group',
      (footer: FileMetaData) => {
        footer.num_rows += 4_000_000_000n;
        footer.row_groups[0]!.num_rows += 4_000_000_000n;
      },
      /claims 4,?000,?000,?600 rows in [\d,]+ bytes/,
    ],
    [
      'billions of values that agree',
      (footer: FileMetaData) => {
        footer.num_rows += 4_000_000_000n;
        footer.row_groups[0]!.num_rows += 4_000_000_000n;
        for (const { meta_data } of footer.row_groups[0]!.columns)
          meta_data!.num_values += 4_000_000_000n;
      },
      /claims 4,?000,?000,?600 rows in [\d,]+ bytes/,
    ],
    [
      'millions of values that are not there',
      (footer: FileMetaData) => {
        footer.num_rows += 4_000_000n;
        footer.row_groups[0]!.num_rows += 4_000_000n;
        for (const { meta_data } of footer.row_groups[0]!.columns)
          meta_data!.num_values += 4_000_000n;
      },
      /values where [\d,]+ are/,
    ],
    [
      'a column beyond the end',
      (footer: FileMetaData) => {
        footer.row_groups[1]!.columns[5]!.meta_data!.total_compressed_size = 1_000_000_000n;
      },
      /outside the file/,
    ],
    [
      'negative sizes',
      (footer: FileMetaData) => {
        footer.row_groups[1]!.columns[5]!.meta_data!.total_compressed_size = -5n;
      },
      /outside the file/,
    ],
    [
      'negative rows',
      (footer: FileMetaData) => {
        footer.row_groups[1]!.num_rows = -250n;
      },
      /claims -250 rows/,
    ],
    [
      'no columns',
      (footer: FileMetaData) => {
        footer.row_groups[1]!.columns = [];
      },
      /./,
    ],
    [
      'an unknown codec',
      (footer: FileMetaData) => {
        for (const { meta_data } of footer.row_groups[0]!.columns) meta_data!.codec = 'LZO';
      },
      /compressed by LZO, which is not read/,
    ],
  ] as const)('that claims %s is refused in plain words', async (_, change, message) => {
    await expect(readAll(withFooter(change))).rejects.toThrow(message);
  });

  test('of another kind is named as such', async () => {
    await expect(readAll(new TextEncoder().encode('step,loss\n1,2\n3,4\n'))).rejects.toThrow(
      'neither a Parquet nor an Arrow file',
    );
    await expect(readAll(new Uint8Array())).rejects.toThrow('empty or cut off');
  });
});

describe('an Arrow file', () => {
  const arrow = tableToIPC(
    tableFromArrays({
      step: BigInt64Array.from({ length: 200 }, (_, i) => BigInt(i)),
      loss: Float64Array.from({ length: 200 }, (_, i) => 1 / (i + 1)),
      phase: Array.from({ length: 200 }, (_, i) =>
        i < 99 ? 'progressive-sharpening' : 'convergence',
      ),
    }),
    'file',
  );

  test('with flipped bits never crashes or hangs its reader', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(arrow.length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        async (flips) => {
          const bytes = arrow.slice();
          for (const [at, mask] of flips) bytes[at]! ^= mask;
          try {
            const source = await openAny(await openBytes({ kind: 'bytes', bytes: bytes.buffer }));
            for (const { name } of source.columns) {
              for (let group = 0; group < source.groups.length; group++)
                await source.read(name, group);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(RunFileError);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('metadata', () => {
  test('of any shape gives facts of the right types', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (config, summary) => {
        const facts = runFacts({ 'eos.config': config, 'eos.summary': summary });
        for (const value of [
          facts.eta,
          facts.lambda1,
          facts.threshold,
          facts.summary?.maxRatio,
          facts.summary?.cycles,
        ])
          expect(['number', 'undefined']).toContain(typeof value);
        expect(Array.isArray(facts.summary?.warnings ?? [])).toBe(true);
      }),
    );
  });

  test('that is no JSON, nested deeply or far too long is a problem, not an exception', () => {
    for (const json of ['{', '['.repeat(1e5), `"${'x'.repeat(5e6)}"`]) {
      expect(runFacts({ 'eos.config': json }).problems).toEqual([
        'its eos.config is not readable JSON',
      ]);
    }
    expect(runFacts({ 'eos.config': '['.repeat(1e5) + ']'.repeat(1e5) }).eta).toBeUndefined();
  });

  test('strings are cut, whatever their length', () => {
    const facts = runFacts({
      'eos.summary': JSON.stringify({ outcome: 'x'.repeat(1e5), warnings: ['y'.repeat(1e5)] }),
    });
    expect(facts.summary?.outcome).toHaveLength(200);
    expect(facts.summary?.warnings[0]).toHaveLength(200);
  });
});
