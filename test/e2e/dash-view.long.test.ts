import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  address,
  launch,
  openPage,
  plot,
  type Started,
  serve,
  settled,
  shownRange,
  shownRuns,
  stepAt,
} from '../dash/browser.ts';
import { CONFIG, makeRows, parquetBytes } from '../dash/make-run.ts';
import { lockText } from '../safety/lock-text.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

/** Texts that stand in more than one line, or reach out of their box. */
const broken = (texts: Locator): Promise<string[]> =>
  texts.evaluateAll((elements) =>
    elements.flatMap((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
      const inside =
        range.getBoundingClientRect().right <=
        element.closest('.tile')!.getBoundingClientRect().right - 4;
      return lines.size === 1 && inside ? [] : [element.textContent ?? ''];
    }),
  );

describeWith(['chromium'], 'what the dashboard shows of odd runs and links', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;
  const file = (name: string) => join(folder, name);
  const open = (query: string, options: Parameters<typeof openPage>[2] = {}) =>
    openPage(browser, `${server.url}?refresh=0&${query}`, options);
  const withSummary = (name: string, summary: object, rows = makeRows(300)) =>
    writeFileSync(
      file(name),
      parquetBytes(rows, {
        'eos.config': JSON.stringify(CONFIG),
        'eos.summary': JSON.stringify(summary),
      }),
    );

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-view-'));
    const stream = (...args: string[]) =>
      execFileSync(process.execPath, [join(root, 'bin/run.js'), 'stream', ...args, '--quiet']);
    stream('--preset', 'three-phases', '--out', file('three.parquet'));
    stream('--preset', 'three-phases', '--steps', '0', '--out', file('one.parquet'));
    const summary = {
      outcome: 'converged',
      cycles: 25,
      max_sharpness_ratio: 1.23456,
      phases: [],
      warnings: [],
    };
    const time = { delta: 0.01, epsilon: 1e-8, step: 987_654 };
    withSummary('a.parquet', {
      ...summary,
      final_loss: 9.845e-11,
      l_hat_slope: -0.0039608,
      convergence_time: time,
    });
    withSummary('b.parquet', {
      ...summary,
      final_loss: -1.2345e-308,
      l_hat_slope: -3.0048e-4,
      convergence_time: time,
    });
    withSummary('c.parquet', {
      ...summary,
      max_sharpness_ratio: 1.23456789e302,
      final_loss: 1.7976931348623157e308,
      l_hat_slope: -0.00396088,
      l_hat_slope_predicted: -1.2345678e-300,
      warnings: ['the run was cut short, and this is a warning of some length to tell of it'],
    });
    writeFileSync(file('foreign.parquet'), parquetBytes(makeRows(300), {}));
    writeFileSync(file('cut.parquet'), parquetBytes(makeRows(300)));
    server = await serve([folder]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test.each(['a,b,c', 'a', 'c', 'b'])(
    'no word of a tile of %s breaks or sticks out at any width',
    async (names) => {
      const runs = names.split(',');
      const link = runs.map((run) => `run=data/${run}.parquet`).join('&');
      const { page, problems } = await open(link, { width: 390 });
      for (const width of [390, 320, 1024, 1440, 3840]) {
        await page.setViewportSize({ width, height: 900 });
        await settled(page);
        if (runs.length === 1)
          expect(await page.locator('.figure').count()).toBeGreaterThanOrEqual(5);
        expect(await broken(page.locator('.tile:not(.warnings) p:visible'))).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
          width,
        );
      }
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  test('tiles that do not fit into one row stand in rows of as many, none alone', async () => {
    const perRow = (page: Page) =>
      page.locator('.tile:not(.warnings)').evaluateAll((tiles) => {
        const tops = tiles.map((tile) => Math.round(tile.getBoundingClientRect().top));
        return [...new Set(tops)].map((top) => tops.filter((each) => each === top).length);
      });
    const { page } = await open('run=data/c.parquet', { width: 2600 });
    const [all] = await perRow(page);
    expect(all).toBeGreaterThan(4);
    const seen = new Set<number>();
    for (let width = 1500; width > 700; width -= 100) {
      await page.setViewportSize({ width, height: 900 });
      await settled(page);
      const rows = await perRow(page);
      seen.add(rows.length);
      expect(Math.max(...rows) - Math.min(...rows)).toBeLessThan(rows.length);
      expect(await broken(page.locator('.tile:not(.warnings) p:visible'))).toEqual([]);
    }
    expect(seen.size).toBeGreaterThan(1);
    await page.setViewportSize({ width: 2600, height: 900 });
    await expect.poll(() => perRow(page)).toEqual([all]);
    await page.close();
  });

  test('tiles fill their rows, also above a warning', async () => {
    for (const width of [1440, 1024, 390]) {
      for (const run of ['a', 'c']) {
        const { page } = await open(`run=data/${run}.parquet`, { width });
        const rights = await page.locator('.tile').evaluateAll((tiles) => {
          const rows = new Map<number, number>();
          for (const { top, right } of tiles.map((tile) => tile.getBoundingClientRect())) {
            rows.set(Math.round(top), Math.max(rows.get(Math.round(top)) ?? 0, Math.round(right)));
          }
          return [...rows.values()];
        });
        const box = (await page.locator('#tiles').boundingBox())!;
        for (const right of rights) expect(Math.abs(right - box.x - box.width)).toBeLessThan(3);
        await page.close();
      }
    }
  });

  test.each([
    [
      'from=20000&to=30000',
      [0, 10_000],
      /asks for steps 20,000 – 30,000, and there are steps 0 – 10,000/,
    ],
    ['from=-1e9&to=1e9', [0, 10_000], undefined],
    ['from=9000&to=1e9', [9000, 10_000], undefined],
    ['from=500.2&to=500.4', [498.3, 502.3], undefined],
    ['from=NaN&to=5', [0, 10_000], undefined],
    ['from=7&to=3', [0, 10_000], undefined],
    ['from=-Infinity&to=Infinity', [0, 10_000], undefined],
  ] as const)('a link with %s shows steps that are there', async (query, shown, said) => {
    const { page, problems } = await open(`run=data/three.parquet&${query}`);
    expect(await shownRange(page, 'timeline')).toEqual(shown);
    for (const panel of ['loss', 'sharpness', 'oscillation', 'weights']) {
      expect(await shownRange(page, panel)).toEqual(shown);
      expect(await page.locator(`[data-panel=${panel}]`).isVisible()).toBe(true);
      const labels = await plot(page, panel)
        .locator('[aria-label="x-axis tick label"] text')
        .allTextContents();
      expect(labels.filter((label) => label !== '').length).toBeGreaterThan(1);
    }
    for (const panel of ['loss', 'sharpness', 'oscillation', 'weights'])
      expect(await plot(page, panel).locator('[aria-label=line] path').count()).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      1440,
    );
    const frame = (await page.locator('.range-window').boundingBox())!;
    const bar = (await page.locator('.range-box').boundingBox())!;
    expect(frame.x).toBeGreaterThanOrEqual(bar.x);
    expect(frame.x + frame.width).toBeLessThanOrEqual(bar.x + bar.width);
    expect((await page.screenshot({ fullPage: true })).length).toBeGreaterThan(1000);
    if (said) expect(await page.locator('.notice').textContent()).toMatch(said);
    else expect(await page.locator('.notice').count()).toBe(0);
    // The address tells what is shown.
    const told = new URLSearchParams(new URL(await address(page)).search);
    if (shown[0] === 0) expect(await page.locator('[data-act=reset]').isDisabled()).toBe(true);
    await page.locator('[data-panel=loss] [data-act=scale]').click();
    await settled(page);
    const written = new URLSearchParams(new URL(await address(page)).search);
    expect([written.get('from'), written.get('to')]).toEqual(
      shown[0] === 0 ? [null, null] : shown.map(String),
    );
    expect(told.get('run')).toBe('data/three.parquet');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a link full of nonsense shows the run all the same', async () => {
    const nonsense = [
      'at=1e309&log=__proto__,constructor&linear=toString,<b>&hide=loss.nothing,,,&panel=__proto__&theme=%00',
      'at=1e9&refresh=-1&map=,,,=,&sweep=%F0%9F&panel=%3Cimg%3E&hide=..%2F..&run=http://[&run=%25&run=//',
    ];
    for (const query of nonsense) {
      const { page } = await open(`run=data/three.parquet&${query}`);
      expect(await page.locator('.panel:visible').count()).toBe(10);
      expect(await shownRuns(page)).toEqual(['three.parquet']);
      expect(await shownRange(page)).toEqual([0, 10_000]);
      await page.close();
    }
  });

  test('a run without summary is running only while it is written', async () => {
    for (const [name, outcome, small] of [
      ['foreign', 'unknown', '299 steps, no summary'],
      ['cut', 'unfinished', '299 of 10,000 steps'],
    ]) {
      const { page } = await open(`run=data/${name}.parquet`);
      expect(await page.locator('[data-tile=outcome] .figure').textContent()).toBe(outcome);
      expect(await page.locator('[data-tile=outcome] .small').textContent()).toBe(small);
      await page.close();
    }
    writeFileSync(file('live.parquet.partial'), parquetBytes(makeRows(300)));
    const { page } = await openPage(browser, `${server.url}?run=data/live.parquet`);
    const outcome = () => page.locator('[data-tile=outcome] .figure').textContent();
    expect(await outcome()).toBe('running');
    // Who held this lock is no more.
    writeFileSync(file('live.parquet.lock'), lockText({ pid: 1, started: '0' }));
    await expect.poll(outcome).toBe('unfinished');
    await page.close();
    rmSync(file('live.parquet.partial'));
    rmSync(file('live.parquet.lock'));
  });

  test('a real run is running, and interrupted once its program is killed', async () => {
    const args = ['--preset', 'paper', '--pace', '400', '--steps', '50000', '--flush-every', '0'];
    const stream = spawn(
      process.execPath,
      [join(root, 'bin/run.js'), 'stream', ...args, '--out', file('real.parquet'), '--quiet'],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const ended = new Promise((resolve) => stream.once('exit', resolve));
    await expect.poll(() => existsSync(file('real.parquet.partial'))).toBe(true);
    const { page } = await openPage(browser, `${server.url}?run=data/real.parquet`);
    const outcome = () => page.locator('[data-tile=outcome] .figure').textContent();
    for (const steps of [500, 1000]) {
      await expect.poll(async () => (await shownRange(page))[1]).toBeGreaterThan(steps);
      expect(await outcome()).toBe('running');
      expect(await page.locator('[data-tile=warnings]').count()).toBe(0);
    }
    stream.kill('SIGKILL');
    await ended;
    await expect.poll(outcome).toBe('interrupted');
    await expect
      .poll(() => page.locator('[data-tile=warnings]').textContent())
      .toContain('interrupted after step');
    await page.close();
  });

  test.each(['from=8000&to=8004', 'from=500&to=504', 'from=196&to=200', 'from=9000&to=9100'])(
    'deep in a run (%s) axes are legible and lines stay inside',
    async (query) => {
      const { page } = await open(`run=data/three.parquet&${query}`);
      for (const panel of ['loss', 'sharpness', 'split', 'oscillation', 'weights', 'plane']) {
        const { air, alike, outside, ends } = await plot(page, panel).evaluate((box) => {
          const svg = box.querySelector('svg.main')!;
          const rects = (selector: string) =>
            [...svg.querySelectorAll(selector)].map((e) => e.getBoundingClientRect());
          const [title] = rects('[aria-label="y-axis label"] text');
          const labels = [...svg.querySelectorAll('[aria-label="y-axis tick label"] text')];
          const texts = labels.map((label) => label.textContent).filter(Boolean);
          // Where each line is at the two ends of the plot, although its next row lies outside.
          const [width, height] = [svg.clientWidth, svg.clientHeight];
          const ends = [...svg.querySelectorAll('[aria-label=line] path')].flatMap((line) => {
            const points = (line.getAttribute('d') ?? '')
              .split(/[ML]/)
              .filter(Boolean)
              .map((point) => point.split(',').map(Number) as [number, number]);
            return [68, width - 16].flatMap((x) =>
              points.slice(1).flatMap(([x2, y2], i) => {
                const [x1, y1] = points[i]!;
                return x1 <= x && x2 >= x && x1 < x2
                  ? [y1 + ((y2 - y1) * (x - x1)) / (x2 - x1)]
                  : [];
              }),
            );
          });
          return {
            // The title stands above the labels, which reach from the left end of the box at most.
            air: Math.min(
              ...labels.map((label) => label.getBoundingClientRect().top - title!.bottom + 4),
              ...labels.map(
                (label) => label.getBoundingClientRect().left - box.getBoundingClientRect().left,
              ),
            ),
            alike: texts.length - new Set(texts).size,
            outside: box.closest('[data-panel=plane]')
              ? 0
              : ends.filter((y) => y < 11 || y > height - 33).length,
            ends: ends.length,
          };
        });
        if (panel !== 'plane') expect(ends).toBeGreaterThan(1);
        expect({ panel, air: air >= 0, alike, outside }).toEqual({
          panel,
          air: true,
          alike: 0,
          outside: 0,
        });
      }
      await page.close();
    },
  );

  test('a run of one row is seen: dots, a whole phase bar, its step', async () => {
    const { page, problems } = await open('run=data/one.parquet');
    for (const panel of ['loss', 'sharpness', 'split', 'oscillation', 'weights']) {
      const dots = plot(page, panel).locator('[aria-label=dot] circle');
      expect(await dots.count()).toBeGreaterThan(0);
      expect(Number(await dots.first().getAttribute('r'))).toBeGreaterThanOrEqual(3);
      expect(
        await plot(page, panel).locator('[aria-label="x-axis tick label"] text').allTextContents(),
      ).toEqual(['0']);
    }
    const bar = (await plot(page, 'timeline').locator('[aria-label=rect] rect').boundingBox())!;
    const box = (await plot(page, 'timeline').boundingBox())!;
    expect(bar.width).toBeGreaterThan(box.width * 0.9);
    expect(await page.locator('.range-label').textContent()).toBe('0 – 0');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the table of cycles fits a phone, and tells that there is more below', async () => {
    const { page } = await open('run=data/three.parquet', { width: 390 });
    const table = page.locator('[data-panel=cycles] .table-scroll');
    expect(await table.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(
      0,
    );
    const heads = page.locator('[data-panel=cycles] th:not(.predicted)');
    expect(await heads.last().isVisible()).toBe(true);
    expect(
      await table.evaluate(
        (box) => getComputedStyle(box).backgroundImage.split('linear-gradient').length,
      ),
    ).toBe(7);
    await page.close();
  });

  test('the hyperbola of the plane has no corners in full screen', async () => {
    const { page } = await open('run=data/three.parquet&panel=plane');
    const path = await plot(page, 'plane').locator('.hyperbola path').first().getAttribute('d');
    const points = path!
      .slice(1)
      .split('L')
      .map((point) => point.split(',').map(Number) as [number, number]);
    let sharpest = 0;
    for (let i = 1; i + 1 < points.length; i++) {
      const [before, here, after] = [points[i - 1]!, points[i]!, points[i + 1]!];
      const turn =
        Math.atan2(after[1] - here[1], after[0] - here[0]) -
        Math.atan2(here[1] - before[1], here[0] - before[0]);
      sharpest = Math.max(sharpest, Math.abs(turn));
    }
    expect(points.length).toBeGreaterThan(100);
    expect((sharpest * 180) / Math.PI).toBeLessThan(0.5);
    await page.close();
  });

  test('pictures have title, axis titles and legend, in the colours of the page', async () => {
    for (const [theme, ground] of [
      ['light', 'rgb(255, 255, 255)'],
      ['dark', 'rgb(21, 27, 36)'],
    ] as const) {
      const { page } = await open(
        `theme=${theme}&run=data/three.parquet&run=data/a.parquet&hide=loss.l2`,
      );
      const svg = await saved(page, 'loss', 'svg');
      const texts = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text]) => text);
      for (const part of [
        'Loss (dimensionless)',
        'three.parquet',
        'a.parquet',
        'L',
        'L̂',
        'predicted slope',
        'loss (log scale)',
      ])
        expect(texts).toContain(part);
      expect(texts).not.toContain('L₂');
      expect(svg).toContain(`fill="${ground}"`);
      expect(svg).not.toMatch(/var\(|light-dark|class=/);
      const size = await page.evaluate(async (text) => {
        const image = new Image();
        image.src = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
        await image.decode();
        return [image.width, image.height];
      }, svg);
      expect(size[0]).toBeGreaterThan(600);
      // Labels reach over the drawing at its right end, and not over the picture.
      const end = await page.evaluate((text) => {
        const box = document.createElement('div');
        box.append(new DOMParser().parseFromString(text, 'image/svg+xml').documentElement);
        document.body.append(box);
        const outer = box.firstElementChild!.getBoundingClientRect();
        const over = [...box.querySelectorAll('text')].filter((label) => {
          const { left, right, top, bottom } = label.getBoundingClientRect();
          return (
            left < outer.left ||
            right > outer.right ||
            top < outer.top - 1 ||
            bottom > outer.bottom + 1
          );
        });
        box.remove();
        return over.map(({ textContent }) => textContent);
      }, svg);
      expect(end).toEqual([]);
      expect(await saved(page, 'timeline', 'svg')).toContain('1: three.parquet');
      await page.close();
    }
  });

  test('by keyboard: a menu closes behind the focus, which outlives a redraw', async () => {
    const { page } = await open('run=data/three.parquet&run=data/a.parquet');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.locator('[data-panel=loss] summary').focus();
    for (const key of ['Enter', 'Tab', 'Tab', 'Tab', 'Tab']) await page.keyboard.press(key);
    expect(await focused()).toMatch(/^Loss over steps/);
    expect(await page.locator('[data-panel=loss] details').getAttribute('open')).toBeNull();
    const row = page.locator('[data-row="three.parquet"]');
    await row.focus();
    for (const shown of ['false', 'true']) {
      await page.keyboard.press('Enter');
      await settled(page);
      expect(await focused()).toBe('three.parquet');
      expect(await row.getAttribute('aria-pressed')).toBe(shown);
    }
    await page.close();
  });

  test('what has the focus is not hidden under the bars', async () => {
    const { page } = await open('run=data/three.parquet', { height: 800 });
    for (let i = 0; i < 90; i++) {
      await page.keyboard.press('Tab');
      const under = await page.evaluate(() => {
        const element = document.activeElement!;
        if (
          element.closest('.topbar, .range-dock') ||
          !element.matches('button, summary, [role=application]')
        )
          return '';
        const { top, bottom } = element.getBoundingClientRect();
        const dock = document.querySelector('.range-dock')!.getBoundingClientRect();
        const bar = document.querySelector('.topbar')!.getBoundingClientRect();
        // The bar of steps stands at the bottom of the window, or once it is passed at its top.
        const underDock = bottom > dock.top && top < dock.bottom;
        return underDock || top < bar.bottom ? `${element.getAttribute('aria-label')}` : '';
      });
      expect(under).toBe('');
    }
    await page.close();
  });

  test('beside a longer run the crosshair goes on where a run has ended', async () => {
    const { page, problems } = await open('run=data/a.parquet&run=data/three.parquet');
    const tip = (label: string) => page.locator(`#tooltip [data-label="${label}"] .tip-value`);
    for (const [step, ended] of [
      [150, false],
      [5000, true],
    ] as const) {
      const at = await stepAt(page, 'loss', step);
      await page.mouse.move(at.x - 3, at.y);
      await page.mouse.move(at.x, at.y);
      await page.locator('#tooltip').waitFor({ state: 'visible' });
      await settled(page);
      const shown = Number(
        (await page.locator('#tooltip strong').textContent())!.replace(/\D/g, ''),
      );
      expect(Math.abs(shown - step)).toBeLessThan(20);
      expect((await tip('L · a.parquet').count()) === 0).toBe(ended);
      expect(Number(await tip('L · three.parquet').getAttribute('data-value'))).toBeGreaterThan(0);
      const cross = (await page.locator('[data-panel=loss] .cross').boundingBox())!;
      expect(Math.abs(cross.x - at.x)).toBeLessThan(3);
    }
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the bar below shows a run over the steps of all', async () => {
    const { page } = await open('run=data/a.parquet&run=data/three.parquet');
    const widths = await page
      .locator('.range-picture [aria-label=line] path')
      .evaluateAll((paths) => {
        return paths.map((path) => path.getBoundingClientRect().width);
      });
    const bar = (await page.locator('.range-box').boundingBox())!;
    expect(Math.max(...widths)).toBeLessThan(bar.width * 0.1);
    await page.close();
  });

  test('names too long for their place keep their end; a copied link is said to be', async () => {
    copyFileSync(file('a.parquet'), file('a-run-of-a-very-long-name-indeed-with-seed-7.parquet'));
    const { page } = await open('run=data/a-run-of-a-very-long-name-indeed-with-seed-7.parquet', {
      width: 390,
    });
    const name = page.locator('.run-title');
    expect(await name.textContent()).toBe('a-run-of-a-very-long-name-indeed-with-seed-7.parquet');
    const [chip, end] = [
      (await page.locator('.top-runs').boundingBox())!,
      (await name.locator('span').last().boundingBox())!,
    ];
    expect(end.x + end.width).toBeLessThanOrEqual(chip.x + chip.width);
    expect(await name.locator('span').last().textContent()).toMatch(/7\.parquet$/);
    await page.locator('[data-act=link]').click();
    await page.locator('.said').waitFor({ state: 'visible' });
    expect(await page.locator('.said').textContent()).toMatch(
      /^(Link copied|The link is in the address bar)$/,
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      390,
    );
    await page.close();
    rmSync(file('a-run-of-a-very-long-name-indeed-with-seed-7.parquet'));
  });

  test('a phone shows single values, endless names, and what to do without a file', async () => {
    const steps = Array.from({ length: 200 }, (_, t) => t);
    const column = 'a_column_whose_name_goes_on_and_on_'.repeat(5);
    const name = `${'a-run-whose-name-goes-on-and-on-'.repeat(7)}.parquet`;
    const loss = steps.map((t) => (t % 5 === 4 ? 5 : -1));
    writeFileSync(file(name), parquetBytes({ step: steps, loss, [column]: steps }, {}));
    writeFileSync(file('nothing.parquet'), '');
    const { page } = await open(`run=data/${name}&add=${column}`, { width: 320, height: 640 });
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    expect(await width()).toBeLessThanOrEqual(320);
    // A logarithmic scale has a place for every fifth value alone, too many for dots.
    const path = plot(page, 'loss').locator('[aria-label=line] path').first();
    expect((await path.getAttribute('d'))!.match(/h/g)!.length).toBeGreaterThan(30);
    // A file of losses alone has its bar of steps.
    await page.locator('.range-dock').waitFor({ state: 'visible' });
    await page.close();
    const alone = await serve([file('nothing.parquet')]);
    const empty = await openPage(browser, `${alone.url}?refresh=0`, { width: 320, height: 640 });
    await empty.page.locator('#empty').waitFor({ state: 'visible' });
    await empty.page.getByText('nothing.parquet: the file is damaged').waitFor();
    await empty.page.close();
    expect(await alone.stop()).toBe(0);
    rmSync(file(name));
    rmSync(file('nothing.parquet'));
    // What a run that goes on adds to the bar has a place too.
    writeFileSync(file('going.parquet.partial'), parquetBytes(makeRows(300)));
    const going = await open('run=data/going.parquet', { width: 320, height: 640 });
    const resume = going.page.getByRole('button', { name: 'Resume' });
    expect((await resume.boundingBox())!.x).toBeGreaterThanOrEqual(0);
    await going.page.close();
    rmSync(file('going.parquet.partial'));
  });

  test.each([
    [1440, 900],
    [390, 844],
  ])('full screen fits a window of %i × %i', async (width, height) => {
    for (const panel of ['loss', 'plane']) {
      const { page } = await open(`run=data/three.parquet&panel=${panel}`, { width, height });
      const drawing = (await plot(page, panel).locator('svg.main').boundingBox())!;
      const dock = (await page.locator('.range-dock').boundingBox())!;
      expect(drawing.y + drawing.height).toBeLessThanOrEqual(dock.y);
      expect(drawing.height).toBeGreaterThan(height * 0.4);
      await page.close();
    }
  });

  test('zooming by the wheel keeps the step under the pointer, to the last rows', async () => {
    const { page } = await open('run=data/three.parquet');
    const { x: exact, y } = await stepAt(page, 'loss', 3474);
    // Pages are told of whole pixels.
    const x = Math.round(exact);
    await page.mouse.move(x, y);
    const box = (await plot(page, 'loss').boundingBox())!;
    const width = Number(await plot(page, 'loss').locator('svg.main').getAttribute('width'));
    const under = async () => {
      const [from, to] = await shownRange(page);
      return from + ((x - box.x - 68) / (width - 84)) * (to - from);
    };
    const before = await under();
    await page.keyboard.down('Control');
    for (let i = 0; i < 30; i++) {
      await page.mouse.wheel(0, -100);
      await page.waitForTimeout(20);
    }
    await page.keyboard.up('Control');
    await settled(page);
    const [from, to] = await shownRange(page);
    expect(to - from).toBeCloseTo(4, 1);
    expect(Math.abs((await under()) - before)).toBeLessThan(0.6);
    await page.close();
  });

  test('a logarithmic scale says where it has no place for any value', async () => {
    const { page } = await open('run=data/three.parquet&log=oscillation');
    expect(await page.locator('[data-panel=oscillation] .problem').textContent()).toContain(
      'No value here is above 0',
    );
    await page.locator('[data-panel=oscillation] [data-act=scale]').click();
    await settled(page);
    expect(await page.locator('[data-panel=oscillation] .problem').isVisible()).toBe(false);
    await page.close();
  });

  async function saved(page: Page, panel: string, act: string): Promise<string> {
    await page.locator(`[data-panel=${panel}] summary`).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator(`[data-panel=${panel}] [data-act=${act}]`).click(),
    ]);
    return readFileSync(await download.path(), 'utf8');
  }
});
