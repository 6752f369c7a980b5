import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, type Started, serve } from '../dash/browser.ts';
import { eos } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

describeWith(['chromium'], 'runs whose digits end', () => {
  let browser: Browser;
  let server: Started;
  let until: number;
  const cwd = mkdtempSync(join(tmpdir(), 'eos-digits-'));

  beforeAll(async () => {
    const chaotic = ['--preset', 'three-phases', '--eta', '1/7'];
    for (const args of [
      [...chaotic, '--out', 'chaotic.parquet'],
      ['--preset', 'three-phases', '--out', 'calm.parquet'],
    ])
      expect((await eos(['stream', ...args, '--quiet'], { cwd })).code).toBe(0);
    const { stdout } = await eos(['inspect', 'chaotic.parquet', '--json'], { cwd });
    until = JSON.parse(stdout).summary.trusted_until;
    server = await serve([join(cwd, 'chaotic.parquet'), join(cwd, 'calm.parquet')]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(cwd);
  });

  test('shades the steps beyond, and marks each number that rests on them', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?run=data/chaotic.parquet`);
    const beyond = `not true beyond step ${until}`;
    for (const tile of ['outcome', 'cycles', 'convergence', 'final-loss', 'max-ratio'])
      expect(await page.locator(`[data-tile=${tile}] .doubt`).textContent()).toBe(beyond);
    expect(await page.locator('[data-tile=eta] .doubt').count()).toBe(0);
    expect(await page.locator('[data-tile=warnings]').textContent()).toContain('--precision auto');
    const key = page.locator('[data-key=doubt]:visible').first();
    expect(await key.textContent()).toContain(beyond);
    const shade = await page.locator('.doubt rect').first().boundingBox();
    const plot = await page.locator('.panels svg').first().boundingBox();
    expect(shade!.width / plot!.width).toBeGreaterThan(0.8);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('marks nothing of a run that is true to the end, and says its prediction', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?run=data/calm.parquet`);
    expect(await page.locator('.tile .doubt, rect.doubt, .doubt rect').count()).toBe(0);
    const predicted = page.locator('[data-tile=predicted]');
    expect(await predicted.locator('.figure').textContent()).toMatch(/^crossing [\d,]+ \([-−+]?\d/);
    expect(await predicted.locator('.small').textContent()).toMatch(
      /^edge 2,660 \(.*\), T 7,646 \(/,
    );
    const cycle = page.locator('[data-panel=cycles] tbody tr').first().locator('td');
    const [overshoot, length] = [
      await cycle.nth(5).textContent(),
      await cycle.nth(6).textContent(),
    ];
    expect(overshoot).toMatch(/^\d+(\.\d+)? % \(-?\d\.\d\d %\)$/);
    expect(length).toMatch(/^\d+ \(-?\d\.\d\d %\)$/);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('of several runs, marks the cells of that run alone', async () => {
    const { page } = await openPage(
      browser,
      `${server.url}?run=data/chaotic.parquet&run=data/calm.parquet`,
    );
    const rows = page.locator('#runs .run-row');
    expect(await rows.filter({ hasText: 'chaotic' }).textContent()).toContain('⁇');
    expect(await rows.filter({ hasText: 'calm' }).textContent()).not.toContain('⁇');
    await page.close();
  });
});
