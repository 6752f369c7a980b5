import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parquetMetadata } from 'hyparquet';
import type { Browser, Page } from 'playwright-core';
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
  toggleRun,
} from '../dash/browser.ts';
import { CONFIG, growingFile, makeRows, parquetBytes } from '../dash/make-run.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const eos = (...args: string[]) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

/** Drops files on the page as a file manager does. */
async function dropFiles(
  page: Page,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<void> {
  const transfer = await page.evaluateHandle(
    (list) => {
      const data = new DataTransfer();
      for (const { name, base64 } of list)
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      return data;
    },
    files.map(({ name, bytes }) => ({ name, base64: Buffer.from(bytes).toString('base64') })),
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await page.waitForTimeout(100);
  await settled(page);
}

const SUMMARY = {
  outcome: 'converged',
  cycles: 3,
  max_sharpness_ratio: 1.25,
  final_loss: 0.001,
  phases: [],
  warnings: [],
};

describeWith(['chromium'], 'run files in the browser', () => {
  let folder: string;
  let browser: Browser;
  let server: Started;
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-files-'));
    eos(
      'stream',
      '--preset',
      'three-phases',
      '--steps',
      '3000',
      '--out',
      file('run.parquet'),
      '--quiet',
    );
    mkdirSync(file('shared'));
    server = await serve([file('run.parquet'), file('shared')]);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    removeFolder(folder);
  });

  test('a run is shown while it is written, from its first flush to its final name', async () => {
    const growing = growingFile();
    writeFileSync(file('shared/live.parquet.partial'), growing.add(makeRows(1000)));
    const { page, problems } = await openPage(browser, `${server.url}?run=data/live.parquet`);
    expect(await shownRange(page)).toEqual([0, 999]);
    expect(await page.locator('[data-tile=outcome] .figure').textContent()).toBe('running');
    for (const [from, length] of [
      [1000, 500],
      [1500, 700],
      [2200, 1000],
    ] as const) {
      writeFileSync(file('shared/live.parquet.partial'), growing.add(makeRows(length, from)));
      await expect.poll(() => shownRange(page), { interval: 50 }).toEqual([0, from + length - 1]);
    }
    expect(await page.locator('[data-tile=cycles] .figure').textContent()).toBe('12');
    writeFileSync(
      file('shared/live.tmp'),
      parquetBytes(makeRows(4000), {
        'eos.config': JSON.stringify(CONFIG),
        'eos.summary': JSON.stringify(SUMMARY),
      }),
    );
    renameSync(file('shared/live.tmp'), file('shared/live.parquet'));
    rmSync(file('shared/live.parquet.partial'));
    await expect
      .poll(() => page.locator('[data-tile=outcome] .figure').textContent())
      .toBe('converged');
    // Plots follow the tiles in a frame of their own.
    await expect.poll(() => shownRange(page)).toEqual([0, 3999]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a run that does not exist yet appears when it does', async () => {
    const { page } = await openPage(browser, `${server.url}?run=data/later.parquet`);
    expect(await page.locator('.notice').textContent()).toContain(
      'later.parquet: there is no such file',
    );
    writeFileSync(file('shared/later.parquet'), parquetBytes(makeRows(500)));
    await expect.poll(() => shownRuns(page)).toEqual(['later.parquet']);
    await settled(page);
    expect(await page.locator('.notice').count()).toBe(0);
    expect(await shownRange(page)).toEqual([0, 499]);
    await page.close();
  });

  test('files can be dropped, with the trajectories beside them', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const beside = { step: [0, 1, 2], alpha: [0.6, 0.62, 0.63], beta2: [0.3, 0.8, 1.5] };
    await dropFiles(page, [
      { name: 'mine.parquet', bytes: parquetBytes(makeRows(800)) },
      { name: 'mine.constrained.parquet', bytes: parquetBytes(beside, {}) },
      { name: 'mine.gradient-flow.parquet', bytes: parquetBytes(beside, {}) },
    ]);
    expect(await shownRuns(page)).toEqual(['run.parquet', 'mine.parquet']);
    await toggleRun(page, 'run.parquet');
    expect(await shownRange(page)).toEqual([0, 799]);
    expect(await page.locator('[data-panel=plane] .key:visible').allTextContents()).toEqual([
      'gradient descent',
      'minima αβ₂ = 1',
      'stable set |α| ≤ α̂',
      'constrained',
      'gradient flow',
    ]);
    expect(await plot(page, 'plane').locator('.dynamics-constrained path').count()).toBe(1);
    await page.locator('[data-panel=plane] [data-series=constrained]').click();
    await settled(page);
    expect(await plot(page, 'plane').locator('.dynamics-constrained path').count()).toBe(0);
    expect(await address(page)).not.toContain('mine');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('files can be picked', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    await page.setInputFiles('input[type=file]', file('run.parquet'));
    await page.waitForTimeout(100);
    await settled(page);
    expect(await shownRuns(page)).toHaveLength(2);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('Arrow files and streams of other programs are drawn', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const names = ['pandas-lz4', 'polars-zstd', 'polars-views', 'pyarrow-zstd-stream'].map(
      (name) => `${name}.arrow`,
    );
    const lines = () => plot(page, 'loss').locator('[aria-label=line] path').count();
    const before = await lines();
    await dropFiles(
      page,
      names.map((name) => ({
        name,
        bytes: new Uint8Array(readFileSync(join(root, 'test/formats/foreign', name))),
      })),
    );
    expect(await shownRuns(page)).toEqual(['run.parquet', ...names]);
    expect(await page.locator('.notice').allTextContents()).toEqual([]);
    expect(await lines()).toBeGreaterThanOrEqual(before + names.length);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('broken and foreign files are named in the page; the run beside them stays', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const whole = parquetBytes(makeRows(600));
    const bitten = whole.slice();
    bitten.fill(0xff, 500, 2500);
    await dropFiles(page, [
      { name: 'cut.parquet', bytes: whole.slice(0, 3000) },
      { name: 'empty.parquet', bytes: new Uint8Array() },
      { name: 'photo.parquet', bytes: new TextEncoder().encode('GIF89a, not a run at all') },
      { name: 'other.parquet', bytes: parquetBytes({ x: [1, 2], y: [3, 4] }, {}) },
      { name: 'cut.arrow', bytes: new TextEncoder().encode('ARROW1\0\0 and nothing more') },
      { name: 'bitten.parquet', bytes: bitten },
    ]);
    const notices = Object.fromEntries(
      await page
        .locator('.notice')
        .evaluateAll((notes) =>
          notes.map((note) => [(note as HTMLElement).dataset.run, note.textContent]),
        ),
    );
    expect(notices['cut.parquet']).toMatch(/cut off/);
    expect(notices['empty.parquet']).toMatch(/empty or cut off/);
    expect(notices['photo.parquet']).toMatch(/neither a Parquet nor an Arrow file/);
    expect(notices['other.parquet']).toMatch(/no column step/);
    expect(notices['cut.arrow']).toMatch(/cut off/);
    expect(
      Object.values(notices).join(' ') +
        (await page.locator('.problem:visible').allTextContents()).join(' '),
    ).toMatch(/damaged/);
    expect(await shownRuns(page)).toContain('run.parquet');
    expect(
      Number(await plot(page, 'loss').locator('[aria-label=line] path').count()),
    ).toBeGreaterThan(0);
    await page.locator('.notice').first().getByRole('button').click();
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a damaged column is told in its panel; the other panels keep working', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const bytes = parquetBytes(makeRows(600));
    for (const { columns } of parquetMetadata(bytes.slice().buffer).row_groups) {
      const chunk = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === 'l1')!
        .meta_data!;
      const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
      bytes.fill(0xff, start, start + 12);
    }
    await dropFiles(page, [{ name: 'hurt.parquet', bytes }]);
    await toggleRun(page, 'run.parquet');
    expect(await page.locator('[data-panel=split] .problem').textContent()).toMatch(/damaged/);
    expect(await page.locator('.problem:visible').count()).toBe(2);
    for (const panel of ['loss', 'sharpness', 'oscillation', 'weights']) {
      expect(await plot(page, panel).locator('[aria-label=line] path').count()).toBeGreaterThan(0);
    }
    const at = await stepAt(page, 'loss', 300);
    await page.mouse.move(at.x - 5, at.y);
    await page.mouse.move(at.x, at.y);
    await page.locator('#tooltip [data-label="L"]').waitFor({ state: 'visible' });
    const step = Number((await page.locator('#tooltip strong').textContent())!.replace(/\D/g, ''));
    expect(
      Number(await page.locator('#tooltip [data-label="L"] .tip-value').getAttribute('data-value')),
    ).toBe(makeRows(600).loss![step]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('a file that lacks columns hides those panels and says so', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const { step, loss, sharpness, sharpness_ratio, phase } = makeRows(900);
    await dropFiles(page, [
      {
        name: 'log.parquet',
        bytes: parquetBytes(
          {
            step: step!,
            loss: loss!,
            sharpness: sharpness!,
            sharpness_ratio: sharpness_ratio!,
            phase: phase!,
          },
          { 'eos.config': '{"eta":0.05}' },
        ),
      },
    ]);
    await toggleRun(page, 'run.parquet');
    expect(await page.locator('.panel:visible h2').allTextContents()).toEqual([
      'Phases',
      'Sharpness',
      'Loss',
      'Selection',
    ]);
    expect(await page.locator('.missing').textContent()).toMatch(
      /Not shown.*Parameter plane \(alpha, beta2\)/,
    );
    expect(await page.locator('[data-panel=loss] .key:visible').allTextContents()).toEqual(['L']);
    expect(await page.locator('[data-panel=sharpness] .key:visible').allTextContents()).toEqual([
      'S',
      '2/η',
    ]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('markup and script in a file stay text', async () => {
    const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0&hide=<img/src=x>`);
    const rows = makeRows(300);
    const metadata = {
      'eos.config': JSON.stringify({ ...CONFIG, [evil]: evil, name: evil }),
      'eos.summary': JSON.stringify({
        ...SUMMARY,
        outcome: evil,
        warnings: [evil, { message: evil }],
        phases: [{ phase: evil, first_step: 0, last_step: 9 }],
      }),
      [evil]: evil,
    };
    await dropFiles(page, [
      {
        name: `${evil.replaceAll('/', '')}.parquet`,
        bytes: parquetBytes(
          {
            ...rows,
            phase: Array(300).fill(evil),
            regime: Array(300).fill('javascript:alert(1)'),
            [evil]: rows.loss!,
          },
          metadata,
        ),
      },
      { name: `${evil.replaceAll('/', '')}.broken`, bytes: new Uint8Array(50) },
    ]);
    await toggleRun(page, 'run.parquet');
    expect(await page.locator('[data-tile=outcome] .figure').textContent()).toBe(evil);
    expect(await plot(page, 'timeline').locator('text').allTextContents()).toEqual([evil]);
    const at = await stepAt(page, 'loss', 150);
    await page.mouse.move(at.x - 5, at.y);
    await page.mouse.move(at.x, at.y);
    await page.locator('#tooltip').waitFor({ state: 'visible' });
    expect(await page.locator('#tooltip').textContent()).toContain(evil);
    expect(
      await page.evaluate(() => ({
        hacked: 'hacked' in window,
        images: document.images.length,
        scripts: document.scripts.length,
      })),
    ).toEqual({ hacked: false, images: 0, scripts: 1 });
    expect(problems).toEqual([]);
    await page.close();
  });

  test('no eval, no inline script, no foreign host', async () => {
    const { page, problems } = await openPage(browser, `${server.url}?refresh=0`);
    const refused = await page.evaluate(async () => {
      const attempts: Record<string, boolean> = {};
      // Later, since what the driver itself evaluates is exempt from the policy.
      attempts.eval = await new Promise<boolean>((resolve) => {
        setTimeout(() => {
          try {
            resolve(new Function('return true')());
          } catch {
            resolve(false);
          }
        });
      });
      const script = document.createElement('script');
      script.textContent = 'window.inline = 1';
      document.body.append(script);
      attempts.inline = 'inline' in window;
      attempts.fetch = await fetch('http://example.com/').then(
        () => true,
        () => false,
      );
      return attempts;
    });
    expect(refused).toEqual({ eval: false, inline: false, fetch: false });
    expect(problems.every((problem) => /Content Security Policy|example\.com/.test(problem))).toBe(
      true,
    );
    await page.close();
  });

  test('a link to another host is refused in plain words', async () => {
    const { page } = await openPage(
      browser,
      `${server.url}?refresh=0&run=http://example.com/run.parquet`,
    );
    expect(await page.locator('.notice').textContent()).toContain(
      'only files beside the page are read',
    );
    await page.close();
  });
});

describeWith(['chromium'], 'eos dash build', () => {
  let folder: string;
  let browser: Browser;
  let site: Server;
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-build-'));
    eos(
      'stream',
      '--preset',
      'three-phases',
      '--steps',
      '2000',
      '--out',
      file('run.parquet'),
      '--quiet',
    );
    eos(
      'stream',
      '--preset',
      'paper',
      '--steps',
      '2500',
      '--out',
      file('other.parquet'),
      '--arrow',
      file('other.arrow'),
      '--quiet',
    );
    copyFileSync(file('other.parquet'), file('run.constrained.parquet'));
    // The plainest of servers, which knows no ranges, under a path of its own.
    site = createServer((request, response) => {
      const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0]!)).replace(
        /^\/some\/deep\/path\//,
        '',
      );
      try {
        const body = readFileSync(
          join(folder, 'site', path.endsWith('/') || path === '' ? 'index.html' : path),
        );
        response.writeHead(200, {
          'Content-Length': body.length,
          'Content-Type':
            { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }[
              extname(path || 'index.html')
            ] ?? 'application/octet-stream',
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    removeFolder(folder);
  });

  test('a folder works from a plain static server under any path', async () => {
    eos(
      'dash',
      'build',
      '--data',
      file('run.parquet'),
      file('other.arrow'),
      '--out',
      file('site'),
      '--quiet',
    );
    const { page, problems } = await openPage(
      browser,
      `http://127.0.0.1:${(site.address() as AddressInfo).port}/some/deep/path/`,
    );
    expect(await shownRuns(page)).toEqual(['run.parquet']);
    expect(await page.locator('[data-panel=plane] .key:visible').allTextContents()).toContain(
      'constrained',
    );
    await toggleRun(page, 'other.arrow');
    expect(await shownRange(page)).toEqual([0, 2500]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('the same folder is replaced by the next build, but nothing else is', () => {
    eos('dash', 'build', '--data', file('run.parquet'), '--out', file('site'), '--quiet');
    mkdirSync(file('precious'));
    writeFileSync(file('precious/thesis.tex'), 'years of work');
    expect(() =>
      execFileSync(
        process.execPath,
        [
          join(root, 'bin/run.js'),
          'dash',
          'build',
          '--data',
          file('run.parquet'),
          '--out',
          file('precious'),
        ],
        { stdio: 'pipe' },
      ),
    ).toThrow(/holds other files/);
    expect(readFileSync(file('precious/thesis.tex'), 'utf8')).toBe('years of work');
    for (const [args, message] of [
      [['--data', file('nowhere.parquet')], 'there is no such file'],
      [['--data', file('precious')], 'there is no run in it'],
      [['--data', file('precious/thesis.tex')], 'neither a Parquet nor an Arrow file'],
    ] as const) {
      try {
        execFileSync(
          process.execPath,
          [join(root, 'bin/run.js'), 'dash', 'build', ...args, '--out', file('fresh')],
          {
            stdio: 'pipe',
          },
        );
        expect.unreachable();
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: Buffer };
        expect(status).toBe(2);
        expect(stderr.toString().trim().split('\n')).toHaveLength(1);
        expect(stderr.toString()).toContain(message);
      }
    }
  });

  test('one file opens from disk with several runs, its view in its address', async () => {
    eos(
      'dash',
      'build',
      '--data',
      file('run.parquet'),
      file('other.arrow'),
      '--single-file',
      '--out',
      file('page.html'),
      '--quiet',
    );
    const { page, problems } = await openPage(browser, pathToFileURL(file('page.html')).href);
    expect(await shownRuns(page)).toEqual(['run.parquet']);
    expect(await shownRange(page)).toEqual([0, 2000]);
    expect(await page.locator('[data-panel=plane] .key:visible').allTextContents()).toContain(
      'constrained',
    );
    await toggleRun(page, 'other.arrow');
    await page.locator('[data-panel=loss] [data-act=scale]').click();
    await settled(page);
    expect(await address(page)).toContain('linear=loss');
    const again = await openPage(browser, await address(page));
    expect(await shownRuns(again.page)).toHaveLength(2);
    expect(await plot(again.page, 'loss').getAttribute('data-y')).toBe(
      await plot(page, 'loss').getAttribute('data-y'),
    );
    expect([...problems, ...again.problems]).toEqual([]);
    await again.page.close();
    await page.close();
  });
});
