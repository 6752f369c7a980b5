import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { concatMap, lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { DamagedFileError } from '../../src/pipeline/formats/file-errors.ts';
import { checkIntegrity, type Integrity } from '../../src/pipeline/formats/integrity.ts';
import { arrowSink, gradientDescent, memoryTarget, parquetSink } from '../../src/pipeline/index.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';

const FLIPS = 300;

async function written(kind: 'parquet' | 'arrow', compression: 'none' | 'snappy' = 'none') {
  const target = memoryTarget();
  const sink = kind === 'parquet' ? parquetSink(target, { compression }) : arrowSink(target);
  const run = gradientDescent({ preset: 'three-phases', steps: 700 });
  await lastValueFrom(
    run.pipe(
      classifySharpness(),
      sink as never,
      concatMap(() => []),
    ),
    {
      defaultValue: undefined,
    },
  );
  return target.bytes();
}

/** What is told of these bytes; a file that cannot be opened is told of as well. */
function told(bytes: Uint8Array): Promise<Integrity | DamagedFileError> {
  return checkIntegrity(memorySource(bytes)).catch((error: unknown) => {
    expect(error).toBeInstanceOf(DamagedFileError);
    return error as DamagedFileError;
  });
}

const isIntact = (found: Integrity | DamagedFileError): boolean =>
  !(found instanceof DamagedFileError) && found.covered && found.problems.length === 0;

describe.each([
  ['Parquet', 'parquet', 'none'],
  ['Parquet with packed numbers', 'parquet', 'snappy'],
  ['Arrow', 'arrow', 'none'],
] as const)('%s', (_, kind, compression) => {
  test('a file as it was written is covered by its checksums', async () => {
    const found = await told(await written(kind, compression));
    expect(found).toMatchObject({ kind, covered: true, problems: [], groups: 1 });
  });

  test(`${FLIPS} of ${FLIPS} flipped bits are told`, async () => {
    const bytes = await written(kind, compression);
    const flip = async (at: number, bit: number) => {
      const spoiled = bytes.slice();
      spoiled[at]! ^= 1 << bit;
      return isIntact(await told(spoiled));
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        expect([at, bit, await flip(at, bit)]).toEqual([at, bit, false]);
      }),
      { numRuns: FLIPS },
    );
    // Where lengths and magic stand, all of them.
    for (let back = 1; back <= 12; back++) {
      for (let bit = 0; bit < 8; bit++) {
        expect(await flip(bytes.length - back, bit)).toBe(false);
        expect(await flip(back - 1, bit)).toBe(false);
      }
    }
  });

  test('a file that was cut off or has something behind it is told', async () => {
    const bytes = await written(kind, compression);
    for (const cut of [1, 9, 100, bytes.length >> 1])
      expect(isIntact(await told(bytes.slice(0, -cut)))).toBe(false);
    expect(isIntact(await told(Uint8Array.from([...bytes, 0])))).toBe(false);
  });
});

test('the run that comes with the package is as it was written', async () => {
  const sample = readFileSync(new URL('../../data/three-phases.parquet', import.meta.url));
  expect(isIntact(await told(sample))).toBe(true);
});
