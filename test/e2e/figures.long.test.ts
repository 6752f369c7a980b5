import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { launch } from '../dash/browser.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';

const names = (numbers: readonly number[]) =>
  numbers
    .flatMap((n) => [
      `figure-${n}-dark.png`,
      `figure-${n}-dark.svg`,
      `figure-${n}.html`,
      `figure-${n}.png`,
      `figure-${n}.svg`,
    ])
    .sort();

/** Width and height in the header of a PNG. */
const pngSize = (bytes: Buffer) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];

describe('eos figures', () => {
  test('draws all five, as SVG, PNG of twice the size and page, light and dark', async () => {
    const folder = join(temporaryFolder(), 'new', 'figures');
    const { code, stdout, stderr } = await eos(['figures', '--out', folder]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(25);
    expect((await readdir(folder)).sort()).toEqual(names([1, 2, 3, 4, 5]));
    for (const n of [1, 2, 3, 4, 5]) {
      const svg = await readFile(join(folder, `figure-${n}.svg`), 'utf8');
      const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
      expect(pngSize(await readFile(join(folder, `figure-${n}.png`)))).toEqual([
        2 * width!,
        2 * height!,
      ]);
      expect(svg).not.toMatch(/(href|src)="http/);
    }
  });

  test('text is in the PNG: its font comes with the package', async () => {
    const folder = temporaryFolder();
    await eos(['figures', '--out', folder, '--only', '1', '-q']);
    const { Resvg } = await import('@resvg/resvg-js');
    const svg = await readFile(join(folder, 'figure-1.svg'), 'utf8');
    const mute = new Resvg(svg, {
      fitTo: { mode: 'zoom', value: 2 },
      font: { loadSystemFonts: false },
    })
      .render()
      .asPng();
    const png = await readFile(join(folder, 'figure-1.png'));
    expect(png.length).toBeGreaterThan(mute.length * 1.3);
  });

  test('--only, --format and --run', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run.parquet');
    await eos(['stream', '--preset', 'three-phases', '--out', run, '-q']);
    const out = join(folder, 'figures');
    const { code, stderr } = await eos([
      'figures',
      '--run',
      run,
      '--out',
      out,
      '--only',
      '5,2',
      '--format',
      'svg',
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('figure-2.svg');
    expect((await readdir(out)).sort()).toEqual(
      names([2, 5]).filter((name) => name.endsWith('svg')),
    );
    expect(await readFile(join(out, 'figure-2.svg'), 'utf8')).toContain('λ₂\u00a0=\u00a00.1,');
  });

  test.each([
    [['--only', '6'], '--only: there is no figure 6; there are 1, 2, 3, 4, 5'],
    [['--format', 'gif'], "--format: there is no format 'gif'; there are svg, png, html"],
    [['--run', 'nowhere.parquet'], 'nowhere.parquet: there is no such file'],
  ])('%j is refused, and no folder is made', async (args, message) => {
    const folder = join(temporaryFolder(), 'figures');
    const { code, stderr } = await eos(['figures', '--out', folder, ...args]);
    expect({ code, stderr: stderr.trim() }).toEqual({ code: 2, stderr: `eos: ${message}` });
    await expect(readdir(folder)).rejects.toThrow();
  });

  test('a run that lacks what a figure needs is refused', async () => {
    const folder = temporaryFolder();
    const lacking = join(folder, 'lacking.parquet');
    await eos(['stream', '--columns', 'step,loss,sharpness', '--out', lacking, '-q']);
    const { code, stderr } = await eos([
      'figures',
      '--run',
      lacking,
      '--out',
      join(folder, 'f'),
      '--only',
      '3',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('--run: figure 3 cannot be drawn: the file has no alpha');
  });

  test.each([
    [
      'covariance',
      ['--samples', '1000', '--seed', '3'],
      [5],
      /^left out figure 5: the constrained trajectory is defined for covariance 0 only, and here it is -0\.0\d+$/,
    ],
    ['a thinned file', ['--every', '100'], [], /^$/],
    [
      'a file without θ',
      ['--columns', 'step,loss,l1,l2,l_hat,sharpness'],
      [3, 4, 5],
      /^left out figure \d: the file has no alpha, (beta1, beta2|gfs_sharpness, balance)/,
    ],
    [
      'a single row',
      ['--steps', '0'],
      [1, 2, 3, 5],
      /^left out figure \d: the run has a single row/,
    ],
  ])(
    '%s: what cannot be drawn is left out, in one line, and the others are drawn',
    async (_, args, missing, line) => {
      const folder = temporaryFolder();
      const run = join(folder, 'run.parquet');
      await eos(['stream', '--out', run, '-q', ...args]);
      const out = join(folder, 'figures');
      const { code, stderr } = await eos([
        'figures',
        '--run',
        run,
        '--out',
        out,
        '--format',
        'svg,png',
      ]);
      expect(code).toBe(0);
      const left = stderr.split('\n').filter((text) => text.startsWith('left out'));
      expect(left).toHaveLength(missing.length);
      for (const text of left) expect(text).toMatch(line);
      const drawn = [1, 2, 3, 4, 5].filter((n) => !missing.includes(n));
      expect((await readdir(out)).sort()).toEqual(
        names(drawn).filter((name) => !name.endsWith('html')),
      );

      if (missing.length === 0) return;
      const only = await eos([
        'figures',
        '--run',
        run,
        '--out',
        join(folder, 'only'),
        '--only',
        `1,${missing.at(-1)}`,
      ]);
      expect(only.code).toBe(2);
      expect(only.stderr).toMatch(/^eos: --run: figure \d cannot be drawn: .*\n$/);
      await expect(readdir(join(folder, 'only'))).rejects.toThrow();
    },
  );

  test('a file of which nothing can be drawn is refused with each reason', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run.parquet');
    await eos(['stream', '--out', run, '--columns', 'step,alpha', '-q']);
    const { code, stderr } = await eos(['figures', '--run', run, '--out', join(folder, 'f')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^eos: --run: no figure can be drawn; figure 1: the file has no loss, sharpness.*figure 5: .*\n$/,
    );
    await expect(readdir(join(folder, 'f'))).rejects.toThrow();
  });

  test('a run that diverges is drawn', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run.parquet');
    await eos(['stream', '--floor', '0', '--out', run, '-q']);
    const { code, stderr } = await eos([
      'figures',
      '--run',
      run,
      '--out',
      join(folder, 'f'),
      '--format',
      'png',
    ]);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 0, lines: 10 });
  });

  test('a file in the place of the folder is not touched', async () => {
    const folder = temporaryFolder();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'figures'), 'mine');
    const { code, stderr } = await eos([
      'figures',
      '--out',
      join(folder, 'figures'),
      '--only',
      '1',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('is a file; name a folder');
    expect(await readFile(join(folder, 'figures'), 'utf8')).toBe('mine');
  });
});

describeWith(['chromium'], 'the page of a figure', () => {
  test.each(['light', 'dark'] as const)(
    'shows itself in %s, from the file alone',
    async (theme) => {
      const folder = temporaryFolder();
      await eos(['figures', '--out', folder, '--only', '2', '--format', 'html', '-q']);
      const browser = await launch();
      try {
        const page = await browser.newPage({
          viewport: { width: 800, height: 900 },
          colorScheme: theme,
        });
        const requests: string[] = [];
        page.on('request', (request) => requests.push(request.url()));
        await page.goto(pathToFileURL(join(folder, 'figure-2.html')).href);
        expect(requests).toHaveLength(1);
        expect(await page.locator('svg[role=img]:visible').count()).toBe(1);
        expect(await page.locator(`.${theme}`).isVisible()).toBe(true);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth > window.innerWidth,
        );
        expect(wide).toBe(false);
        const ids = await page.evaluate(() =>
          [...document.querySelectorAll('[id]')].map(({ id }) => id),
        );
        expect(new Set(ids).size).toBe(ids.length);
      } finally {
        await browser.close();
      }
    },
  );
});
