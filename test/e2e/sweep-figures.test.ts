import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { eos, newFolder } from './sweep-command.ts';

describe('eos figures --sweep', () => {
  const sweep = join(newFolder(), 'sweep');
  const empty = newFolder();

  beforeAll(async () => {
    const grid = ['--eta', '0.01:0.5:log:12', '--lambda2', '0.01:1:log:8', '--delta', '0.01,0.1', '--steps', '2000'];
    expect((await eos(['sweep', ...grid, '--out', sweep])).code).toBe(0);
  });

  test('draws the five maps in each format, light and dark', async () => {
    const out = newFolder();
    const { code, stderr } = await eos(['figures', '--sweep', sweep, '--out', out]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('sweep-outcome.svg') });
    const names = ['outcome', 'cycles', 'max-sharpness-ratio', 'convergence-time', 'final-sharpness-ratio'];
    const files = names.flatMap((name) =>
      ['-dark.png', '-dark.svg', '.html', '.png', '.svg'].map((end) => `sweep-${name}${end}`),
    );
    expect(readdirSync(out).sort()).toEqual(files.sort());
    const svg = readFileSync(join(out, 'sweep-outcome.svg'), 'utf8');
    expect(svg.match(/<rect [^>]*shape-rendering|<rect /g)!.length).toBeGreaterThanOrEqual(96);
    for (const text of [
      'What became of each run',
      'η',
      'λ₂',
      'S∞(θ₀) = 2/η',
      '192 runs',
      'diverged',
      'gradient flow',
    ]) {
      expect(svg.replaceAll('\u00a0', ' ')).toContain(text);
    }
    expect(readFileSync(join(out, 'sweep-outcome.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  test('other axes, facets and filters', async () => {
    const out = newFolder();
    const args = ['--only', 'cycles', '--x', 'lambda2', '--y', 'eta', '--facet', 'delta', '--format', 'svg'];
    expect((await eos(['figures', '--sweep', sweep, ...args, '--out', out])).code).toBe(0);
    const svg = readFileSync(join(out, 'sweep-cycles.svg'), 'utf8').replaceAll('\u00a0', ' ');
    expect(svg).toContain('δ = 0.01');
    expect(svg).toContain('δ = 0.1');
    const filtered = ['--only', 'outcome', '--where', 'delta=0.1', '--format', 'svg'];
    expect((await eos(['figures', '--sweep', sweep, ...filtered, '--out', out])).code).toBe(0);
    expect(readFileSync(join(out, 'sweep-outcome.svg'), 'utf8').replaceAll('\u00a0', ' ')).toContain('96 runs');
  });

  test.each<[string, readonly string[], RegExp]>([
    ['a folder that is no sweep', ['--sweep', empty], /holds no runs; name the folder of an eos sweep/],
    ['a quantity that there is not', ['--sweep', sweep, '--only', 'loss'], /--only: 'loss' is no quantity/],
    ['an axis that does not vary', ['--sweep', sweep, '--x', 'lambda1'], /--x: 'lambda1' does not vary/],
    ['an axis that is taken', ['--sweep', sweep, '--facet', 'eta', '--x', 'eta'], /--facet: 'eta' is an axis already/],
    ['a filter that is none', ['--sweep', sweep, '--where', 'delta'], /--where: 'delta' is not NAME=VALUE/],
    ['an axis without a sweep', ['--x', 'eta'], /--x: this is for maps of a sweep/],
  ])('refuses %s in one line', async (_, args, message) => {
    const out = join(newFolder(), 'figures');
    const { code, stderr } = await eos(['figures', ...args, '--out', out]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });
});
