import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../dash/axe.ts';
import {
  launch,
  openPage,
  plot,
  type Started,
  serve,
  settled,
  shownRuns,
} from '../dash/browser.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith, root } from '../setup/parts.ts';
import { expectSameRun } from '../sinks/read-back.ts';

/** A log of a real network, with the learning rate unsaid. */
const LOG = join(root, 'examples/network.csv');
const ETA = '2/50';

const field = (page: Page, name: string) => page.locator(`.log [data-log=${name}]`);
const told = (page: Page) => page.locator('.log-told').first();

async function dropped(page: Page, ...files: readonly string[]): Promise<void> {
  await page.locator('input[type=file]').setInputFiles([...files]);
  await detected(page);
}

async function detected(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const logs = [...document.querySelectorAll<HTMLElement>('.log')];
    return logs.length > 0 && logs.every(({ dataset }) => dataset.busy === 'false');
  });
  await settled(page);
}

/** Types into a field of the log, as a user who then leaves it. */
async function type(page: Page, name: string, text: string): Promise<void> {
  await field(page, name).fill(text);
  await field(page, name).blur();
  await detected(page);
}

describeWith(['chromium'], 'a training log dropped on the page', () => {
  let browser: Browser;
  let server: Started;
  beforeAll(async () => {
    server = await serve([]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const open = (width = 1280) => openPage(browser, `${server.url}?refresh=0`, { width });

  test('asks for η, shows the phases of eos detect, and saves its file', async () => {
    const cwd = temporaryFolder();
    const { page, problems } = await open();
    await dropped(page, LOG);
    expect(await page.locator('.log [role=alert]').textContent()).toBe(
      'line 2: the learning rate is not known; type it in as η',
    );
    await type(page, 'eta', ETA);
    expect(await page.locator('.log [role=alert]').textContent()).toBe('');
    expect(await told(page).textContent()).toMatch(
      /^Read as csv: .*sharpness from “sharpness”, η = 0\.04; optimizer gd\.$/,
    );
    expect(await shownRuns(page)).toContain('network');
    expect(await plot(page, 'sharpness').getAttribute('data-drawn')).toMatch(/^0:/);

    const download = page.waitForEvent('download');
    await page.locator('[data-act=log-save]').click();
    const saved = join(cwd, 'saved.parquet');
    await (await download).saveAs(saved);
    const command = ['detect', LOG, '--eta', ETA, '--out', 'run.parquet', '--quiet'];
    expect(await eos(command, { cwd })).toMatchObject({ code: 0 });
    await expectSameRun(saved, join(cwd, 'run.parquet'));
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('columns and optimizer can be put right; gzip and several logs go too', async () => {
    const cwd = temporaryFolder();
    const text = (await readFile(LOG, 'utf8')).replace('sharpness', 'quantity');
    await writeFile(join(cwd, 'odd.csv'), text);
    await writeFile(
      join(cwd, 'packed.ndjson.gz'),
      gzipSync('{"step":0,"loss":2}\n{"step":1,"loss":1}\n'),
    );
    const { page, problems } = await open();
    await dropped(page, join(cwd, 'odd.csv'));
    expect(await told(page).textContent()).not.toContain('quantity');
    await type(page, 'sharpness', 'quantity');
    await type(page, 'eta', ETA);
    expect(await told(page).textContent()).toContain('sharpness from “quantity”');
    await type(page, 'momentum', 'a lot');
    expect(await page.locator('.log [role=alert]').textContent()).toBe(
      "momentum: 'a lot' is not a number, such as 0.9",
    );
    await type(page, 'momentum', '');
    await field(page, 'optimizer').selectOption('momentum');
    await detected(page);
    expect(await told(page).textContent()).toContain('optimizer momentum');
    expect((await shownRuns(page)).filter((name) => name === 'odd').length).toBe(1);

    await dropped(page, join(cwd, 'packed.ndjson.gz'));
    expect(await page.locator('.log').count()).toBe(2);
    expect(await shownRuns(page)).toEqual(expect.arrayContaining(['odd', 'packed']));
    await page.locator('[data-act=log-close]').first().click();
    await settled(page);
    expect(await shownRuns(page)).not.toContain('odd');
    // Of a log without sharpness the bar of steps shows the loss.
    const line = page.locator('.range-picture [aria-label=line] path').first();
    await expect.poll(() => line.getAttribute('d')).toMatch(/^M.*L/);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('what is no log says so in one line, at 320 px too, and the page goes on', async () => {
    const cwd = temporaryFolder();
    await writeFile(
      join(cwd, 'noise.bin'),
      Uint8Array.from({ length: 5000 }, (_, i) => (i * 89) % 251),
    );
    const { page, problems } = await open(320);
    await dropped(page, join(cwd, 'noise.bin'));
    expect(await page.locator('.log [role=alert]').textContent()).toMatch(/^[^\n]{10,}$/);
    expect(await page.locator('.log [role=alert]').textContent()).not.toContain('--');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(320);
    await dropped(page, LOG);
    expect(await page.locator('.log').count()).toBe(2);
    expect(problems).toEqual([]);
    await page.close();
  });
});
