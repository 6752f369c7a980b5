import { concatMap, lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { DamagedFileError } from '../../src/pipeline/formats/file-errors.ts';
import { checkIntegrity } from '../../src/pipeline/formats/integrity.ts';
import {
  decodeParquetFooter,
  storedParquet,
} from '../../src/pipeline/formats/parquet/stored-parquet.ts';
import { gradientDescent, memoryTarget, parquetSink } from '../../src/pipeline/index.ts';

/** What is not an error that speaks of the file. */
async function stumbles(read: () => unknown): Promise<string | undefined> {
  try {
    await read();
    return undefined;
  } catch (error) {
    return error instanceof DamagedFileError ? undefined : String(error);
  }
}

test('every flipped bit of a footer is told, and no reader stumbles over one', async () => {
  const target = memoryTarget();
  await lastValueFrom(
    gradientDescent({ steps: 9 }).pipe(
      parquetSink(target),
      concatMap(() => []),
    ),
    { defaultValue: undefined },
  );
  const bytes = target.bytes();
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
  const start = bytes.length - 8 - length;
  const problems: string[] = [];
  for (let at = start; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const spoiled = bytes.slice();
      spoiled[at]! ^= 1 << bit;
      const source = memorySource(spoiled);
      const check = async () => {
        const { covered, problems } = await checkIntegrity(source);
        if (covered && problems.length === 0) throw new Error('taken for whole');
      };
      const recover = () => storedParquet(source, decodeParquetFooter(spoiled), start);
      for (const read of [check, recover]) {
        const problem = await stumbles(read);
        if (problem !== undefined) problems.push(`byte ${at}, bit ${bit}: ${problem}`);
      }
    }
  }
  expect(problems).toEqual([]);
});
