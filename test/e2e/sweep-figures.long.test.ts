import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { eos, newFolder, parts, start } from './sweep-command.ts';

describe('eos figures --sweep', () => {
  const sweep = join(newFolder(), 'sweep');
  const empty = newFolder();

  beforeAll(async () => {
    const grid = [
      '--eta',
      '0.01:0.5:log:12',
      '--lambda2',
      '0.01:1:log:8',
      '--delta',
      '0.01,0.1',
      '--steps',
      '2000',
    ];
    expect((await eos(['sweep', ...grid, '--out', sweep])).code).toBe(0);
  });

  test('draws the six maps in each format, light and dark', async () => {
    const out = newFolder();
    const { code, stderr } = await eos(['figures', '--sweep', sweep, '--out', out]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('sweep-outcome.svg'),
    });
    const names = [
      'outcome',
      'cycles',
      'max-sharpness-ratio',
      'convergence-time',
      'final-sharpness-ratio',
      'trusted-until',
    ];
    const files = names.flatMap((name) =>
      ['-dark.png', '-dark.svg', '.html', '.png', '.svg'].map((end) => `sweep-${name}${end}`),
    );
    expect(readdirSync(out).sort()).toEqual(files.sort());
    const svg = readFileSync(join(out, 'sweep-outcome.svg'), 'utf8');
    const [, map] = /<g [^>]*class="cells">(.*?)<\/g>/s.exec(svg)!;
    // Each of the eight rows from end to end, in stripes.
    const tiles = [...map!.matchAll(/M([\d.]+),([\d.]+)H([\d.]+)V[\d.]+H\1Z/g)];
    const rows = new Map<string, number>();
    for (const [, left, top, right] of tiles)
      rows.set(top!, (rows.get(top!) ?? 0) + Number(right) - Number(left));
    expect(rows.size).toBe(8);
    const widths = [...rows.values()];
    expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(0.5);
    expect(tiles.length).toBeGreaterThan(16);
    expect(map!.match(/<path /g)!.length).toBeLessThanOrEqual(5);
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
    const args = [
      '--only',
      'cycles',
      '--x',
      'lambda2',
      '--y',
      'eta',
      '--facet',
      'delta',
      '--format',
      'svg',
    ];
    expect((await eos(['figures', '--sweep', sweep, ...args, '--out', out])).code).toBe(0);
    const svg = readFileSync(join(out, 'sweep-cycles.svg'), 'utf8').replaceAll('\u00a0', ' ');
    expect(svg).toContain('δ = 0.01');
    expect(svg).toContain('δ = 0.1');
    const filtered = ['--only', 'outcome', '--where', 'delta=0.1', '--format', 'svg'];
    expect((await eos(['figures', '--sweep', sweep, ...filtered, '--out', out])).code).toBe(0);
    expect(
      readFileSync(join(out, 'sweep-outcome.svg'), 'utf8').replaceAll('\u00a0', ' '),
    ).toContain('96 runs');
  });

  const draw = async (of: string, ...args: string[]) => {
    const out = newFolder();
    const { code, stderr } = await eos([
      'figures',
      '--sweep',
      of,
      '--format',
      'svg',
      '--out',
      out,
      '--quiet',
      ...args,
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const svg = (name: string) =>
      readFileSync(join(out, `sweep-${name}.svg`), 'utf8').replaceAll('\u00a0', ' ');
    return { stderr, svg };
  };

  test('a whole sweep is drawn without a word about it', async () => {
    const { stderr, svg } = await draw(sweep, '--only', 'outcome');
    expect(stderr).toBe('');
    expect(svg('outcome')).not.toContain('not whole');
  });

  test('of a sweep that is not whole the share is said, damaged parts left out', async () => {
    const partial = join(newFolder(), 'partial');
    cpSync(sweep, partial, { recursive: true });
    const names = parts(partial);
    rmSync(join(partial, 'summary', names[1]!));
    const damaged = join(partial, 'summary', names[0]!);
    const bytes = readFileSync(damaged);
    // In the middle of its pages, where every reader takes it for numbers.
    bytes[bytes.length >> 2]! ^= 1;
    writeFileSync(damaged, bytes);
    const { stderr, svg } = await draw(partial, '--only', 'outcome,cycles');
    const there = 192 - 2 * (192 / names.length);
    expect(stderr).toBe(
      `${damaged} is damaged and left out; run the sweep again to have it redone\nthe sweep is not whole: the maps show ${there} of 192 runs\n`,
    );
    expect(svg('outcome')).toContain(`${there} of 192 runs are there`);
    expect(svg('cycles')).toContain(`${there} of 192 runs are there`);
    const status = await eos(['sweep', 'status', '--out', partial]);
    expect(status.stdout).toMatch(/; 1 damaged part, which the next start redoes\n$/);

    for (const name of parts(partial)) writeFileSync(join(partial, 'summary', name), 'PAR1');
    const none = await eos(['figures', '--sweep', partial, '--out', join(partial, 'figures')]);
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is damaged, and no other part is there'),
    });
  });

  test('the dashboard is told what is missing, and gets no damaged part', async () => {
    const partial = join(newFolder(), 'partial');
    cpSync(sweep, partial, { recursive: true });
    const names = parts(partial);
    rmSync(join(partial, 'summary', names[1]!));
    writeFileSync(join(partial, 'summary', names[0]!), 'PAR1');
    const server = start(['dash', 'serve', partial, sweep, '--port', '0']);
    const address = await new Promise<string>((resolve) => {
      server.child.stdout!.on('data', (text) => resolve(/http:\S+/.exec(String(text))![0]));
    });
    const { sweeps } = (await (await fetch(`${address}runs.json`)).json()) as {
      sweeps: { parts: string[] }[];
    };
    server.child.kill('SIGINT');
    await server.done;
    const lacking = 2 * (192 / names.length);
    expect(sweeps).toMatchObject([
      { name: 'partial', missing: lacking, damaged: 1 },
      { name: 'sweep', missing: 0, damaged: 0 },
    ]);
    expect(sweeps.map((each) => each.parts.length)).toEqual([names.length - 2, names.length]);
    const site = join(newFolder(), 'site');
    expect(await eos(['dash', 'build', '--data', partial, '--out', site])).toMatchObject({
      code: 0,
    });
    expect(JSON.parse(readFileSync(join(site, 'runs.json'), 'utf8'))).toMatchObject({
      sweeps: [{ missing: lacking, damaged: 1 }],
    });
  });

  test('filters take the value or three digits of it, and free the axis they fix', async () => {
    const { svg } = await draw(sweep, '--only', 'outcome', '--where', 'lambda2=0.01');
    expect(svg('outcome')).toContain('24 runs of up to 2,000 steps over η and δ');
    // 0.01:0.5:log:12 goes on with 0.0142713135186.
    expect(
      (await draw(sweep, '--only', 'outcome', '--where', 'eta=0.0143')).svg('outcome'),
    ).toContain('16 runs');
    expect(
      (await draw(sweep, '--only', 'outcome', '--where', 'delta=1/10')).svg('outcome'),
    ).toContain('96 runs');
  });

  test('facets that are not shown are named', async () => {
    const { stderr, svg } = await draw(
      sweep,
      '--only',
      'outcome',
      '--x',
      'delta',
      '--y',
      'lambda2',
      '--facet',
      'eta',
    );
    const omitted = /η = 0\.01427, 0\.02037, [^;]* and 2 more/;
    expect(stderr).toMatch(omitted);
    expect(stderr).toContain('pick others with --where eta=V,W');
    expect(svg('outcome')).toMatch(/Not shown: η = 0\.01427/);
  });

  test('what nobody reads to its end leaves no half a file', async () => {
    const out = newFolder();
    const { child, done } = start(['figures', '--sweep', sweep, '--out', out]);
    child.stderr!.once('data', () => child.stderr!.destroy());
    await done;
    expect(readdirSync(out).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test.each<[string, readonly string[], RegExp]>([
    [
      'a folder that is no sweep',
      ['--sweep', empty],
      /holds no runs; name the folder of an eos sweep/,
    ],
    [
      'a quantity that there is not',
      ['--sweep', sweep, '--only', 'loss'],
      /--only: 'loss' is no quantity/,
    ],
    [
      'an axis that does not vary',
      ['--sweep', sweep, '--x', 'lambda1'],
      /--x: 'lambda1' does not vary/,
    ],
    [
      'an axis that is taken',
      ['--sweep', sweep, '--facet', 'eta', '--x', 'eta'],
      /--facet: 'eta' is an axis already/,
    ],
    [
      'a filter that is none',
      ['--sweep', sweep, '--where', 'delta'],
      /--where: 'delta' names no value; write NAME=VALUE/,
    ],
    [
      'a filter of nothing',
      ['--sweep', sweep, '--where', 'lamda2=1'],
      /'lamda2' is no parameter; did you mean lambda2/,
    ],
    [
      'a value of no run',
      ['--sweep', sweep, '--where', 'lambda1=77'],
      /no run has lambda1 = 77; the nearest is 100/,
    ],
    [
      'two digits of a value',
      ['--sweep', sweep, '--where', 'eta=0.014'],
      /the nearest is 0\.01427/,
    ],
    [
      'a filter twice',
      ['--sweep', sweep, '--where', 'delta=0.1', '--where', 'delta=0.01'],
      /delta is there twice/,
    ],
    [
      'an axis that is fixed',
      ['--sweep', sweep, '--y', 'delta', '--where', 'delta=0.1'],
      /--y: 'delta' does not vary/,
    ],
    ['an axis without a sweep', ['--x', 'eta'], /--x: this is for maps of a sweep/],
  ])('refuses %s in one line', async (_, args, message) => {
    const out = join(newFolder(), 'figures');
    const { code, stderr } = await eos(['figures', ...args, '--out', out]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });

  test('a folder that cannot be made is refused, and does not take for ever', async () => {
    for (const args of [
      ['figures', '--sweep', sweep],
      ['figures', '--only', '4'],
      ['sweep', '--eta', '0.1'],
      ['dash', 'build', '--data', sweep],
    ]) {
      const { code, stderr } = await eos([...args, '--out', '/proc/x/y']);
      expect({ args, code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^eos: --out: [^\n]*\/proc\/x[^\n]*\n$/),
      });
    }
  });
});
