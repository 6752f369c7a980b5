import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../dash/axe.ts';
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
  shownRuns,
} from '../dash/browser.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const eos = (...args: readonly string[]) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
const ETAS = ['0.03', '0.04', '0.05', '0.06'];

describeWith(['chromium'], 'looking at runs and comparing them', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;
  let page: Page;
  let problems: string[];

  async function open(query: string): Promise<void> {
    await page?.close();
    ({ page, problems } = await openPage(browser, `${server.url}?refresh=0&${query}`));
  }
  const lines = (panel: string) => plot(page, panel).locator('[aria-label=line] path').count();
  const y = async (panel: string) =>
    (await plot(page, panel).getAttribute('data-y'))!.split(':').map(Number) as [number, number];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-compare-'));
    for (const eta of ETAS) {
      const out = ['--steps', '3000', '--out', join(folder, `eta-${eta}.parquet`)];
      eos('stream', '--eta', eta, ...out, ...(eta === '0.05' ? ['--also', 'central'] : []));
    }
    eos('stream', '--eta', '2', '--steps', '400', '--out', join(folder, 'blown.parquet'));
    eos(
      ...['sweep', '--eta', '0.02:0.06:6', '--lambda2', '0.5,1', '--seed', '1:3:3'],
      ...['--samples', '50', '--steps', '300', '--out', join(folder, 'sweep')],
    );
    server = await serve([folder, join(folder, 'sweep')]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test('over log steps, ηt and steps since the crossing; the link and Back keep them', async () => {
    await open('run=data/eta-0.05.parquet');
    expect(await shownRange(page)).toEqual([0, 3000]);
    const over = page.locator('[data-act=x]');
    for (const [axis, range] of [
      ['log', [0, Math.log10(3000)]],
      ['time', [0, 150]],
      ['crossing', [-2015, 985]],
    ] as const) {
      await over.selectOption(axis);
      await settled(page);
      const shown = await shownRange(page);
      expect(shown[0]).toBeCloseTo(range[0], 6);
      expect(shown[1]).toBeCloseTo(range[1], 6);
      expect(await address(page)).toContain(`x=${axis}`);
      expect(await lines('loss')).toBeGreaterThan(0);
      expect(await violations(page)).toEqual([]);
    }
    await drag(page, 'loss', -100, 400);
    const zoomed = await shownRange(page);
    expect(zoomed[1] - zoomed[0]).toBeLessThan(510);
    await page.reload();
    await ready(page);
    expect(await shownRange(page)).toEqual(zoomed);
    await page.goBack();
    await settled(page);
    expect(await shownRange(page)).toEqual([-2015, 985]);
    // It has not crossed, so that it has no place there.
    await open('run=data/eta-0.05.parquet&run=data/eta-0.03.parquet&x=crossing');
    expect(await page.locator('.notice').textContent()).toContain('eta-0.03.parquet');
    expect(problems).toEqual([]);
  });

  test('values zoom at their axis, ηS/2 and phases are chosen, and Back undoes it', async () => {
    await open('run=data/eta-0.05.parquet');
    const whole = await y('loss');
    await plot(page, 'loss').scrollIntoViewIfNeeded();
    const box = (await plot(page, 'loss').boundingBox())!;
    await page.mouse.move(box.x + 30, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 32, box.y + 110, { steps: 3 });
    await page.mouse.up();
    await settled(page);
    const zoomed = await y('loss');
    expect(zoomed[1]).toBeLessThan(whole[1]);
    expect(zoomed[0]).toBeGreaterThan(whole[0]);
    expect(await address(page)).toContain('y=loss:');
    await page.goBack();
    await settled(page);
    expect(await y('loss')).toEqual(whole);

    await page.locator('[data-panel=sharpness] [data-act=unit]').click();
    await settled(page);
    const legend = page.locator('[data-panel=sharpness] .legend');
    expect(await legend.textContent()).toContain('ηS/2');
    const [low, high] = await y('sharpness');
    expect([low < 1, high > 1, high < 4]).toEqual([true, true, true]);
    await page.locator('[data-act=phase]').selectOption({ index: 2 });
    await settled(page);
    expect((await shownRange(page))[0]).toBeCloseTo(2015, 0);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a run that blows up does not flatten a panel, and says what is beyond', async () => {
    await open('run=data/blown.parquet');
    const keys = page.locator('[data-act=y]:not([hidden])');
    const told = await keys.first().textContent();
    expect(told).toMatch(/^▴ \d+ values? up to .* beyond; show all$/);
    await keys.first().click();
    await settled(page);
    expect(await address(page)).toMatch(/y=\w+:all/);
    expect(await keys.first().textContent()).toContain('All values');
  });

  test('colours and means by a parameter, differences, and a table of what differs', async () => {
    await open('run=data/eta-0.04.parquet&run=data/eta-0.05.parquet');
    const table = page.locator('[data-panel=compare] tbody');
    expect(await table.textContent()).toContain('eta0.040.050.01');
    const first = page.locator('.run-row.shown .dot').first();
    const own = await first.evaluate((dot) => getComputedStyle(dot).backgroundColor);
    await page.locator('[data-act=view]').click();
    await page.locator('[data-act=color]').selectOption('eta');
    await settled(page);
    expect(await page.locator('.run-tools .ramp-key').textContent()).toBe('eta 0.040.05');
    expect(await first.evaluate((dot) => getComputedStyle(dot).backgroundColor)).not.toBe(own);
    expect(await violations(page)).toEqual([]);
    await page.locator('[data-act=group]').selectOption('eta');
    await settled(page);
    expect(await plot(page, 'loss').locator('.band').count()).toBeGreaterThan(0);
    expect(await page.locator('[data-panel=loss] [data-key=mode]').textContent()).toContain(
      'mean by eta ± standard deviation of logarithms',
    );
    await page.locator('[data-act=minus]').selectOption('data/eta-0.04.parquet');
    await settled(page);
    expect(await y('sharpness')).not.toEqual(await y('loss'));
    expect(await page.locator('[data-panel=loss] [data-key=mode]').textContent()).toBe(
      'minus eta-0.04.parquet',
    );
    await page.locator('[data-act=minus]').selectOption('central');
    await settled(page);
    expect(await address(page)).toContain('minus=central');
    expect(await lines('sharpness')).toBeGreaterThan(0);
    await page.locator('.menu-columns input').first().check();
    await settled(page);
    expect(await address(page)).toContain('cols=');
    expect(problems).toEqual([]);
  });

  test('cells: a click moves nothing, a brush overlays, the link makes them again', async () => {
    await open('');
    const map = page.locator('[data-panel=sweep] .plot');
    const before = (await map.boundingBox())!;
    const [left, width] = [before.x + 68, before.width - 84];
    // The runs of a cell are those of three seeds.
    await page.mouse.click(left + 0.08 * width, before.y + 80);
    await settled(page);
    expect(await map.boundingBox()).toEqual(before);
    expect(await page.locator('.map-opened').count()).toBe(1);
    await page.mouse.move(left + 0.2 * width, before.y + 60);
    await page.mouse.down();
    await page.mouse.move(left + 0.3 * width, before.y + 70, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    const shown = await shownRuns(page);
    expect(shown.length).toBeGreaterThan(3);
    expect(await violations(page)).toEqual([]);
    const link = await address(page);
    expect(link).toContain('run=cell:sweep:');
    await page.goto('about:blank');
    await page.goto(link);
    await ready(page);
    expect((await shownRuns(page)).sort()).toEqual(shown.sort());
    await open('run=cell:sweep:eta=7;lambda2=1;seed=1');
    expect(await page.locator('.notice').textContent()).toContain('has no run cell:sweep:eta=7');
    // Seeds are names: one place each, whatever they are.
    await open('map=max_sharpness_ratio,eta,seed,-');
    expect(await page.locator('[data-panel=sweep] .ramp-bar').count()).toBe(1);
    const names = plot(page, 'sweep').locator('[aria-label="y-axis tick label"]');
    expect(await names.textContent()).toBe('123');
    expect(problems).toEqual([]);
  });
});
