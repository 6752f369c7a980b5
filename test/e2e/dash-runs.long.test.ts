import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from '../dash/axe.ts';
import {
  address,
  drag,
  launch,
  openPage,
  plot,
  type Started,
  serve,
  settled,
  shownRange,
  shownRuns,
  stepAt,
  toggleRun,
} from '../dash/browser.ts';
import { CONFIG, makeRows, parquetBytes } from '../dash/make-run.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const RUNS = 60;

describeWith(['chromium'], 'many runs, and runs that are being made', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-runs-'));
    for (let i = 0; i < RUNS; i++) {
      const name = `run-${String(i).padStart(2, '0')}.parquet`;
      const config = { ...CONFIG, eta: 0.01 * (1 + (i % 5)), seed: i };
      const summary = { outcome: i % 2 ? 'converged' : 'diverged', cycles: RUNS - i, phases: [] };
      writeFileSync(
        join(folder, name),
        parquetBytes(makeRows(100), {
          'eos.config': JSON.stringify(config),
          'eos.summary': JSON.stringify(summary),
        }),
      );
    }
    server = await serve([folder]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test('the table lists, sorts, filters, shows, hides; a chart is seen first', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`, {
      width: 1280,
      height: 720,
    });
    const rows = page.locator('#runs tbody tr');
    expect(await rows.count()).toBe(RUNS);
    // What is not open is read for the table alone.
    await expect
      .poll(() => rows.locator('[data-cell=outcome]').allTextContents())
      .toEqual(Array.from({ length: RUNS }, (_, i) => (i % 2 ? 'converged' : 'diverged')));
    expect(await page.locator('#runs thead th').allTextContents()).toEqual([
      'Run',
      'Outcome',
      'eta',
      'seed',
      'Cycles',
    ]);
    const drawing = (await plot(page, 'sharpness').locator('svg.main').boundingBox())!;
    const dock = (await page.locator('.range-dock').boundingBox())!;
    expect(drawing.y + drawing.height).toBeLessThanOrEqual(dock.y);

    await page.getByRole('button', { name: 'Sort by Cycles' }).click();
    expect(await rows.first().locator('.run-name').textContent()).toBe('run-59.parquet');
    expect(await page.locator('th[aria-sort=ascending]').textContent()).toContain('Cycles');
    await page.getByRole('button', { name: 'Sort by Cycles' }).click();
    expect(await rows.first().locator('.run-name').textContent()).toBe('run-00.parquet');

    await page.getByRole('searchbox', { name: 'Filter runs' }).fill('eta=0.05 converged');
    expect(await rows.count()).toBe(RUNS / 10);
    const draws = () => page.evaluate(() => Number(document.documentElement.dataset.draws));
    const before = await draws();
    await page.getByRole('button', { name: 'Show all' }).click();
    await settled(page);
    expect(await draws()).toBe(before + 1);
    await page.getByRole('searchbox').fill('');
    expect(await shownRuns(page)).toHaveLength(1 + RUNS / 10);
    await toggleRun(page, 'run-04.parquet');
    expect(await shownRuns(page)).toHaveLength(2 + RUNS / 10);
    expect(await address(page)).toContain('run=data/run-04.parquet');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('fifty are drawn; a tooltip names the nearest dozen, a row lifts its lines', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    await page.getByRole('button', { name: 'Show all' }).click();
    await settled(page);
    expect(await shownRuns(page)).toHaveLength(50);
    expect(await violations(page)).toEqual([]);
    // There is room for the phases of a dozen, which is said.
    await page.locator('[data-panel=timeline]').getByText('12 of 50 runs').waitFor();
    const at = await stepAt(page, 'sharpness', 50);
    await page.mouse.move(at.x - 3, at.y);
    await page.mouse.move(at.x, at.y);
    await page.locator('#tooltip').waitFor({ state: 'visible' });
    await settled(page);
    expect(await page.locator('#tooltip .tip-line').count()).toBeLessThanOrEqual(12);
    await page.locator('[data-row="run-03.parquet"]').hover();
    const lifted = plot(page, 'sharpness').locator('.lifted');
    expect(await lifted.count()).toBeGreaterThan(0);
    const other = plot(page, 'sharpness').locator('[class*=of-run-]:not(.lifted)').first();
    expect(await other.evaluate((line) => getComputedStyle(line).opacity)).toBe('0.15');
    const link = await address(page);
    const again = await openPage(browser, link);
    expect(await shownRuns(again.page)).toHaveLength(50);
    await page.getByRole('button', { name: 'Hide all' }).click();
    await settled(page);
    expect(await page.locator('#runs').isVisible()).toBe(true);
    expect(problems).toEqual([]);
    await again.page.close();
    await page.close();
  });

  test('of 1,000 runs twelve open in one redraw, fifty are drawn, a chart first', async () => {
    const many = mkdtempSync(join(tmpdir(), 'eos-thousand-'));
    const rows = makeRows(100);
    for (let i = 0; i < 1000; i++) {
      const config = { ...CONFIG, eta: 0.01 * (1 + (i % 5)), seed: i };
      const summary = { outcome: 'converged', cycles: i, phases: [] };
      const metadata = {
        'eos.config': JSON.stringify(config),
        'eos.summary': JSON.stringify(summary),
      };
      writeFileSync(join(many, `run-${i}.parquet`), parquetBytes(rows, metadata));
    }
    const own = await serve([many]);
    const { page, problems } = await openPage(browser, `${own.url}?refresh=0`, {
      width: 1280,
      height: 720,
    });
    const told = page.locator('.run-tools [role=status]');
    const draws = () => page.evaluate(() => Number(document.documentElement.dataset.draws));
    const filter = page.getByRole('searchbox', { name: 'Filter runs' });
    // All are known by their parameters, although one alone is open.
    await filter.fill('seed<12');
    await expect.poll(() => told.textContent()).toBe('1 of 1,000 shown, 12 match');
    await page.getByRole('button', { name: 'Hide all' }).click();
    await expect.poll(() => told.textContent()).toBe('0 of 1,000 shown, 12 match');
    await settled(page);
    const before = await draws();
    await page.getByRole('button', { name: 'Show all' }).click();
    await settled(page);
    expect(await draws()).toBe(before + 1);
    expect(await shownRuns(page)).toHaveLength(12);

    await filter.fill('eta>=0.03');
    await expect.poll(() => told.textContent()).toMatch(/600 match$/);
    await page.getByRole('button', { name: 'Show all' }).click();
    await settled(page);
    expect(await told.textContent()).toMatch(/^50 of 1,000 shown/);
    expect(await page.locator('.notice').textContent()).toContain('50 are drawn at once');
    const drawing = (await plot(page, 'sharpness').locator('svg.main').boundingBox())!;
    expect(drawing.height).toBeGreaterThan(200);
    expect(drawing.y + drawing.height).toBeLessThanOrEqual(720);
    await drag(page, 'sharpness', 20, 60);
    const [from, to] = await shownRange(page, 'sharpness');
    expect(to - from).toBeLessThan(45);
    expect(problems).toEqual([]);
    await page.close();
    await own.stop();
    removeFolder(many);
  });

  test('Back undoes a zoom', async () => {
    const { page } = await openPage(browser, `${server.url}?refresh=0`);
    await drag(page, 'sharpness', 20, 60);
    const zoomed = await shownRange(page, 'sharpness');
    expect(zoomed[1] - zoomed[0]).toBeLessThan(45);
    await page.goBack();
    await settled(page);
    expect(await shownRange(page, 'sharpness')).toEqual([0, 99]);
    await page.close();
  });

  test('a run that is being made is never called damaged; a silent server is said', async () => {
    const live = mkdtempSync(join(tmpdir(), 'eos-live-'));
    const out = join(live, 'live.parquet');
    const args = ['--preset', 'paper', '--steps', '8000', '--pace', '1000', '--flush-every', '0'];
    const stream = spawn(
      process.execPath,
      [join(root, 'bin/run.js'), 'stream', ...args, '--out', out, '--quiet'],
      { stdio: 'inherit' },
    );
    const ended = new Promise((resolve) => stream.once('exit', resolve));
    const own = await serve([live]);
    const { page } = await openPage(browser, `${own.url}?run=data/live.parquet`);
    await page.evaluate(() => {
      const seen = new Set<string>();
      Object.assign(window, { seen });
      setInterval(() => {
        for (const each of document.querySelectorAll('.notice, .problem:not([hidden])'))
          seen.add(each.textContent ?? '');
      }, 50);
    });
    await ended;
    await expect
      .poll(() => page.locator('[data-tile=outcome] .figure').textContent())
      .toMatch(/at the edge/);
    const seen = () => page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
    expect((await seen()).filter((text) => !/no such file/.test(text))).toEqual([]);
    await expect.poll(() => shownRange(page, 'sharpness')).toEqual([0, 8000]);
    await own.stop();
    await expect
      .poll(() => page.locator('.notice').textContent())
      .toMatch(
        /^The server: does not answer since \d\d:\d\d:\d\d; what is shown is as it was then/,
      );
    expect(await plot(page, 'sharpness').locator('[aria-label=line] path').count()).toBeGreaterThan(
      0,
    );
    await page.close();
    removeFolder(live);
  });

  test('a window of the last steps moves with a run; Pause holds, Resume catches up', async () => {
    const live = mkdtempSync(join(tmpdir(), 'eos-window-'));
    const out = join(live, 'live.parquet');
    const args = ['--steps', '100000000', '--pace', '2000', '--flush-every', '0', '--quiet'];
    const stream = spawn(
      process.execPath,
      [join(root, 'bin/run.js'), 'stream', ...args, '--out', out],
      { stdio: 'inherit' },
    );
    const ended = new Promise((resolve) => stream.once('exit', resolve));
    const own = await serve([live]);
    const { page, problems } = await openPage(browser, `${own.url}?run=data/live.parquet`);
    const other = await openPage(browser, `${own.url}?run=data/live.parquet`);
    const shown = (of = page) => shownRange(of, 'sharpness').catch(() => [0, 0] as const);
    await expect.poll(async () => (await shown())[1]).toBeGreaterThan(1000);
    await page.locator('[data-act=last]').selectOption('100');
    await expect
      .poll(async () => {
        const [from, to] = await shown();
        return to - from;
      })
      .toBe(100);
    const [, first] = await shown();
    await expect.poll(async () => (await shown())[0]).toBeGreaterThan(first);
    await expect.poll(() => address(page)).toContain('last=100');

    await page.getByRole('button', { name: 'Pause' }).click();
    await settled(page);
    const held = await shown();
    const reached = (await shown(other.page))[1];
    await expect
      .poll(async () => (await shown(other.page))[1])
      .toBeGreaterThan(Math.max(reached, held[1]) + 4000);
    expect(await shown()).toEqual(held);
    expect(await page.locator('[data-tile=outcome] .figure').textContent()).toBe('running');
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(async () => (await shown())[0]).toBeGreaterThan(held[1] + 2000);
    // A zoom holds the window where it is.
    await plot(page, 'sharpness').press('+');
    await expect.poll(() => page.locator('[data-act=last]').inputValue()).toBe('0');
    expect([...problems, ...other.problems]).toEqual([]);
    await page.close();
    await other.page.close();
    await own.stop();
    stream.kill('SIGKILL');
    await ended;
    removeFolder(live);
  });

  test('a page that was opened before its run is there shows it once it is', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'eos-empty-'));
    const own = await serve([empty]);
    const { page } = await openPage(browser, `${own.url}?run=data/later.parquet`);
    expect(await page.locator('.notice').textContent()).toContain('no such file');
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      ...['stream', '--steps', '300', '--out', join(empty, 'later.parquet'), '--quiet'],
    ]);
    await expect.poll(() => shownRange(page, 'sharpness').catch(() => [])).toEqual([0, 300]);
    await expect.poll(() => page.locator('.notice').count()).toBe(0);
    await page.close();
    await own.stop();
    removeFolder(empty);
  });

  test('a built folder can be read by a web server of another user', () => {
    const site = join(folder, 'site');
    execFileSync(process.execPath, [
      join(root, 'bin/run.js'),
      ...['dash', 'build', '--data', join(folder, 'run-00.parquet'), '--out', site, '--quiet'],
    ]);
    const modes = execFileSync('find', [site, '-printf', '%m %y\n'], { encoding: 'utf8' });
    for (const line of modes.trim().split('\n')) expect(line).toMatch(/^(755 d|644 f)$/);
    removeFolder(site);
  });
});
