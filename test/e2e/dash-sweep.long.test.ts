import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { violations } from '../dash/axe.ts';
import {
  address,
  launch,
  openPage,
  ready,
  type Started,
  serve,
  settled,
  shownRuns,
} from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { newFolder, parts, type Row, summaryRows } from './sweep-command.ts';

describeWith(['chromium'], 'the map of a sweep in a browser', () => {
  const sweep = join(newFolder(), 'diagram');
  let rows: Row[];
  let server: Started;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    const grid = [
      '--eta',
      '0.01:0.5:log:12',
      '--lambda2',
      '0.01:1:log:8',
      '--delta',
      '0.01,0.1',
      '--steps',
      '3000',
    ];
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      'sweep',
      ...grid,
      '--out',
      sweep,
      '--quiet',
    ]);
    rows = await summaryRows(sweep);
    server = await serve([sweep]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    expect(await server?.stop()).toBe(0);
  });
  beforeEach(async () => {
    ({ page, problems } = await openPage(browser, `${server.url}?refresh=0`));
  });
  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });

  /** How many cells a map has. */
  const cells = async (of = page) =>
    Number(await of.locator('[data-panel=sweep] .plot').getAttribute('data-cells'));
  /** The middle of a cell of a map of 12 by 8, from the lower left. */
  async function cellAt(x: number, y: number, of = page) {
    const box = (await of.locator('[data-panel=sweep] .cells').boundingBox())!;
    return [
      box.x + ((x + 0.5) * box.width) / 12,
      box.y + box.height - ((y + 0.5) * box.height) / 8,
    ] as const;
  }
  const choose = async (label: string, value: string) => {
    await page.locator(`[data-panel=sweep] [data-choice="${label}"]`).selectOption(value);
    await settled(page);
  };
  const tip = (label: string) => page.locator(`#tooltip [data-label="${label}"] .tip-value`);

  test('shows a cell for each place, the line of theory, and what became of the runs', async () => {
    expect(await page.locator('[data-panel=sweep] h2').textContent()).toBe('Sweep diagram');
    expect(await page.locator('[data-panel=sweep] .unit').textContent()).toBe('192 runs');
    expect(await cells()).toBe(96);
    const legend = await page.locator('[data-panel=sweep] .legend').textContent();
    for (const words of [
      'gradient flow',
      'edge of stability',
      'converged',
      'diverged',
      'S∞(θ₀) = 2/η',
    ]) {
      expect(legend).toContain(words);
    }
    await page.mouse.move(...(await cellAt(0, 0)));
    // Two runs, of two δ: what they have is told as shares, and what tells them apart is not.
    const shares = page.locator('#tooltip .tip-value').filter({ hasText: 'of 2 runs' });
    expect(await shares.count()).toBeGreaterThan(0);
    expect(await page.locator('#tooltip strong').textContent()).toMatch(/^η = .*, λ₂ = [\d.]+$/);
  });

  test('a sweep that lacks runs, or has damaged parts, says so', async () => {
    const broken = join(newFolder(), 'broken');
    cpSync(sweep, broken, { recursive: true });
    const [first, second] = parts(broken);
    rmSync(join(broken, 'summary', first!));
    const bytes = readFileSync(join(broken, 'summary', second!));
    bytes[400]! ^= 0xff;
    writeFileSync(join(broken, 'summary', second!), bytes);
    const other = await serve([broken]);
    const opened = await openPage(browser, other.url);
    const unit = await opened.page.locator('[data-panel=sweep] .unit').textContent();
    const [, shown] = /^(\d+) of 192 runs, 1 damaged part left out$/.exec(unit!)!;
    expect(Number(shown)).toBeLessThan(191);
    expect(opened.problems).toEqual([]);
    await opened.page.close();
    await other.stop();
  });

  test('other quantities, axes, facets, filters, and the link that makes them again', async () => {
    await choose('show', 'cycles');
    await choose('a map for each', 'delta');
    expect(await cells()).toBe(192);
    await choose('x', 'lambda2');
    await choose('a map for each', '-');
    await choose('δ', '0.1');
    expect(await cells()).toBe(96);
    await expect.poll(() => address(page)).toContain('map=cycles,lambda2,eta,-,delta=0.1');
    const drawn = await page.locator('[data-panel=sweep] .plot').getAttribute('data-drawn');
    await page.reload();
    await ready(page);
    expect(await page.locator('[data-panel=sweep] .plot').getAttribute('data-drawn')).toBe(drawn);
    expect(await page.locator('[data-choice=show]').inputValue()).toBe('cycles');
  });

  test('a click on a cell runs that very run and shows it', async () => {
    await choose('δ', '0.01');
    const cell = await cellAt(5, 3);
    await page.mouse.move(...cell);
    const exact = async (label: string) => Number(await tip(label).getAttribute('data-value'));
    const [cycles, ratio] = [await exact('cycles'), await exact('largest ηS/2')];
    await page.mouse.click(...cell);
    await page.locator('[data-tile=max-ratio]').waitFor();
    await settled(page);
    const row = rows.find(
      (each) => each.max_sharpness_ratio === ratio && each.cycles === cycles && each.delta === 0.01,
    )!;
    const figure = async (key: string) =>
      page.locator(`[data-tile=${key}] .figure`).getAttribute('data-value');
    expect(await figure('outcome')).toBe(row.outcome);
    expect(Number(await figure('eta'))).toBe(row.eta);
    expect(Number(await figure('max-ratio'))).toBe(row.max_sharpness_ratio);
    expect((await shownRuns(page))[0]).toMatch(/^η = .*, λ₂ = .*, δ = 0.01$/);
    expect(await page.locator('.map-opened').count()).toBe(1);
    expect(await page.locator('[data-panel=sharpness]').isVisible()).toBe(true);
  });

  test('brushing more cells than are drawn opens fifty and says how many more', async () => {
    // Where it is on the page, which a click further down may scroll.
    const box = async () => {
      const { x, y, width, height } = (await page
        .locator('[data-panel=sweep] .cells')
        .boundingBox())!;
      return [x, y + (await page.evaluate(() => scrollY)), width, height];
    };
    const before = await box();
    // Alone on the page it takes more than half of the window, and is in it whole.
    expect(before[3]).toBeGreaterThan(0.5 * page.viewportSize()!.height);
    expect(before[1]! + before[3]!).toBeLessThan(page.viewportSize()!.height);
    const [first, last] = [await cellAt(0, 0), await cellAt(11, 7)];
    await page.mouse.move(...first);
    await page.mouse.down();
    await page.mouse.move(...last, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => shownRuns(page)).toHaveLength(50);
    await settled(page);
    expect(await page.locator('.notice').textContent()).toContain(
      '50 are drawn at once; 142 more were asked for',
    );
    expect(await box()).toEqual(before);
    expect(await page.locator('.map-opened').count()).toBeGreaterThan(20);
    expect(await violations(page)).toEqual([]);
    // What is dismissed, and what is closed, moves nothing either.
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByRole('button', { name: 'Hide all' }).click();
    await settled(page);
    expect(await box()).toEqual(before);
    expect(await page.locator('.map-opened').count()).toBe(0);
  });

  test('a click on a cell of a sweep of momentum runs that very run', async () => {
    const folder = join(newFolder(), 'momentum');
    execFileSync(process.execPath, [
      ...[join(root, 'bin/run.js'), 'sweep', '--optimizer', 'momentum', '--quiet'],
      ...['--momentum', '0.5,0.9', '--eta', '0.01:0.1:log:6', '--steps', '1500', '--out', folder],
    ]);
    const other = await serve([folder]);
    const opened = await openPage(browser, `${other.url}?refresh=0`);
    const map = (await opened.page.locator('[data-panel=sweep] .cells').boundingBox())!;
    await opened.page.mouse.click(map.x + map.width * 0.4, map.y + map.height * 0.25);
    await opened.page.locator('[data-tile=max-ratio]').waitFor();
    await settled(opened.page);
    const value = (key: string) =>
      opened.page.locator(`[data-tile=${key}] .figure`).getAttribute('data-value');
    const [name = ''] = await shownRuns(opened.page);
    const [momentum] = /0\.\d/.exec(name.slice(name.indexOf('β')))!;
    const eta = Number(await value('eta'));
    const found = (await summaryRows(folder)).find(
      (row) => row.momentum === Number(momentum) && row.eta === eta,
    )!;
    expect(await value('outcome')).toBe(found.outcome);
    expect(Number(await value('max-ratio'))).toBe(found.max_sharpness_ratio);
    expect(opened.problems).toEqual([]);
    await opened.page.close();
    await other.stop();
  });

  test('by keyboard: arrows move, Enter runs', async () => {
    const plot = page.locator('[data-panel=sweep] .plot');
    await plot.focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowUp'])
      await page.keyboard.press(key);
    expect(await page.locator('.map-mark').isVisible()).toBe(true);
    await expect
      .poll(() => page.locator('#announce').textContent())
      .toMatch(/^η = .*: (gradient flow|still|edge of|conv|div|2 runs)/);
    await page.keyboard.press('Enter');
    await expect.poll(() => shownRuns(page)).toHaveLength(1);
  });

  test('axe finds nothing to complain of, light and dark', async () => {
    for (const theme of ['light', 'dark'] as const) {
      const { page: themed } = await openPage(
        browser,
        `${server.url}?refresh=0&theme=${theme}&map=cycles,eta,lambda2,delta`,
        {
          theme,
        },
      );
      expect(await violations(themed)).toEqual([]);
      await themed.close();
    }
  });

  test('CSV of the map', async () => {
    await choose('show', 'cycles');
    await page.locator('[data-panel=sweep] .menu summary').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-panel=sweep] [data-act=csv]').click(),
    ]);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines[0]).toBe('eta,lambda2,cycles,share,runs');
    expect(lines).toHaveLength(97);
  });

  test('parts dropped on the page are read; a file that is none is refused in words', async () => {
    const { page: empty, problems: wrong } = await openPage(browser, `${server.url}?refresh=0`);
    const files = parts(sweep).map((name) => join(sweep, 'summary', name));
    await empty.locator('input[type=file]').setInputFiles(files);
    await expect
      .poll(() => empty.locator('[data-panel=sweep] h2').textContent())
      .toBe('Sweep dropped sweep');
    await settled(empty);
    expect(await cells(empty)).toBe(96);
    const bad = {
      name: 'part-0123456789abcdef-000000.parquet',
      mimeType: '',
      buffer: Buffer.from('PAR1 but not really'),
    };
    await empty.locator('input[type=file]').setInputFiles(bad);
    await expect
      .poll(() => empty.locator('.notice').textContent())
      .toMatch(/^dropped sweep: .*cut off/);
    await empty.close();
    expect(wrong).toEqual([]);
  });

  test('networks are mapped over numbers and words; a cell trains that network', async () => {
    const nets = join(newFolder(), 'nets');
    const grid = ['--eta', '0.1,0.2', '--optimizer', 'gd,adam', '--steps', '300'];
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      'sweep',
      ...['--model', 'mlp', '--layers', '1-8-1', ...grid],
      ...['--out', nets, '--quiet'],
    ]);
    const networks = await serve([nets]);
    const { page: theirs, problems: wrong } = await openPage(browser, `${networks.url}?refresh=0`);
    expect(await cells(theirs)).toBe(4);
    expect(await theirs.locator('[data-choice=y] option').allTextContents()).toEqual([
      'η (eta)',
      'optimizer',
    ]);
    const names = await theirs.locator('[data-panel=sweep] .plot').textContent();
    for (const name of ['adam', 'gd']) expect(names).toContain(name);
    await theirs.locator('[data-panel=sweep] .plot').focus();
    await theirs.keyboard.press('ArrowRight');
    expect(await theirs.locator('#tooltip strong').textContent()).toBe('η = 0.1, optimizer = adam');
    await theirs.keyboard.press('Enter');
    await expect.poll(() => shownRuns(theirs)).toEqual(['η = 0.1, optimizer = adam']);
    await settled(theirs);
    expect(decodeURIComponent(await address(theirs))).toContain('optimizer=adam');
    await theirs.reload();
    await expect.poll(() => shownRuns(theirs)).toEqual(['η = 0.1, optimizer = adam']);
    expect(wrong).toEqual([]);
    await theirs.close();
    expect(await networks.stop()).toBe(0);
  });

  test('several sweeps are chosen from, also two of the same name, and one dropped', async () => {
    const other = join(newFolder(), 'diagram');
    const grid = ['--eta', '0.02:0.2:log:4', '--delta', '0.01,0.1', '--steps', '500'];
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      'sweep',
      ...grid,
      '--out',
      other,
      '--quiet',
    ]);
    const several = await serve([sweep, other]);
    const { page: both, problems: wrong } = await openPage(browser, `${several.url}?refresh=0`);
    const shown = () => both.locator('[data-panel=sweep] h2').textContent();
    const units = () => both.locator('[data-panel=sweep] .unit').textContent();
    const chooser = both.locator('[data-choice=sweep]');
    expect(await chooser.locator('option').allTextContents()).toEqual(['diagram', 'diagram (2)']);
    expect([await shown(), await units()]).toEqual(['Sweep diagram', '192 runs']);
    expect(await address(both)).not.toContain('sweep=');
    await chooser.focus();
    await both.keyboard.press('ArrowDown');
    await expect.poll(shown).toBe('Sweep diagram (2)');
    await settled(both);
    expect([await units(), await cells(both)]).toEqual(['8 runs', 8]);
    expect(await both.evaluate(() => document.activeElement?.getAttribute('data-choice'))).toBe(
      'sweep',
    );
    await expect.poll(() => address(both)).toContain('sweep=diagram+%282%29');
    await both.reload();
    await ready(both);
    expect([await shown(), await chooser.inputValue()]).toEqual([
      'Sweep diagram (2)',
      'diagram (2)',
    ]);
    const files = parts(sweep).map((name) => join(sweep, 'summary', name));
    await both.locator('input[type=file]').setInputFiles(files);
    await expect.poll(shown).toBe('Sweep dropped sweep');
    await settled(both);
    await chooser.selectOption('diagram (2)');
    await expect.poll(shown).toBe('Sweep diagram (2)');
    await both.goto(`${several.url}?refresh=0&sweep=nowhere`);
    await ready(both);
    expect(await shown()).toBe('Sweep diagram');
    await both.close();
    expect(wrong).toEqual([]);
    expect(await several.stop()).toBe(0);

    const built = join(newFolder(), 'both.html');
    execFileSync(process.execPath, [
      ...[
        join(root, 'bin/run.js'),
        'dash',
        'build',
        '--data',
        sweep,
        other,
        '--single-file',
        '--out',
        built,
        '--quiet',
      ],
    ]);
    const { page: single } = await openPage(browser, `file://${built}#sweep=diagram+(2)`);
    expect(await single.locator('[data-panel=sweep] .unit').textContent()).toBe('8 runs');
    await single.close();
  });

  test('a picture of the map tells the quantity and what its colours mean', async () => {
    await choose('show', 'cycles');
    await choose('δ', '0.1');
    await page.locator('[data-panel=sweep] .menu summary').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('[data-panel=sweep] [data-act=svg]').click(),
    ]);
    const svg = readFileSync(await download.path(), 'utf8');
    expect(svg).toContain('Sweep diagram (192 runs): cycles, δ = 0.1');
    expect(svg).toContain('S∞(θ₀) = 2/η');
    // The ramp of the legend, colour beside colour.
    expect(svg.match(/<rect/g)!.length).toBeGreaterThanOrEqual(24);
  });

  test('the page as one file holds the sweep', async () => {
    const file = join(newFolder(), 'diagram.html');
    execFileSync(process.execPath, [
      ...[join(root, 'bin/run.js'), 'dash', 'build', '--data', sweep],
      ...['--single-file', '--out', file],
    ]);
    const { page: single, problems: wrong } = await openPage(browser, `file://${file}`);
    expect(await cells(single)).toBe(96);
    await single.mouse.click(...(await cellAt(6, 2, single)));
    await expect.poll(() => shownRuns(single)).toHaveLength(1);
    await single.close();
    expect(wrong).toEqual([]);
  });
});
