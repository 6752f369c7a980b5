import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  address,
  launch,
  openPage,
  plot,
  type Started,
  serve,
  settled,
  shownRuns,
  stepAt,
} from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const FORMATS = join(root, 'test/sources/training-log/formats');
const OPTIMIZERS = ['momentum', 'adam'] as const;

describeWith(['chromium'], 'what the page says, and what it leaves unsaid', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;
  let page: Page;
  let problems: string[];
  const eos = (...args: readonly string[]) =>
    execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1' },
    });
  const open = async (query: string) => {
    await page?.close();
    ({ page, problems } = await openPage(browser, `${server.url}?refresh=0&${query}`));
  };
  const drop = async (...files: readonly string[]) => {
    await page.locator('input[type=file]').setInputFiles([...files]);
    await page.waitForFunction(() => {
      const logs = [...document.querySelectorAll<HTMLElement>('.log')];
      return logs.length > 0 && logs.every(({ dataset }) => dataset.busy === 'false');
    });
    await settled(page);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-words-'));
    const stream = (out: string, ...args: string[]) =>
      eos('stream', ...args, '--out', `${out}.parquet`, '--quiet');
    stream('momentum', '--optimizer', 'momentum', '--momentum', '0.9', '--steps', '1500');
    stream('adam', '--preset', 'adam', '--steps', '60');
    stream('thinned', '--steps', '4000', '--every', '50');
    stream('a', '--steps', '300');
    stream('b', '--steps', '300', '--eta', '0.04');
    const grid = ['--delta', '0.01,0.02,0.03,0.04,0.05,0.06', '--lambda2', '0.05,1'];
    eos('sweep', '--eta', '0.01,0.05', ...grid, '--steps', '100', '--out', 'facets', '--quiet');
    server = await serve([folder, join(folder, 'facets')]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test.each(OPTIMIZERS)('the threshold of %s has the name that eos inspect gives', async (name) => {
    const told = eos('inspect', `${name}.parquet`);
    const formula = /first crossing of (.+?) {2}/.exec(told)![1]!;
    expect(formula).not.toBe('2/η');
    expect(told).not.toContain('2/η');
    await open(`run=data/${name}.parquet`);
    const key = page.locator('[data-panel=sharpness] [data-series=threshold]');
    expect(await key.textContent()).toContain(formula);
    expect(await page.locator('[data-tile=eta] .small').textContent()).toContain(formula);
    expect(await page.locator('#tiles').textContent()).toContain('Largest S/threshold');
    await page.locator('[data-panel=sharpness] [data-act=unit]').click();
    await settled(page);
    const legend = await page.locator('[data-panel=sharpness] .legend').textContent();
    expect(legend).toContain(`S over ${formula}`);
    expect(legend).not.toContain('ηS/2');
    expect(problems).toEqual([]);
  });

  test('a log of losses alone claims nothing of crossings', async () => {
    const rows = Array.from({ length: 400 }, (_, t) => `${t},${Math.exp(-t / 90)}`);
    writeFileSync(join(folder, 'losses.csv'), `step,loss\n${rows.join('\n')}\n`);
    await open('');
    await drop(join(folder, 'losses.csv'));
    await page.locator('.run-row', { hasText: 'losses' }).hover();
    await page.getByRole('button', { name: 'Show only losses' }).click();
    await settled(page);
    expect(await shownRuns(page)).toEqual(['losses']);
    expect(await page.locator('[data-tile=cycles]').count()).toBe(0);
    const said = (await page.locator('#tiles p').allTextContents()).join('\n');
    expect(said).not.toMatch(/crossing|threshold/);
    expect(said).toContain('cannot be told from the loss alone');
    expect(await page.locator('[data-panel=sharpness]').isVisible()).toBe(false);
    expect(problems).toEqual([]);
  });

  test('a log that stays at its threshold is not said to have never come there', async () => {
    const rows = Array.from({ length: 1500 }, (_, t) => {
      const sharpness = 40 * (1 - Math.exp(-t / 200)) + Math.sin(t);
      return `${t},${Math.exp(-t / 300) * (1 + 0.2 * Math.sin(t / 9))},${sharpness},0.05`;
    });
    writeFileSync(join(folder, 'stays.csv'), `step,loss,sharpness,lr\n${rows.join('\n')}\n`);
    await open('');
    await drop(join(folder, 'stays.csv'));
    await page.locator('.run-row', { hasText: 'stays' }).hover();
    await page.getByRole('button', { name: 'Show only stays' }).click();
    await settled(page);
    const crossing = /first crossing at ([\d,]+)/;
    const step = crossing.exec((await page.locator('[data-tile=cycles]').textContent())!)![1]!;
    const note = page.locator('[data-panel=cycles] .note');
    expect(await note.textContent()).toContain(`came to the threshold at step ${step}`);
    expect(problems).toEqual([]);
  });

  test('a thinned run says to how many steps its cycles are true', async () => {
    await open('run=data/thinned.parquet');
    const note = page.locator('[data-panel=cycles] .note');
    await note.scrollIntoViewIfNeeded();
    expect(await note.textContent()).toContain('true to ± 50 steps');
  });

  test('the legend has values of one run under the crosshair; the tooltip names each', async () => {
    await open('run=data/a.parquet');
    const value = () => page.locator('[data-panel=sharpness] .legend-value').first().textContent();
    expect(await value()).toBe('');
    const hover = async () => {
      const at = await stepAt(page, 'sharpness', 150);
      await page.mouse.move(at.x - 2, at.y);
      await page.mouse.move(at.x, at.y);
      await page.locator('#tooltip').waitFor({ state: 'visible' });
      await settled(page);
    };
    await hover();
    expect(await value()).toMatch(/^\d/);
    await page.mouse.move(2, 2);
    await expect.poll(value).toBe('');
    await open('run=data/a.parquet&run=data/b.parquet');
    await hover();
    expect(await value()).toBe('');
    const tip = await page.locator('#tooltip').textContent();
    for (const name of ['S · a.parquet', 'S · b.parquet']) expect(tip).toContain(name);
    expect(problems).toEqual([]);
  });

  test('the crosshair that keys move says step, phase and values', async () => {
    await open('run=data/a.parquet');
    await plot(page, 'sharpness').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowRight');
    await expect
      .poll(() => page.locator('#announce').textContent())
      .toMatch(/^step \d+, progressive-sharpening, sharpness [\d.]+/);
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('#announce').textContent()).toMatch(/^step 300,/);
  });

  test('one run alone can be shown, and a copied link says what it cannot carry', async () => {
    await open('run=data/a.parquet&run=data/b.parquet');
    await page.locator('.run-row', { hasText: 'b.parquet' }).hover();
    await page.getByRole('button', { name: 'Show only b.parquet' }).click();
    await settled(page);
    expect(await shownRuns(page)).toEqual(['b.parquet']);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const copied = () => page.locator('.controls .said').textContent();
    await page.locator('[data-act=link]').click();
    await expect.poll(copied).toBe('Link copied');
    copyFileSync(join(folder, 'a.parquet'), join(folder, 'mine.parquet'));
    await page.locator('input[type=file]').setInputFiles(join(folder, 'mine.parquet'));
    await expect.poll(() => shownRuns(page)).toHaveLength(2);
    await settled(page);
    await page.locator('[data-act=link]').click();
    await expect.poll(copied).toBe('Link copied, without 1 run that it cannot name');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await address(page));
    expect(problems).toEqual([]);
  });

  test('a map names facets that it has no room for, and runs that were too short', async () => {
    await open('map=outcome,eta,lambda2,delta');
    const panel = page.locator('[data-panel=sweep]');
    expect(await panel.locator('.problem').textContent()).toMatch(
      /^Not shown, for want of room: delta = [\d.]+, [\d.]+\.$/,
    );
    expect(await panel.locator('.plot').getAttribute('data-cells')).toBe('16');
    expect(await panel.locator('.legend').textContent()).toContain('still sharpening');
  });

  test.each([
    ['events.out.tfevents.1.simple', 'tfevents'],
    ['events.out.tfevents.2.tensor', 'tfevents'],
  ])('a log of TensorBoard is read on the page: %s', async (name, format) => {
    await open('');
    await drop(join(FORMATS, name));
    expect(await page.locator('.log-told').textContent()).toMatch(
      new RegExp(`^Read as ${format}: .*loss from “`),
    );
    expect(await shownRuns(page)).toContain(name);
    expect(await plot(page, 'loss').locator('[aria-label=line] path').count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  test('JSON, lines of text and NumPy are read on the page, too', async () => {
    const rows = Array.from({ length: 300 }, (_, step) => ({ step, loss: Math.exp(-step / 90) }));
    writeFileSync(join(folder, 'log.json'), JSON.stringify(rows));
    const lines = rows.map(({ step, loss }) => `Epoch ${step}: loss=${loss.toPrecision(5)}`);
    writeFileSync(join(folder, 'log.txt'), lines.join('\n'));
    const header =
      "{'descr': [('step', '<f8'), ('loss', '<f8')], 'fortran_order': False, 'shape': (300,)}";
    const numbers = Float64Array.from(rows.flatMap(({ step, loss }) => [step, loss]));
    const magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
    writeFileSync(
      join(folder, 'log.npy'),
      Buffer.concat([magic, Buffer.from(header), new Uint8Array(numbers.buffer)]),
    );
    await open('');
    await drop(join(folder, 'log.json'), join(folder, 'log.txt'), join(folder, 'log.npy'));
    const told = await page.locator('.log-told').allTextContents();
    for (const each of told) expect(each).toMatch(/: .*loss from “loss”/);
    expect(told.map((each) => /^Read as (\w+)/.exec(each)![1]).sort()).toEqual([
      'json',
      'npy',
      'text',
    ]);
    expect(problems).toEqual([]);
  });
});
