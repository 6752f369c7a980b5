import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eos, temporaryFolder } from '../setup/eos.ts';

async function drawn(stream: readonly string[], figures: readonly string[] = []) {
  const cwd = temporaryFolder();
  const run = await eos(['stream', '--out', 'net.parquet', '--quiet', ...stream], { cwd });
  expect([run.code, run.stderr]).toEqual([0, '']);
  const args = ['--run', 'net.parquet', '--out', 'figures', '--format', 'svg', ...figures];
  return { cwd, ...(await eos(['figures', ...args], { cwd })) };
}

test('eos figures draws what there is of the run of a network', async () => {
  const { cwd, code } = await drawn(['--preset', 'network', '--layers', '1-8-1', '--steps', '200']);
  expect(code).toBe(0);
  expect(readdirSync(join(cwd, 'figures')).sort()).toEqual([
    'figure-1-dark.svg',
    'figure-1.svg',
    'figure-2-dark.svg',
    'figure-2.svg',
  ]);
  const svg = readFileSync(join(cwd, 'figures/figure-1.svg'), 'utf8');
  for (const text of ['λ₂', 'λ₃', '2/η', 'widths', '1-8-1']) expect(svg).toContain(text);
  const paths = svg.match(/<path[^>]* d="M[^"]{200,}"/g) ?? [];
  expect(paths.length).toBeGreaterThanOrEqual(4);
});

test('accuracy is drawn of a network of classes, and refused of another', async () => {
  const classes = ['--model', 'mlp', '--data', 'digits:40', '--layers', '64-5-10', '--steps', '20'];
  const { cwd, code } = await drawn(classes, ['--only', '3']);
  expect(code).toBe(0);
  expect(readdirSync(join(cwd, 'figures'))).toContain('figure-3.svg');
  const other = await drawn(
    ['--model', 'mlp', '--layers', '1-4-1', '--steps', '20'],
    ['--only', '3'],
  );
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/^eos: --only: there is no figure 3 of this run/);
  expect(readdirSync(other.cwd)).not.toContain('figures');
});

test('of samples in a file it draws the run without them, and says what was measured', async () => {
  const cwd = temporaryFolder();
  const samples = Array.from({ length: 9 }, (_, i) => `${i},${Math.sin(i)}\n`);
  writeFileSync(join(cwd, 'samples.csv'), `x,y\n${samples.join('')}`);
  const network = ['--model', 'mlp', '--data', 'samples.csv', '--target', 'y', '--layers', '1-4-1'];
  const optimizer = ['--optimizer', 'adam', '--eta', '0.01', '--schedule', 'cosine'];
  const flags = [...network, ...optimizer, '--batch', '3', '--steps', '20'];
  const run = await eos(['stream', ...flags, '--out', 'net.parquet', '--quiet'], { cwd });
  expect([run.code, run.stderr]).toEqual([0, '']);
  rmSync(join(cwd, 'samples.csv'));
  const args = ['--run', 'net.parquet', '--out', 'figures', '--format', 'html'];
  const figures = await eos(['figures', ...args], { cwd });
  expect([figures.code, figures.stderr.includes('eos:')]).toEqual([0, false]);
  const page = readFileSync(join(cwd, 'figures/figure-1.html'), 'utf8').replace(/\s+/g, ' ');
  expect(page).toContain('eigenvalues of P^(−1/2) H P^(−1/2), H the Hessian and P what');
  expect(page.replaceAll('\u00a0', ' ')).toContain(
    'by adam in batches of 3 with η = 0.01 by the schedule cosine; threshold (2 + 2β₁)/((1 − β₁)η)',
  );
});
