import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, plot, type Started, serve, shownRange } from '../dash/browser.ts';
import { readTable } from '../formats/read-table.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

describeWith(['chromium'], 'detected logs in the browser', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-detect-dash-'));
    // Started over the threshold, came down, sharpened, and oscillates at the edge; measured every
    // third step.
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
      [
        join(root, 'bin/run.js'),
        'detect',
        join(folder, 'log.ndjson'),
        '--eta',
        '0.1',
        '--out',
        out,
        '-q',
      ],
      { stdio: 'inherit' },
    );
    server = await serve([out]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test('the page shows its phases, loss and sharpness, and says what it lacks', async () => {
    const { page, problems } = await openPage(browser, server.url);
    await expect(page.locator('[data-panel=timeline]').textContent()).resolves.toContain(
      'catapult',
    );
    for (const panel of ['loss', 'sharpness'])
      expect(await plot(page, panel).isVisible()).toBe(true);
    expect(await page.locator('.missing').textContent()).toMatch(
      /Not shown.*Weights \(alpha, beta2\)/,
    );
    expect(problems).toEqual([]);
    await page.close();
  });

  test('phases as dated in the end are bands, those of the time a thin strip', async () => {
    const { page } = await openPage(browser, server.url);
    const strips = await plot(page, 'timeline')
      .locator('.phases rect')
      .evaluateAll((rects) =>
        rects.map((rect) => ({
          height: Number(rect.getAttribute('height')),
          x: Number(rect.getAttribute('x')),
        })),
      );
    const { width } = (await plot(page, 'timeline').boundingBox())!;
    const [from, to] = await shownRange(page, 'timeline');
    const step = (x: number) => from + ((x - 68) / (width - 84)) * (to - from);
    const pixel = (to - from) / (width - 84);
    const starts = (thin: boolean) =>
      strips.filter(({ height }) => height < 10 === thin).map(({ x }) => step(x));
    const file = join(folder, 'log.parquet');
    const told = execFileSync(process.execPath, [
      ...[join(root, 'bin/run.js'), 'inspect', file, '--json'],
    ]);
    const { summary } = JSON.parse(String(told)) as {
      summary: { phases: readonly { first_step: number }[] };
    };
    const dated = summary.phases.map(({ first_step }) => first_step);
    const columns = await readTable(file);
    const values = (name: string) => {
      const column = columns.find((each) => each.name === name)!;
      return 'values' in column ? column.values : [];
    };
    // The halves of a cycle are one phase there.
    const phases = values('phase').map((word) =>
      String(word).startsWith('eos-') ? 'edge-of-stability' : word,
    );
    const known = values('step')
      .filter((_, i) => phases[i] !== phases[i - 1])
      .map(Number);
    expect(dated).not.toEqual(known);
    for (const [seen, starting] of [
      [starts(false), dated],
      [starts(true), known],
    ] as const) {
      expect(seen).toHaveLength(starting.length);
      for (const [i, first] of starting.entries())
        expect(Math.abs(seen[i]! - first)).toBeLessThanOrEqual(1.5 * pixel);
    }
    await page.close();
  });

  test('a log that is followed is shown as it grows', async () => {
    const args = [
      'detect',
      '-',
      '--eta',
      '0.1',
      '--out',
      join(folder, 'live.parquet'),
      '--flush-every',
      '0.2',
      '-q',
    ];
    const detect = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    const ended = new Promise((resolve) => detect.on('exit', resolve));
    const write = (from: number, to: number) => {
      for (let t = from; t < to; t++)
        detect.stdin.write(
          `{"step":${t},"loss":${Math.exp(-t / 300)},"sharpness":${Math.min(8 + 0.1 * t, 20.5)}}\n`,
        );
    };
    write(0, 100);
    await expect.poll(() => existsSync(join(folder, 'live.parquet.partial'))).toBe(true);
    const live = await serve([join(folder, 'live.parquet')]);
    const { page, problems } = await openPage(browser, live.url);
    const last = async () => (await shownRange(page))[1];
    await expect.poll(last).toBe(99);
    write(100, 300);
    await expect.poll(last).toBe(299);
    await expect
      .poll(() => page.locator('[data-panel=timeline]').textContent())
      .toContain('edge of stability');
    detect.stdin.end();
    await ended;
    await expect.poll(last).toBe(299);
    expect(problems).toEqual([]);
    await page.close();
    await live.stop();
  });
});
