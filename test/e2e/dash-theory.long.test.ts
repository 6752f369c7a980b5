import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  address,
  launch,
  openPage,
  plot,
  ready,
  type Started,
  serve,
  settled,
  shownRange,
} from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

interface Told {
  readonly name: string;
  readonly verdict: string;
  readonly steps?: readonly [number, number];
  readonly text: { readonly measured: string };
}

describeWith(['chromium'], 'theory on the page', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;
  const eos = join(root, 'bin/run.js');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-theory-'));
    const out = join(folder, 'run.parquet');
    execFileSync(process.execPath, [
      ...[eos, 'stream', '--preset', 'three-phases', '--steps', '4000', '--out', out, '-q'],
      ...['--also', 'gradient-flow,central'],
    ]);
    server = await serve([folder]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });
  const open = (query = '') =>
    openPage(browser, `${server.url}?refresh=0&run=data/run.parquet${query}`);

  test('the checks are those of eos verify, and their steps can be looked at', async () => {
    const { stdout } = spawnSync(
      process.execPath,
      [eos, 'verify', join(folder, 'run.parquet'), '--json'],
      { encoding: 'utf8' },
    );
    // To make the run once more is not for a page.
    const told = (JSON.parse(stdout) as { checks: Told[] }).checks.filter(
      ({ name }) => name !== 'made-again',
    );
    const { page, problems } = await open();
    const panel = page.locator('[data-panel=checks]');
    await panel.scrollIntoViewIfNeeded();
    await panel.locator('[data-checked]').waitFor();
    const shown = await panel.locator('[data-check]').evaluateAll((rows) =>
      rows.map((row) => ({
        name: row.getAttribute('data-check'),
        verdict: row.getAttribute('data-verdict'),
        measured: row.children[1]!.textContent,
      })),
    );
    expect(shown).toEqual(
      told.map(({ name, verdict, text }) => ({ name, verdict, measured: text.measured || '–' })),
    );
    const { steps } = told.find(({ name }) => name === 'edge-of-stability')!;
    await panel.locator('[data-check=edge-of-stability] button').click();
    await settled(page);
    const [from, to] = await shownRange(page);
    expect(from).toBeLessThanOrEqual(steps![0]);
    expect(to).toBeGreaterThanOrEqual(steps![1]);
    expect(to - from).toBeLessThan(400);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('other dynamics are drawn over the steps, beside the run', async () => {
    const { page, problems } = await open();
    for (const panel of ['sharpness', 'loss', 'weights'])
      for (const name of ['gradient-flow', 'central']) {
        const key = page.locator(`[data-panel=${panel}] [data-series=dynamics-${name}]`);
        expect(await key.getAttribute('aria-pressed')).toBe('true');
        const lines = plot(page, panel).locator(`.dynamics-${name} path`);
        expect(await lines.count()).toBeGreaterThan(0);
      }
    const key = page.locator('[data-panel=sharpness] [data-series=dynamics-central]');
    await key.click();
    await settled(page);
    expect(await address(page)).toContain('hide=sharpness.dynamics-central');
    expect(await plot(page, 'sharpness').locator('.dynamics-central').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('any column can be put into a panel, which the link keeps, and removed', async () => {
    const { page, problems } = await open();
    await page.locator('[data-act=add-panel]').selectOption('grad_norm');
    await settled(page);
    expect(await address(page)).toContain('add=grad_norm');
    await page.reload();
    await ready(page);
    const panel = page.locator('[data-panel=column-grad_norm]');
    await panel.locator('svg.main').waitFor();
    expect(await panel.locator('.plot').getAttribute('data-drawn')).toBe('0:4000');
    expect(await panel.locator('.hint').textContent()).not.toContain('does not say');
    await panel.locator('[data-act=remove]').click();
    await settled(page);
    expect(await address(page)).not.toContain('add=');
    expect(await panel.count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });
});
