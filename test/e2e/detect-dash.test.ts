import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, plot, type Started, serve } from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';

describeWith(['chromium'], 'detected logs in the browser', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-detect-dash-'));
    // Started over the threshold, came down, sharpened, and oscillates at the edge; measured every third step.
    const lines = Array.from({ length: 900 }, (_, t) => {
      const sharpness = t < 4 ? 30 - 5 * t : t < 304 ? 9 + 0.036 * t : 20 + Math.sin((t - 304) / 9);
      return JSON.stringify({
        step: t,
        loss: (t < 4 ? 1 + t : 1) * Math.exp(-t / 300) * (t % 150 > 145 ? 2 : 1),
        sharpness: t < 4 || t % 3 === 0 ? sharpness : null,
      });
    });
    writeFileSync(join(folder, 'log.ndjson'), `${lines.join('\n')}\n`);
    const out = join(folder, 'log.parquet');
    execFileSync(
      process.execPath,
      [join(root, 'bin/run.js'), 'detect', join(folder, 'log.ndjson'), '--eta', '0.1', '--out', out, '-q'],
      { stdio: 'inherit' },
    );
    server = await serve([out]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the page shows its phases, loss and sharpness, says what it has no values for, and has no errors', async () => {
    const { page, problems } = await openPage(browser, server.url);
    await expect(page.locator('[data-panel=timeline]').textContent()).resolves.toContain('catapult');
    for (const panel of ['loss', 'sharpness']) expect(await plot(page, panel).isVisible()).toBe(true);
    expect(await page.locator('.missing').textContent()).toMatch(/Not shown.*Weights \(alpha, beta2\)/);
    expect(problems).toEqual([]);
    await page.close();
  });
});
