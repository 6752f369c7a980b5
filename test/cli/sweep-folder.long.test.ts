import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimFolder, readManifest, sweepFolder } from '../../src/cli/sweep/folder.ts';
import { anySweepSpec, openAnySweep } from '../../src/pipeline/sweep/any-sweep.ts';
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

test('sweeps that are added at the same moment are all in the folder', async () => {
  const top = temporaryFolder();
  const specs = Array.from({ length: 6 }, (_, k) =>
    anySweepSpec({ eta: `0.0${k + 1}`, steps: '50' }, undefined),
  );
  for (let i = 0; i < 20; i++) {
    const folder = sweepFolder(join(top, String(i)));
    await claimFolder(folder, SPEC, false);
    await Promise.all(
      specs.map(async (spec, k) => {
        for (let turn = 0; turn < k; turn++) await new Promise(setImmediate);
        return claimFolder(folder, spec, true);
      }),
    );
    const there = await readManifest(folder);
    expect(there.map(({ sweep }) => sweep.id).sort()).toEqual(
      [SPEC, ...specs].map((spec) => openAnySweep(spec).id).sort(),
    );
    expect(new Set(there.map((place) => place.folder)).size).toBe(1);
  }
});

test('a sweep is entered whose program was killed before the manifest was written', async () => {
  const folder = sweepFolder(temporaryFolder());
  const [second, third] = ['0.3', '0.4'].map((eta) => anySweepSpec({ eta }, undefined));
  await claimFolder(folder, SPEC, false);
  const before = readFileSync(folder.manifest);
  await claimFolder(folder, second!, true);
  writeFileSync(folder.manifest, before);
  await claimFolder(folder, third!, true);
  const ids = (await readManifest(folder)).map(({ sweep }) => sweep.id);
  expect(ids).toEqual([SPEC, second!, third!].map((spec) => openAnySweep(spec).id));
});

test('a folder of another program is not taken', async () => {
  const folder = sweepFolder(temporaryFolder());
  mkdirSync(join(folder.path, '.hidden'));
  await claimFolder(folder, SPEC, false);
  const other = sweepFolder(temporaryFolder());
  writeFileSync(join(other.path, 'notes.txt'), '');
  await expect(claimFolder(other, SPEC, false)).rejects.toThrow(/not empty and holds no sweep/);
});
