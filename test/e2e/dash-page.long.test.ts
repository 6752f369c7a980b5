import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  address,
  drag,
  launch,
  openPage,
  plot,
  ready,
  type Started,
  serve,
  settled,
  shownRange,
  stepAt,
  toggleRun,
} from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

type Row = Record<string, number | string | bigint>;

describeWith(['chromium'], 'the dashboard in a browser', () => {
  let folder: string;
  let server: Started;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let rows: Row[];
  let summary: Record<string, number & string & { step: number; phase: string }[]> & {
    outcome: string;
    cycles: number;
    max_sharpness_ratio: number;
    final_loss: number;
    l_hat_slope: number;
    convergence_time: { step: number };
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-page-'));
    for (const preset of ['three-phases', 'paper']) {
      const names = [
        '--out',
        join(folder, `${preset}.parquet`),
        '--arrow',
        join(folder, `${preset}.arrow`),
      ];
      execFileSync(process.execPath, [
        join(root, 'bin/run.js'),
        'stream',
        '--preset',
        preset,
        ...names,
        '--quiet',
      ]);
    }
    const bytes = readFileSync(join(folder, 'three-phases.parquet'));
    const file = bytes.buffer.slice(
      bytes.byteOffset,
      bytes.byteOffset + bytes.byteLength,
    ) as ArrayBuffer;
    rows = (await parquetReadObjects({ file })) as Row[];
    const { parquetMetadata } = await import('hyparquet');
    summary = JSON.parse(
      parquetMetadata(file).key_value_metadata!.find(({ key }) => key === 'eos.summary')!.value!,
    );
    server = await serve([
      join(folder, 'three-phases.parquet'),
      join(folder, 'paper.parquet'),
      join(folder, 'three-phases.arrow'),
    ]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    expect(await server?.stop()).toBe(0);
    removeFolder(folder);
  });
  beforeEach(async () => {
    ({ page, problems } = await openPage(
      browser,
      `${server.url}?refresh=0&run=data/three-phases.parquet`,
    ));
  });
  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });

  /** A column between its rows. */
  const valueAt = (column: string, step: number): number => {
    const [before, after] = [rows[Math.floor(step)]!, rows[Math.ceil(step)]!].map((row) =>
      Number(row[column]),
    );
    return before! + (after! - before!) * (step - Math.floor(step));
  };
  const tile = (key: string) => page.locator(`[data-tile=${key}] .figure`);
  const tipValue = async (label: string) =>
    Number(
      await page.locator(`#tooltip [data-label="${label}"] .tip-value`).getAttribute('data-value'),
    );

  test('shows every panel with title, unit and description, and numbers', async () => {
    for (const panel of [
      'timeline',
      'loss',
      'sharpness',
      'split',
      'oscillation',
      'weights',
      'plane',
      'cycles',
    ]) {
      const section = page.locator(`[data-panel=${panel}]`);
      expect(await section.isVisible()).toBe(true);
      expect((await section.locator('h2').textContent())!.length).toBeGreaterThan(2);
      expect((await section.locator('.unit').textContent())!.length).toBeGreaterThan(2);
      await section.locator('.info button').hover();
      await expect
        .poll(() => section.locator('.hint').evaluate((hint) => getComputedStyle(hint).visibility))
        .toBe('visible');
      expect((await section.locator('.hint').textContent())!.length).toBeGreaterThan(40);
    }
    expect(await tile('outcome').getAttribute('data-value')).toBe(summary.outcome);
    expect(Number(await tile('eta').getAttribute('data-value'))).toBe(0.05);
    expect(await page.locator('[data-tile=eta] .small').textContent()).toBe('2/η = 40');
    expect(Number(await tile('max-ratio').getAttribute('data-value'))).toBe(
      summary.max_sharpness_ratio,
    );
    expect(Number(await tile('cycles').getAttribute('data-value'))).toBe(summary.cycles);
    expect(Number(await tile('convergence').getAttribute('data-value'))).toBe(
      summary.convergence_time.step,
    );
    expect(await tile('convergence').textContent()).toBe('7,691');
    expect(Number(await tile('final-loss').getAttribute('data-value'))).toBe(summary.final_loss);
    expect(Number(await tile('slope').getAttribute('data-value'))).toBe(summary.l_hat_slope);
    expect(await page.locator('#missing, .missing').isVisible()).toBe(false);
  });

  test('draws what panels promise: threshold, bands, phases, hyperbola, stable set', async () => {
    expect(await plot(page, 'sharpness').locator('.regime-band').count()).toBe(1);
    expect(await plot(page, 'sharpness').locator('.level-name').textContent()).toBe('2/η = 40');
    expect(await plot(page, 'timeline').locator('text').allTextContents()).toEqual([
      'edge of stability',
      'convergence',
    ]);
    expect(await plot(page, 'plane').locator('.hyperbola').count()).toBeGreaterThan(0);
    expect(await plot(page, 'plane').locator('.stable-set').count()).toBe(1);
    expect(await plot(page, 'plane').locator('.trajectory path').count()).toBeGreaterThan(10);
    expect(await page.locator('[data-panel=loss] .key:visible').allTextContents()).toEqual([
      'L',
      'L₂',
      'L̂',
      'predicted slope',
    ]);
  });

  test('the tooltip tells the values of the file, and every panel follows', async () => {
    for (const [panel, column, label] of [
      ['loss', 'loss', 'L'],
      ['sharpness', 'sharpness', 'S'],
      ['oscillation', 'log10_abs_beta1', 'log₁₀|β₁|'],
      ['weights', 'alpha', 'α'],
    ] as const) {
      const at = await stepAt(page, panel, 1234);
      await page.mouse.move(at.x - 5, at.y);
      await page.mouse.move(at.x, at.y);
      await page.locator('#tooltip').waitFor({ state: 'visible' });
      await settled(page);
      const step = Number(
        (await page.locator('#tooltip strong').textContent())!.replace(/\D/g, ''),
      );
      expect(Math.abs(step - 1234)).toBeLessThan(12);
      const box = (await page.locator('#tooltip').boundingBox())!;
      const { width, height } = page.viewportSize()!;
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
      // Beside the pointer, and not under it.
      expect(at.x < box.x || at.x > box.x + box.width).toBe(true);
      expect(await tipValue(label)).toBe(rows[step]![column]);
      expect(await page.locator('#tooltip .tip-line').first().textContent()).toContain(
        `cycle ${rows[step]!.cycle}`,
      );
      expect(await page.locator('.cross:visible').count()).toBe(6);
      expect(
        (await page.locator('[data-panel=split] .legend-value').first().textContent())!.length,
      ).toBeGreaterThan(0);
    }
  });

  test('drag zooms all panels, double click resets', async () => {
    await drag(page, 'loss', 2000, 3000);
    for (const panel of ['loss', 'sharpness', 'weights', 'timeline']) {
      const [from, to] = await shownRange(page, panel);
      expect(Math.abs(from - 2000)).toBeLessThan(20);
      expect(Math.abs(to - 3000)).toBeLessThan(20);
    }
    const [from, to] = await shownRange(page);
    // The lines run on to the ends of the plot, towards the rows outside.
    const seen = [
      from,
      ...rows.slice(Math.ceil(from), Math.floor(to) + 1).map(({ step }) => Number(step)),
      to,
    ].flatMap((step) => ['l1', 'l2'].map((column) => valueAt(column, step)));
    const [low, high] = (await plot(page, 'split').getAttribute('data-y'))!.split(':').map(Number);
    expect(high! - Math.max(...seen)).toBeLessThan(0.06 * (Math.max(...seen) - Math.min(...seen)));
    expect(low!).toBeLessThanOrEqual(Math.min(...seen));
    const at = await stepAt(page, 'sharpness', 2500);
    await page.mouse.dblclick(at.x, at.y);
    await settled(page);
    expect(await shownRange(page)).toEqual([0, 10_000]);
  });

  test('keys move the crosshair, zoom and reset', async () => {
    await plot(page, 'sharpness').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('#tooltip').waitFor({ state: 'visible' });
    const first = await page.locator('#tooltip strong').textContent();
    for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => page.locator('#tooltip strong').textContent()).not.toBe(first);
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await settled(page);
    const [from, to] = await shownRange(page);
    expect(to - from).toBeCloseTo(3600, -1);
    await page.keyboard.press('PageDown');
    await settled(page);
    expect((await shownRange(page))[0]).toBeGreaterThan(from + 1000);
    await page.keyboard.press('-');
    await page.keyboard.press('0');
    await settled(page);
    expect(await shownRange(page)).toEqual([0, 10_000]);
  });

  test('scales, hidden series, full screen and theme stand in the link', async () => {
    const logRange = await plot(page, 'loss').getAttribute('data-y');
    await page.locator('[data-panel=loss] [data-act=scale]').click();
    await page.locator('[data-panel=sharpness] [data-series=gfs]').click();
    await drag(page, 'weights', 100, 2000);
    await page.locator('[data-act=theme]').selectOption('dark');
    await page.locator('[data-act=refresh]').selectOption('5');
    const at = await stepAt(page, 'loss', 700);
    await page.mouse.click(at.x, at.y);
    await page.locator('[data-panel=loss] [data-act=full]').click();
    await settled(page);
    expect(await plot(page, 'loss').getAttribute('data-y')).not.toBe(logRange);
    expect(await page.locator('.panel:visible').count()).toBe(1);
    const url = await address(page);
    for (const piece of [
      'run=data/three-phases.parquet',
      'from=',
      'to=',
      'theme=dark',
      'refresh=5',
      'linear=loss',
      'hide=sharpness.gfs',
      'panel=loss',
      'at=',
    ])
      expect(url).toContain(piece);

    const again = await openPage(browser, url);
    expect(await shownRange(again.page)).toEqual(await shownRange(page));
    expect(await plot(again.page, 'loss').getAttribute('data-y')).toBe(
      await plot(page, 'loss').getAttribute('data-y'),
    );
    expect(await again.page.locator('[data-act=theme]').inputValue()).toBe('dark');
    expect(await again.page.locator('[data-act=refresh]').inputValue()).toBe('5');
    expect(await again.page.locator('.panel:visible').count()).toBe(1);
    expect(await again.page.locator('[data-panel=loss] .cross').isVisible()).toBe(true);
    await again.page.keyboard.press('Escape');
    await again.page.keyboard.press('Escape');
    await settled(again.page);
    // With the checks, which every run of the model has.
    expect(await again.page.locator('.panel:visible').count()).toBe(10);
    expect(
      await again.page
        .locator('[data-panel=sharpness] [data-series=gfs]')
        .getAttribute('aria-pressed'),
    ).toBe('false');
    expect(again.problems).toEqual([]);
    await again.page.close();
  });

  test('the legend takes a series away and back', async () => {
    const lines = () => plot(page, 'split').locator('[aria-label=line] path').count();
    expect(await lines()).toBe(2);
    const wide = await plot(page, 'split').getAttribute('data-y');
    await page.locator('[data-panel=split] [data-series=l1]').click();
    await settled(page);
    expect(await lines()).toBe(1);
    expect(await plot(page, 'split').getAttribute('data-y')).not.toBe(wide);
    await page.locator('[data-panel=split] [data-series=l1]').click();
    await settled(page);
    expect(await lines()).toBe(2);
    await page.locator('[data-panel=plane] [data-series=hyperbola]').click();
    await settled(page);
    expect(await plot(page, 'plane').locator('.hyperbola').count()).toBe(0);
  });

  test('a click on a cycle zooms to it; the table has the numbers of the file', async () => {
    const cycles = page.locator('[data-panel=cycles] tbody tr');
    expect(await cycles.count()).toBe(summary.cycles);
    for (const index of [0, 7]) {
      const inside = rows.filter(({ cycle }) => cycle === index + 1);
      const cells = cycles.nth(index).locator('td');
      expect(Number(await cycles.nth(index).getAttribute('data-first'))).toBe(
        Number(inside[0]!.step),
      );
      expect(Number(await cells.nth(2).getAttribute('data-value'))).toBe(
        Math.max(...inside.map(({ l1 }) => Number(l1))),
      );
      expect(Number(await cells.nth(3).getAttribute('data-value'))).toBe(
        Math.max(...inside.map(({ sharpness_ratio }) => Number(sharpness_ratio))),
      );
      expect((await cells.nth(4).textContent())!).toBe(String(inside.length));
    }
    await page.getByRole('button', { name: 'Zoom to cycle 8', exact: true }).click();
    await settled(page);
    const [from, to] = await shownRange(page);
    const inside = rows.filter(({ cycle }) => cycle === 8);
    expect(from).toBeLessThanOrEqual(Number(inside[0]!.step));
    expect(to).toBeGreaterThanOrEqual(Number(inside.at(-1)!.step));
    expect(to - from).toBeLessThan(inside.length * 1.3);
  });

  test('compares runs: one colour each, in lines, table and strip', async () => {
    await toggleRun(page, 'paper.parquet');
    expect(await address(page)).toContain('run=data/three-phases.parquet&run=data/paper.parquet');
    expect(await page.locator('.shown [data-cell=cycles]').allTextContents()).toEqual(['16', '25']);
    const colors = await plot(page, 'oscillation')
      .locator('[aria-label=line] path')
      .evaluateAll((lines) => lines.map((line) => getComputedStyle(line).stroke));
    expect(new Set(colors).size).toBe(2);
    const at = await stepAt(page, 'sharpness', 5000);
    await page.mouse.move(at.x, at.y);
    await page.locator('#tooltip').waitFor({ state: 'visible' });
    expect(await page.locator('#tooltip .tip-line').allTextContents()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('S · three-phases.parquet'),
        expect.stringContaining('S · paper.parquet'),
      ]),
    );
    await toggleRun(page, 'three-phases.parquet');
    expect(await page.locator('[data-tile=cycles] .figure').allTextContents()).toEqual(['25']);
    expect(await address(page)).not.toContain('three-phases');
  });

  test('an Arrow file gives the same page', async () => {
    const arrow = await openPage(browser, `${server.url}?refresh=0&run=data/three-phases.arrow`);
    for (const key of ['outcome', 'max-ratio', 'cycles', 'convergence', 'final-loss', 'slope']) {
      expect(
        await arrow.page.locator(`[data-tile=${key}] .figure`).getAttribute('data-value'),
      ).toBe(await tile(key).getAttribute('data-value'));
    }
    expect(await plot(arrow.page, 'loss').getAttribute('data-y')).toBe(
      await plot(page, 'loss').getAttribute('data-y'),
    );
    expect(arrow.problems).toEqual([]);
    await arrow.page.close();
  });

  test('panels are saved as SVG, PNG and CSV', async () => {
    const saved = async (panel: string, act: string) => {
      await page.locator(`[data-panel=${panel}] summary`).click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator(`[data-panel=${panel}] [data-act=${act}]`).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const svg = await saved('sharpness', 'svg');
    expect(svg.name).toBe('sharpness.svg');
    expect(svg.bytes.toString()).toMatch(/^<svg[\s\S]*Sharpness \(dimensionless\)[\s\S]*<path/);
    expect(svg.bytes.toString()).not.toMatch(/var\(--|<style|<script/);
    const png = await saved('plane', 'png');
    expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
    expect(png.bytes.length).toBeGreaterThan(10_000);
    await drag(page, 'loss', 1000, 1200);
    const [from, to] = await shownRange(page);
    const csv = await saved('loss', 'csv');
    expect(csv.name).toBe('three-phases-loss.csv');
    const lines = csv.bytes.toString().trim().split('\n');
    expect(lines[0]).toBe('step,loss,l2,l_hat');
    const expected = rows
      .filter(({ step }) => Number(step) >= from && Number(step) <= to)
      .map(({ step, loss, l2, l_hat }) => `${step},${loss},${l2},${l_hat}`);
    expect(lines.slice(1)).toEqual(expected);
    const table = await saved('cycles', 'csv');
    expect(table.bytes.toString().trim().split('\n')).toHaveLength(17);
  });

  test('the bar under the panels moves the range: handles, window, keys, reset', async () => {
    const handle = page.locator('[data-handle=from]');
    await handle.focus();
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    await settled(page);
    expect((await shownRange(page))[0]).toBeCloseTo(1000, -1);
    expect(await handle.getAttribute('aria-valuenow')).toBe('1000');
    const end = (await page.locator('[data-handle=to]').boundingBox())!;
    const bar = (await page.locator('.range-box').boundingBox())!;
    await page.mouse.move(end.x + 7, end.y + 20);
    await page.mouse.down();
    await page.mouse.move(bar.x + bar.width / 2, end.y + 20, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    const [from, to] = await shownRange(page);
    expect(to).toBeGreaterThan(4800);
    expect(to).toBeLessThan(5200);
    await page.mouse.move(bar.x + bar.width * 0.3, bar.y + 20);
    await page.mouse.down();
    await page.mouse.move(bar.x + bar.width * 0.5, bar.y + 20, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    const moved = await shownRange(page);
    expect(moved[1] - moved[0]).toBeCloseTo(to - from, 0);
    expect(moved[0]).toBeGreaterThan(from + 1500);
    await page.locator('[data-act=reset]').click();
    await settled(page);
    expect(await shownRange(page)).toEqual([0, 10_000]);
  });

  test('the crosshair can be pinned, and moves along the trajectory in the plane', async () => {
    await plot(page, 'plane').scrollIntoViewIfNeeded();
    const box = (await plot(page, 'plane').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.75, box.y + box.height * 0.4);
    await page.mouse.move(box.x + box.width * 0.75 + 2, box.y + box.height * 0.4);
    await page.locator('.plane-dot').waitFor();
    const at = await stepAt(page, 'loss', 3000);
    await page.mouse.click(at.x, at.y);
    await page.mouse.move(at.x + 200, at.y);
    await page.mouse.move(5, 5);
    await expect.poll(() => page.locator('[data-panel=loss] .cross').isVisible()).toBe(true);
    await expect.poll(() => address(page)).toMatch(/at=(29|30)\d\d/);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('[data-panel=loss] .cross').isVisible()).toBe(false);
  });

  test('follows the theme of the system, and fits narrow screens', async () => {
    const ground = (opened: Page) =>
      opened.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground(page)).not.toBe(light);
    await page.locator('[data-act=theme]').selectOption('light');
    expect(await ground(page)).toBe(light);
    for (const width of [1024, 390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        width,
      );
      expect(
        Number(await plot(page, 'loss').locator('svg.main').getAttribute('width')),
      ).toBeLessThan(width);
    }
    // All tools of a chart are in the line of its title.
    const lines = await page
      .locator('.panel:not([hidden]) > .panel-tools > header')
      .evaluateAll((headers) =>
        headers.map((header) => {
          const tools = [...header.children].filter((each) => !each.matches('.legend, .spacer'));
          const middles = tools
            .map((each) => each.getBoundingClientRect())
            .filter(({ width }) => width > 0)
            .map(({ top, height }) => top + height / 2);
          return Math.max(...middles) - Math.min(...middles);
        }),
      );
    expect(lines.length).toBeGreaterThan(6);
    for (const apart of lines) expect(apart).toBeLessThan(6);
  });

  test('reloads as it was', async () => {
    await drag(page, 'loss', 300, 900);
    const shown = await shownRange(page);
    await page.reload();
    await ready(page);
    expect(await shownRange(page)).toEqual(shown);
  });
});
