import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { launch } from '../dash/browser.ts';
import { type Condition, growingReader } from '../dash/growing-reader.ts';
import { end, followRun, programs, watchedPage } from '../dash/live-run.ts';
import { slowProxy } from '../dash/slow-proxy.ts';
import { cleanEnvironment } from '../setup/eos.ts';
import { describeWith, part, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

/** Looks at each latency, and seconds of the live test: the whole trials are 3,400 and 600. */
const LOOKS = Number(process.env.EOS_LOOKS ?? 60);
const SECONDS = Number(process.env.EOS_LIVE_SECONDS ?? 20);
/**
 * Bytes by which the page's scripts and data may grow: 16 MB of decoded values are kept, two states
 * of what grows, and what no collector has taken yet.
 */
const MOST_GROWTH = 56 * 1024 * 1024;

describeWith(['chromium'], 'files that grow', () => {
  let browser: Browser;
  let folder: string;
  const started = programs(root, cleanEnvironment());

  beforeAll(async () => {
    // Only the whole Chromium measures a page's memory.
    browser = await launch(part('chromium'));
    folder = mkdtempSync(join(tmpdir(), 'eos-growing-'));
  });
  afterAll(async () => {
    await started.end();
    await browser?.close();
    removeFolder(folder);
  });

  test.each([0, 100, 300])(
    'six pages and 14 readers look at them without an error, at %i ms of latency',
    async (latency) => {
      const name = `at-${latency}`;
      const file = join(folder, name);
      const writer = await started.write(
        ['--out', `${file}.parquet`, '--arrow', `${file}.arrow`],
        1000,
      );
      const server = await started.serve(folder);
      const proxy = await slowProxy(server.port, latency);
      const context = await browser.newContext();
      onTestFinished(async () => {
        await context.close();
        proxy.close();
        await end(server.child, 'SIGINT');
        await end(writer, 'SIGKILL');
      });
      const base = `http://127.0.0.1:${proxy.port}/`;
      const pages = await Promise.all(
        Array.from({ length: 6 }, async () => {
          const page = await context.newPage();
          page.setDefaultTimeout(300_000);
          const read = await watchedPage(page, `${base}?run=data/${name}.parquet`);
          const draws = () => page.evaluate(() => Number(document.documentElement.dataset.draws));
          return { read, draws };
        }),
      );
      const drawsOf = async () =>
        (await Promise.all(pages.map(({ draws }) => draws()))).reduce((a, b) => a + b, 0);
      const before = await drawsOf();
      let looks = 0;
      const errors: string[] = [];
      const conditions: readonly Condition[] = ['if-match', 'if-range', 'none'];
      await Promise.all(
        Array.from({ length: 14 }, async (_, i) => {
          const ending = i % 5 === 4 ? 'arrow' : 'parquet';
          const url = `${base}data/${name}.${ending}`;
          const reader = growingReader(url, conditions[i % conditions.length]!);
          while (looks < LOOKS) {
            looks++;
            await reader.look().catch((error: unknown) => errors.push(String(error)));
          }
          reader.close();
        }),
      );
      // With latency the readers may be done before any page has drawn again.
      const drawn = await vi.waitUntil(async () => (await drawsOf()) - before, 300_000);
      const watched = await Promise.all(pages.map(({ read }) => read()));
      console.log(
        `${latency} ms: ${looks} looks of readers, ${drawn} of pages, ${watched.reduce((sum, { samples }) => sum + samples, 0)} samples`,
      );
      expect(errors).toEqual([]);
      expect(watched.flatMap(({ alarms }) => alarms)).toEqual([]);
    },
    600_000 + LOOKS * 1000,
  );

  test('a page follows a killed run and a restarted server without a false alarm', {
    timeout: 600_000 + 2000 * SECONDS,
  }, async () => {
    const environment = cleanEnvironment();
    const trial = {
      browser,
      folder,
      root,
      environment,
      seconds: SECONDS,
      latency: 200,
      pace: 2000,
    };
    const { alarms, samples, flushes, behind, requests, memory } = await followRun(trial);
    const part = (share: number) => Math.round(behind[Math.floor(share * (behind.length - 1))]!);
    const megabytes = memory.map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    console.log(
      `${SECONDS} s at 200 ms: ${samples} samples, ${flushes} flushes, ${requests.size} states read, behind ${part(0.5)} ms (median), ${part(0.99)} ms (99 %), ${part(1)} ms (most); memory ${megabytes.join(', ')}`,
    );
    expect(alarms).toEqual([]);
    expect(behind.length).toBeGreaterThan(0);
    // A state is read by one request, but where one was opened, or lost.
    const asked = [...requests.values()].reduce((sum, count) => sum + count, 0);
    expect(asked / requests.size).toBeLessThan(2);
    // What is kept of rows has a bound, however long the run is.
    expect(Math.max(...memory) - memory[0]!).toBeLessThan(MOST_GROWTH);
  });
});
