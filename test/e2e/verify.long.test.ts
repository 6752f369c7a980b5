import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { run, underflowed } from '../theory/run.ts';

interface Report {
  readonly failed: boolean;
  readonly last_step: number;
  readonly checks: readonly {
    readonly name: string;
    readonly statement: string;
    readonly verdict: string;
    readonly measured: number | null;
    readonly recomputed: readonly string[];
    readonly note?: string;
  }[];
}

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await eos(['verify', '--json', ...args]);
  expect(stderr).toBe('');
  return { code, report: JSON.parse(stdout) as Report };
};

const verdict = (report: Report, name: string) =>
  report.checks.find((check) => check.name === name)!.verdict;

describe('eos verify of a preset', () => {
  test.each(['paper', 'figure3', 'three-phases', 'gradient-flow'])(
    '%s: nothing fails, exit code 0',
    async (preset) => {
      const { code, report } = await json('--preset', preset);
      expect(code).toBe(0);
      expect(report.failed).toBe(false);
      expect(report.checks.map((check) => check.verdict)).not.toContain('fails');
    },
  );

  test('prints each check with its statement and verdict, and how many of each', async () => {
    const { code, stdout, stderr } = await eos(['verify', '--preset', 'three-phases']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('✓ global-convergence       holds');
    expect(stdout).toContain('T(0.01, 1e-8) = 7,691');
    expect(stdout).toContain(
      'statement  the surrogate loss L̂ falls at every step of the edge of stability',
    );
    expect(stdout).toMatch(/\n13 hold\n$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('says within how many steps something is not reached', async () => {
    const { stdout } = await eos(['verify', '--steps', '3000']);
    expect(stdout).toContain('not reached within 3,000 steps');
  });
});

describe('eos verify of a file', () => {
  test('runs on the file alone, Parquet or Arrow, to the same result', async () => {
    const folder = temporaryFolder();
    const [parquet, arrow] = [join(folder, 'run.parquet'), join(folder, 'run.arrow')];
    await eos(['stream', '--preset', 'three-phases', '--out', parquet, '--arrow', arrow, '-q']);
    const made = await json('--preset', 'three-phases');
    for (const file of [parquet, arrow]) {
      const { code, report } = await json(file);
      expect(code).toBe(0);
      const ofFile = report.checks.slice(0, 6);
      expect(ofFile.map(({ name, verdict }) => [name, verdict])).toEqual(
        [
          'file-config',
          'file-rows',
          'file-steps',
          'file-columns',
          'file-summary',
          'made-again',
        ].map((name) => [name, 'holds']),
      );
      expect(report.checks.slice(6)).toEqual(made.report.checks);
    }
  });

  test('names the columns that it recomputed', async () => {
    const file = join(temporaryFolder(), 'run.parquet');
    await eos(['stream', '--out', file, '--columns', 'step,alpha,beta1,beta2', '-q']);
    const { code, report } = await json(file);
    expect(code).toBe(0);
    expect(report.checks.find(({ name }) => name === 'decay-rate')!.recomputed).toEqual([
      'l_hat',
      'phase',
      'sharpness',
    ]);
    expect(verdict(report, 'decay-rate')).toBe('holds');
  });

  test('says of a thinned run which checks cannot be done', async () => {
    const file = join(temporaryFolder(), 'run.parquet');
    await eos(['stream', '--out', file, '--every', '50', '-q']);
    const { code, report } = await json(file);
    expect(code).toBe(0);
    expect(verdict(report, 'mean-l1')).toBe('does not apply');
    expect(verdict(report, 'gradient-flow')).toBe('holds');
  });

  test('a run of another program that underflows fails, exit code 1', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'theirs.parquet');
    const dead = underflowed(await run({ preset: 'paper' }));
    const columns = ['step', 'alpha', 'beta1', 'beta2', 'log10_abs_beta1'] as const;
    const buffer = parquetWriteBuffer({
      columnData: columns.map((name) => ({
        name,
        data: dead.column(name),
        type: 'DOUBLE' as const,
      })),
    });
    await writeFile(file, new Uint8Array(buffer));

    const unknown = await eos(['verify', file]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(
      /^eos: \S+theirs\.parquet: there is no eos\.config in its metadata; say what run it is.*\n$/,
    );

    const { code, report } = await json(file, '--preset', 'paper', '--floor', '0');
    expect(code).toBe(1);
    expect(report.failed).toBe(true);
    expect(verdict(report, 'global-convergence')).toBe('fails');
    const found = report.checks.find(({ name }) => name === 'global-convergence');
    expect(found!.note).toContain('2.48 × 2/η');
  });
});

describe('eos verify refuses in one line', () => {
  test.each([
    [['nowhere.parquet'], /^eos: nowhere\.parquet: there is no such file\n$/],
    [['package.json'], /^eos: package\.json: neither a Parquet nor an Arrow file/],
    [
      ['data/three-phases.parquet', '--eta', '1'],
      /^eos: --eta: data\/three-phases\.parquet says itself that its eta is 0\.05; leave it out\n$/,
    ],
    [['--steps', '100000000000'], /^eos: --steps: 100,000,000,000 steps do not fit into memory/],
    [['--eta', '0'], /^eos: --eta: 0 is not a positive number/],
    [['--every', '3'], /^eos: there is no flag --every/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await eos(['verify', ...args], {
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('rows in disorder, and values that are none', async () => {
    const folder = temporaryFolder();
    const write = async (name: string, step: number[], alpha: (number | null)[]) => {
      const buffer = parquetWriteBuffer({
        columnData: [
          { name: 'step', data: step, type: 'DOUBLE' },
          { name: 'alpha', data: alpha, type: 'DOUBLE' },
        ],
      });
      await writeFile(join(folder, name), new Uint8Array(buffer));
      return eos(['verify', join(folder, name), '--preset', 'paper']);
    };
    expect((await write('a.parquet', [0, 2, 1], [1, 1, 1])).stderr).toContain(
      'step 1 in row 2 comes after step 2',
    );
    expect((await write('b.parquet', [0, 1], [1, null])).stderr).toContain(
      'row 1 of column alpha holds null',
    );
  });
});
