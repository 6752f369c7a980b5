import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DamagedFileError } from '../../src/pipeline/formats/file-errors.ts';
import { readNpy } from '../../src/pipeline/formats/npy.ts';
import { readZip } from '../../src/pipeline/formats/zip.ts';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const sample = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../sources/training-log/formats', name)));

describeWith(['python'], 'arrays that NumPy wrote', () => {
  test('are read in every type, order of bytes and axes, version of the format', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eos-npy-'));
    const said = (await python(
      `
import sys, json, numpy as np
folder = sys.argv[1]; said = []
def keep(a, **more):
    name = f'{folder}/{len(said)}.npy'
    with open(name, 'wb') as f: np.lib.format.write_array(f, a, **more)
    said.append([name, a.astype('f8').tolist()])
for kind in ['b1', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f2', 'f4', 'f8']:
    for order in '<>':
        a = np.arange(6).reshape(2, 3).astype(order + kind)
        if kind[0] == 'i': a = (a - 3).astype(order + kind)
        if kind[0] == 'f': a = (a / 4 - 0.75).astype(order + kind)
        keep(a); keep(np.asfortranarray(a))
for version in [(1, 0), (2, 0), (3, 0)]: keep(np.arange(4.0), version=version)
keep(np.array(2.5)); keep(np.arange(24.0).reshape(2, 3, 4)); keep(np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
keep(np.array([65504, 6e-8, 1.5], 'f2')); keep(np.zeros(0))
print(json.dumps(said))
`,
      [folder],
    )) as [string, unknown][];
    expect(said.length).toBeGreaterThan(50);
    for (const [name, values] of said)
      expect(readNpy(new Uint8Array(readFileSync(name))).values).toEqual(values);
    removeFolder(folder);
  });
});

test('records are read field by field', () => {
  const { values } = readNpy(sample('records.npy'));
  expect(Object.keys(values)).toEqual(['step', 'loss', 'eigs']);
  const { step, eigs } = values as Readonly<Record<string, unknown>>;
  expect(step).toEqual([0, 2, 4, 6, 8]);
  expect(eigs).toEqual([
    [10.1, 3],
    [12, 4],
    [15, 5],
    [18, 6],
    [20, 7],
  ]);
});

describe.each(['run.npz', 'run-compressed.npz'])('%s', (name) => {
  const bytes = sample(name);

  test('holds arrays that are read', async () => {
    const entries = readZip(bytes, 1 << 20);
    const loss = entries.find((entry) => entry.name.endsWith('loss.npy'))!;
    const { values } = readNpy(await loss.read());
    expect((values as number[]).map((value) => Math.fround(value))).toEqual(
      [2.5, 2.2, 2, 1.8, 1.7].map(Math.fround),
    );
  });

  test('is refused in one line wherever it is cut off or a byte of it is another', async () => {
    const read = async (part: Uint8Array) => {
      for (const entry of readZip(part, 1 << 20)) readNpy(await entry.read());
    };
    for (let at = 0; at < bytes.length; at += 3) {
      const cut = await read(bytes.subarray(0, at)).catch((error: unknown) => error);
      expect(cut).toBeInstanceOf(DamagedFileError);
      const changed = bytes.slice();
      changed[at]! ^= 0x55;
      const error = await read(changed).catch((each: unknown) => each);
      if (error !== undefined) expect(error).toBeInstanceOf(DamagedFileError);
    }
  });
});

test('an array that claims more than it holds is refused', () => {
  const bytes = sample('loss.npy');
  const text = new TextDecoder('latin1').decode(bytes).replace('(5,)', '(9,)');
  const changed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  expect(() => readNpy(changed)).toThrow(DamagedFileError);
  expect(() => readNpy(bytes.subarray(0, bytes.length - 1))).toThrow('it ends before its 5 values');
});
