import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, type Started, serve, settled, shownRuns } from '../dash/browser.ts';
import { makeRows, parquetBytes } from '../dash/make-run.ts';
import { tableBombs } from '../safety/bombs.ts';
import { describeWith } from '../setup/parts.ts';

/** Larger ones are slow to hand to a page; what they claim is the same. */
const LARGEST = 4_000_000;
/** Files of bombs that are dropped, of each day others; EOS_BOMBS=1 drops all. */
const SHARE = Number(process.env.EOS_BOMBS ?? 4);
/** Of them that are served. */
const SERVED = 6;

async function bombFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = (await tableBombs()).flatMap((bomb) =>
    Object.entries(bomb.files).flatMap(([name, content]) =>
      /^[^/]+\.(parquet|arrow)$/.test(name) && content.length < LARGEST
        ? [[name, Buffer.from(content)] as const]
        : [],
    ),
  );
  const first = Math.floor(Date.now() / 86_400_000) % SHARE;
  return new Map([...new Map(files)].filter((_, i) => i % SHARE === first));
}

async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([name, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      return data;
    },
    [name, Buffer.from(bytes).toString('base64')] as const,
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** What the page says of a run, once it says or shows it. */
async function outcome(page: Page, name: string): Promise<string> {
  const found = await page.waitForFunction((name) => {
    const said = [...document.querySelectorAll<HTMLElement>('.notice')].find(
      ({ dataset }) => dataset.run === name,
    );
    if (said) return said.textContent;
    return document.title.includes(name) ||
      [...document.querySelectorAll('.run-name, .run-title')].some(
        ({ textContent }) => textContent === name,
      )
      ? 'shown'
      : undefined;
  }, name);
  return String(await found.jsonValue());
}

describeWith(['chromium'], 'a page that is given files that claim more than they hold', () => {
  let browser: Browser;
  let folder: string;
  let server: Started;
  let bombs: ReadonlyMap<string, Uint8Array>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-page-bombs-'));
    writeFileSync(join(folder, 'sound.parquet'), parquetBytes(makeRows(600)));
    bombs = await bombFiles();
    expect(bombs.size).toBeGreaterThan(2 * SERVED);
    for (const [name, bytes] of [...bombs].slice(0, SERVED))
      writeFileSync(join(folder, name), bytes);
    server = await serve([folder]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const sound = () => `${server.url}?refresh=0&run=data/sound.parquet`;

  test('shows each, or says in a line why not, and goes on', async () => {
    const { page } = await openPage(browser, sound());
    const said: string[] = [];
    for (const [name, bytes] of bombs) {
      await drop(page, name, bytes);
      const line = await outcome(page, name);
      if (!/^[^\n]{1,600}$/.test(line)) said.push(`${name}: ${line}`);
    }
    await drop(page, 'last.parquet', parquetBytes(makeRows(700)));
    await outcome(page, 'last.parquet');
    await settled(page);
    expect(said).toEqual([]);
    expect(await shownRuns(page)).toContain('last.parquet');
    await page.close();
  }, 900_000);

  test('opens beside those that are served', async () => {
    for (const name of [...bombs.keys()].slice(0, SERVED)) {
      const { page } = await openPage(browser, `${sound()}&run=data/${encodeURIComponent(name)}`);
      expect(await outcome(page, name)).toMatch(/^[^\n]{1,600}$/);
      expect(await shownRuns(page)).toContain('sound.parquet');
      await page.close();
    }
  }, 900_000);
});
