import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertSame } from '../../bench/compare.ts';
import { PHASES, REGIMES } from '../../src/pipeline/models/minimal/columns.ts';
import { describeWith, part, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

type Row = Readonly<Record<string, number | string>>;

describeWith(['cc'], 'the C peer', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'eos-kernel-'));
    execFileSync(part('cc'), [
      '-O3',
      '-o',
      join(folder, 'kernel'),
      join(root, 'bench/peers/kernel.c'),
      '-lm',
    ]);
  });
  afterAll(() => removeFolder(folder));

  test('computes the columns of the reference run', () => {
    const output = execFileSync(join(folder, 'kernel'), ['W1', '10000', '0.01'], {
      encoding: 'utf8',
    });
    const { check } = JSON.parse(output) as { check: Record<string, number> };
    const { rows } = JSON.parse(readFileSync(join(root, 'test/reference/paper.json'), 'utf8')) as {
      rows: Row[];
    };
    const reference = Object.fromEntries(rows.flatMap(numbers));
    expect(Object.keys(check).filter((name) => name in reference)).toHaveLength(80);
    assertSame('C against the reference', check, reference);
  });

  test('sums up the same where it looks at S only where bounds leave it open', () => {
    const sums = (work: string) => {
      const output = execFileSync(join(folder, 'kernel'), [work, '10000', '0.1', '200'], {
        encoding: 'utf8',
      });
      return (JSON.parse(output) as { check: Record<string, number> }).check;
    };
    expect(Object.keys(sums('W3'))).toHaveLength(12);
    assertSame('C against itself', sums('W3'), sums('W3-bounds'));
  });
});

/** A row as the peers print it, words as codes. */
function numbers({ step, ...row }: Row): [string, number][] {
  return Object.entries(row).map(([name, value]) => {
    if (name === 'regime') return [`${step}.regime`, REGIMES.findIndex((word) => word === value)];
    if (name === 'phase') return [`${step}.phase`, PHASES.findIndex((word) => word === value)];
    return [`${step}.${name}`, Number(value)];
  });
}
