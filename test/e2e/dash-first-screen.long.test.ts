import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, settled } from '../dash/browser.ts';
import { type StaticHost, staticHost } from '../dash/static-host.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const ROWS = 2_000_000;
describeWith(['chromium'], 'the first screen', () => {
  let folder: string;
  let browser: Browser;
  let host: StaticHost;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-first-'));
    const run = join(folder, 'run.parquet');
    const eos = (...args: string[]) =>
      execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { stdio: 'ignore' });
    eos('stream', '--lambda2', '0.0001', '--steps', String(ROWS - 1), '--out', run, '-q');
    eos('dash', 'build', '--data', run, '--out', join(folder, 'site'));
    host = await staticHost(join(folder, 'site'));
    url = host.url;
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    removeFolder(folder);
  });

  async function open(width: number, height: number): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height } });
    await page.addInitScript(() => {
      Object.assign(globalThis, { shifts: [] });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries())
          (globalThis as unknown as { shifts: unknown[] }).shifts.push(entry.toJSON());
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(url);
    await page.waitForFunction(() => Number(document.documentElement.dataset.draws) > 0);
    await settled(page);
    return page;
  }
  const shifts = (page: Page): Promise<unknown[]> =>
    page.evaluate(() => (globalThis as unknown as { shifts: unknown[] }).shifts);

  test('of millions of rows comes from less than 2 MB, the rest when looked at', async () => {
    const before = host.sent();
    const page = await open(1280, 720);
    expect(host.sent() - before).toBeLessThan(2e6);
    const drawn = page.locator('[data-panel=sharpness] .plot');
    expect(await drawn.getAttribute('data-drawn')).toBe(`0:${ROWS - 1}`);
    // The largest sharpness of all rows is among what is drawn.
    const largest = Number(
      await page.locator('[data-tile=max-ratio] .figure').getAttribute('data-value'),
    );
    const [, high] = (await drawn.getAttribute('data-y'))!.split(':').map(Number);
    expect(high).toBeGreaterThanOrEqual(largest * 40);
    expect(
      await page
        .locator('[data-panel=timeline] .phases path, [data-panel=timeline] .phases rect')
        .count(),
    ).toBeGreaterThan(2);
    const cycles = page.locator('[data-panel=cycles]');
    expect(await cycles.locator('tbody tr').count()).toBe(0);
    await cycles.scrollIntoViewIfNeeded();
    await cycles.locator('tbody tr').first().waitFor();
    await page.close();
  });

  test.each([
    [1280, 720],
    [1440, 900],
    [390, 844],
  ])('moves nothing while it loads at %i × %i', async (width, height) => {
    const page = await open(width, height);
    expect(await shifts(page)).toEqual([]);
    await page.close();
  });

  test('has one complete chart with its bar of steps at 1280 × 720', async () => {
    const page = await open(1280, 720);
    const chart = (await page.locator('[data-panel=sharpness] svg.main').boundingBox())!;
    const dock = (await page.locator('.range-dock').boundingBox())!;
    expect(chart.height).toBeGreaterThanOrEqual(230);
    expect(chart.y + chart.height).toBeLessThanOrEqual(dock.y + 1);
    expect(dock.y + dock.height).toBeLessThanOrEqual(720);
    // Along one axis: where the plot begins and ends, the bar does.
    const picture = (await page.locator('.range-picture').boundingBox())!;
    expect(picture.x).toBeCloseTo(chart.x + 68, 0);
    expect(picture.x + picture.width).toBeCloseTo(chart.x + chart.width - 16, 0);
    // It stays in the window, above the charts that are looked at and below them.
    for (const [windowHeight, part] of [
      [720, 0.3],
      [720, 0.6],
      [320, 0],
    ] as const) {
      await page.setViewportSize({ width: 1280, height: windowHeight });
      await page.evaluate((at) => scrollTo(0, at * document.body.scrollHeight), part);
      const { y, height } = (await page.locator('.range-dock').boundingBox())!;
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y + height).toBeLessThanOrEqual(windowHeight);
    }
    await page.close();
  });
});
