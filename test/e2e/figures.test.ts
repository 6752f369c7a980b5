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
      expect(pngSize(await readFile(join(folder, `figure-${n}.png`)))).toEqual([2 * width!, 2 * height!]);
      expect(svg).not.toMatch(/(href|src)="http/);
    }
  });

  test('text is in the PNG: its font comes with the package', async () => {
    const folder = temporaryFolder();
    await eos(['figures', '--out', folder, '--only', '1', '-q']);
    const { Resvg } = await import('@resvg/resvg-js');
    const svg = await readFile(join(folder, 'figure-1.svg'), 'utf8');
    const mute = new Resvg(svg, { fitTo: { mode: 'zoom', value: 2 }, font: { loadSystemFonts: false } })
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
    const { code, stderr } = await eos(['figures', '--run', run, '--out', out, '--only', '5,2', '--format', 'svg']);
    expect(code).toBe(0);
    expect(stderr).toContain('figure-2.svg');
    expect((await readdir(out)).sort()).toEqual(names([2, 5]).filter((name) => name.endsWith('svg')));
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
    const thinned = join(folder, 'thin.parquet');
    await eos(['stream', '--every', '100', '--out', thinned, '-q']);
    const { code, stderr } = await eos(['figures', '--run', thinned, '--out', join(folder, 'f'), '--only', '3']);
    expect(code).toBe(2);
    expect(stderr).toContain('--run: figure 3 cannot be drawn: its bounds take every step');
  });

  test('a file in the place of the folder is not touched', async () => {
    const folder = temporaryFolder();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'figures'), 'mine');
    const { code, stderr } = await eos(['figures', '--out', join(folder, 'figures'), '--only', '1']);
    expect(code).toBe(2);
    expect(stderr).toContain('is a file; name a folder');
    expect(await readFile(join(folder, 'figures'), 'utf8')).toBe('mine');
  });
});

describeWith(['chromium'], 'the page of a figure', () => {
  test.each(['light', 'dark'] as const)('shows itself in %s, from the file alone', async (theme) => {
    const folder = temporaryFolder();
    await eos(['figures', '--out', folder, '--only', '2', '--format', 'html', '-q']);
    const browser = await launch();
    try {
      const page = await browser.newPage({ viewport: { width: 800, height: 900 }, colorScheme: theme });
      const requests: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(pathToFileURL(join(folder, 'figure-2.html')).href);
      expect(requests).toHaveLength(1);
      expect(await page.locator('svg[role=img]:visible').count()).toBe(1);
      expect(await page.locator(`.${theme}`).isVisible()).toBe(true);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      expect(wide).toBe(false);
      const ids = await page.evaluate(() => [...document.querySelectorAll('[id]')].map(({ id }) => id));
      expect(new Set(ids).size).toBe(ids.length);
    } finally {
      await browser.close();
    }
  });
});
