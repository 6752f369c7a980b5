import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, ready, type Started, serve } from '../dash/browser.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';
import { readBack } from '../sinks/read-back.ts';

describeWith(['chromium'], 'the statistics of a selection', () => {
  let browser: Browser;
  let server: Started;
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeAll(async () => {
    browser = await launch();
  });

  test('are marked where they rest on digits that are not true', async () => {
    const cwd = temporaryFolder();
    const run = join(cwd, 'run.parquet');
    const chaotic = ['--preset', 'three-phases', '--eta', '1/7', '--steps', '2000'];
    await eos(['stream', ...chaotic, '--out', run, '--quiet']);
    const served = await serve([run]);
    try {
      const { page } = await openPage(browser, `${served.url}?refresh=0&from=100&to=300`);
      const panel = page.locator('[data-panel=selection]');
      expect(await panel.locator('tbody').textContent()).not.toContain('⁇');
      // What theory says of the edge is said of steps at the edge alone.
      expect(await panel.locator('tbody td').last().textContent()).not.toBe('–');
      await page.goto(`${served.url}?refresh=0&from=0&to=300`);
      await ready(page);
      expect(await panel.locator('tbody td').last().textContent()).toBe('–');
      await page.goto(`${served.url}?refresh=0&from=100&to=1900`);
      await ready(page);
      const cells = await panel.locator('tbody td').allTextContents();
      expect(cells.slice(2).every((cell) => cell === '–' || cell.endsWith('⁇'))).toBe(true);
      expect(await panel.locator('.note').textContent()).toMatch(/not true beyond step \d+/);
      await page.close();
    } finally {
      await served.stop();
    }
  });

  test('are those of its rows, beside what theory predicts, and are saved', async () => {
    const cwd = temporaryFolder();
    const run = join(cwd, 'run.parquet');
    await eos(['stream', '--preset', 'paper', '--out', run, '--quiet']);
    server = await serve([run]);
    const [from, to] = [3500, 9000];
    const { page, problems } = await openPage(
      browser,
      `${server.url}?refresh=0&from=${from}&to=${to}`,
    );
    const panel = page.locator('[data-panel=selection]');
    const numbers = await panel
      .locator('tbody td[data-value]')
      .evaluateAll((cells) => cells.map((cell) => Number((cell as HTMLElement).dataset.value)));
    const [rows, meanS, ratio, slope, , cycles, period, meanL1, predicted] = numbers;

    const file = await readBack(run);
    const inside = async (name: string) =>
      (Array.from(await file.values(name)) as number[]).slice(from, to + 1);
    const mean = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(rows).toBe(to - from + 1);
    expect(meanS).toBeCloseTo(mean(await inside('sharpness')), 10);
    expect(ratio).toBeCloseTo(mean(await inside('sharpness_ratio')), 12);
    expect(meanL1).toBeCloseTo(mean(await inside('l1')), 14);
    // ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) a step, and mean L₁ is what holds β₁² at the edge.
    expect(slope! / (2 * Math.log(1 - 2e-4))).toBeCloseTo(1, 2);
    expect(meanL1! / predicted!).toBeGreaterThan(0.97);
    expect(meanL1! / predicted!).toBeLessThan(1.03);
    const cycle = await inside('cycle');
    expect(cycles).toBe(cycle.at(-1)! - cycle[0]!);
    expect(period! * (cycles! - 1)).toBeLessThan(to - from);

    const download = page.waitForEvent('download');
    await panel.locator('.menu > summary, summary').first().click();
    await panel.locator('[data-act=csv]').click();
    const saved = join(cwd, 'selection.csv');
    await (await download).saveAs(saved);
    const [, line] = (await readFile(saved, 'utf8')).split('\n');
    expect(line!.split(',').slice(1).map(Number)).toEqual(numbers);
    expect(problems).toEqual([]);
    await page.close();
  });
});
