import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimFolder, sweepFolder } from '../../src/cli/sweep/folder.ts';
import { anySweepSpec } from '../../src/pipeline/sweep/any-sweep.ts';
import { temporaryFolder } from '../setup/eos.ts';

const SPEC = anySweepSpec({ eta: '0.02:0.2:log:6', steps: '50' }, undefined);

test('whoever comes at the same moment finds one folder of the sweep', async () => {
  const top = temporaryFolder();
  for (let i = 0; i < 60; i++) {
    const folder = sweepFolder(join(top, String(i)));
    // Each of them some turns of the loop later: one looks while another enters the sweep.
    const places = await Promise.all(
      Array.from({ length: 8 }, async (_, k) => {
        for (let turn = 0; turn < 2 * k; turn++) await new Promise(setImmediate);
        return claimFolder(folder, SPEC, false);
      }),
    );
    expect(new Set(places.map((place) => place.folder)).size).toBe(1);
  }
});

test('a folder of another program is not taken', async () => {
  const folder = sweepFolder(temporaryFolder());
  mkdirSync(join(folder.path, '.hidden'));
  await claimFolder(folder, SPEC, false);
  const other = sweepFolder(temporaryFolder());
  writeFileSync(join(other.path, 'notes.txt'), '');
  await expect(claimFolder(other, SPEC, false)).rejects.toThrow(/not empty and holds no sweep/);
});
