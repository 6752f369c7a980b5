import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../dash/axe.ts';
import { launch, openPage, plot, ready, type Started, serve, settled } from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

describeWith(['chromium'], 'access to the dashboard', () => {
  let folder: string;
  let server: Started;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-access-'));
    const file = join(folder, 'run.parquet');
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      'stream',
      '--preset',
      'three-phases',
      '--steps',
      '3000',
      '--out',
      file,
      '--quiet',
    ]);
    server = await serve([file]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test.each(['light', 'dark'] as const)(
    'axe finds nothing in the %s page, nor in its menus, full screen and messages',
    async (theme) => {
      const { page } = await openPage(
        browser,
        `${server.url}?theme=${theme}&refresh=0&run=data/run.parquet&run=data/nowhere.parquet`,
        { theme },
      );
      expect(await violations(page)).toEqual([]);
      await page.locator('[data-panel=loss] summary').click();
      await plot(page, 'sharpness').focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('#tooltip').waitFor({ state: 'visible' });
      expect(await violations(page)).toEqual([]);
      await page.locator('[data-panel=loss] [data-act=full]').click();
      await settled(page);
      expect(await violations(page)).toEqual([]);
      await page.close();
    },
  );

  test('axe finds nothing in the page without a run', async () => {
    const nothing = await serve([mkdtempSync(join(folder, 'nothing-'))]);
    try {
      const { page } = await openPage(browser, `${nothing.url}?refresh=0`);
      await page.locator('#empty').waitFor({ state: 'visible' });
      expect(await violations(page)).toEqual([]);
      await page.close();
    } finally {
      await nothing.stop();
    }
  });

  test('a table is a stop of Tab once longer figures make it scroll', async () => {
    const { page } = await openPage(browser, `${server.url}?refresh=0&from=10&to=2900`);
    const table = page.locator('.table-scroll[aria-label=Statistics]');
    const stop = () => table.evaluate(({ tabIndex }) => tabIndex);
    expect(await stop()).toBe(-1);
    await table
      .locator('td[data-value]')
      .first()
      .evaluate(({ firstChild }) => {
        (firstChild as Text).data = '0'.repeat(400);
      });
    await expect.poll(stop).toBe(0);
    await page.close();
  });

  test('Tab stops fewer than 30 times, arrow keys reach all else, and it shows', async () => {
    const { page } = await openPage(browser, `${server.url}?refresh=0&from=10&to=2900`);
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return '';
        const outlined = getComputedStyle(element).outlineStyle !== 'none';
        const name = element.getAttribute('aria-label') ?? element.textContent;
        return `${outlined ? '' : 'no outline: '}${name}`;
      });
    const stops: string[] = [];
    const seen: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const stop = await focused();
      if (stop === '') break;
      stops.push(stop);
      const roves = await page.evaluate(() => document.activeElement?.matches('button, select'));
      for (let before = ''; roves && before !== (await focused()); ) {
        before = await focused();
        seen.push(before);
        await page.keyboard.press('ArrowRight');
      }
    }
    expect(stops.length).toBeLessThan(30);
    const names = [...stops, ...seen].join('\n');
    expect(names).not.toContain('no outline');
    for (const part of [
      'Skip to the panels',
      'Open run files and training logs',
      'Theme',
      'About Loss',
      'scale of Loss',
      'Export Loss',
      'Full screen: Loss',
      'Loss over steps',
      'predicted slope',
      'Parameter plane of alpha',
      'Zoom to cycle 1',
      'First step shown',
      'Last step shown',
      'Show the whole run',
    ]) {
      expect(names).toContain(part);
    }
    // A toolbar is entered where it was left.
    await page.getByRole('button', { name: 'Full screen: Loss split' }).focus();
    await page.keyboard.press('Tab');
    expect(await focused()).toContain('Loss split over steps');
    await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('Full screen: Loss split');
    await page.close();
  });

  test('forced colours keep the window of steps and the dots of legends', async () => {
    const context = await browser.newContext({ forcedColors: 'active' });
    const page = await context.newPage();
    await page.goto(`${server.url}?refresh=0&from=500&to=2000`);
    await ready(page);
    const kept = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => {
          const { forcedColorAdjust, backgroundColor } = getComputedStyle(element);
          return `${forcedColorAdjust} ${backgroundColor}`;
        });
    for (const selector of ['.range-window', '[data-panel=timeline] .legend .dot']) {
      expect(await kept(selector)).toMatch(/^none rgb/);
      expect(await kept(selector)).not.toBe('none rgba(0, 0, 0, 0)');
    }
    // So is what is drawn over while a zoom is chosen, along all of it.
    const box = (await plot(page, 'sharpness').boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 100);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 110, { steps: 3 });
    const brush = page.locator('[data-panel=sharpness] .brush');
    expect(await brush.isVisible()).toBe(true);
    expect(await kept('[data-panel=sharpness] .brush')).toMatch(/^none rgb/);
    expect((await brush.boundingBox())!.width).toBeCloseTo(200, -1);
    await page.mouse.up();
    expect(await brush.isVisible()).toBe(false);
    await context.close();
  });

  test('a folder that is opened from disk says what to do', async () => {
    const site = join(folder, 'site');
    const build = ['dash', 'build', '--out', site, '--data', join(folder, 'run.parquet')];
    execFileSync(process.execPath, [join(root, 'bin/run.js'), ...build], { stdio: 'ignore' });
    const page = await browser.newPage();
    await page.goto(pathToFileURL(join(site, 'index.html')).href);
    await page.locator('#unstarted').waitFor({ state: 'visible' });
    expect(await page.locator('#unstarted').textContent()).toContain('eos dash serve');
    // At once, though nothing of the folder may be loaded, its styles neither.
    const { y, height } = (await page.locator('#unstarted').boundingBox())!;
    expect(y + height).toBeLessThan(page.viewportSize()!.height / 2);
    await page.close();
  });

  test('a reader who wants no motion gets none', async () => {
    const moving = async (reducedMotion: 'reduce' | 'no-preference') => {
      const page = await browser.newPage({ reducedMotion });
      await page.goto(`${server.url}?refresh=0`);
      // What stands there until the page has started comes by an animation, of no time.
      await ready(page);
      const count = await page.evaluate(
        () =>
          [...document.querySelectorAll('*')].filter((element) => {
            const { transitionDuration, animationName } = getComputedStyle(element);
            return transitionDuration !== '0s' || animationName !== 'none';
          }).length,
      );
      await page.close();
      return count;
    };
    expect(await moving('no-preference')).toBeGreaterThan(0);
    expect(await moving('reduce')).toBe(0);
  });
});
