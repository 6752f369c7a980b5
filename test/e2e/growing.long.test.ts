import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { launch, ready } from '../dash/browser.ts';
import { type Condition, growingReader } from '../dash/growing-reader.ts';
import { slowProxy } from '../dash/slow-proxy.ts';
import { cleanEnvironment } from '../setup/eos.ts';
import { describeWith, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

/** Looks at each latency, and seconds of the live test: the whole trials are 3,400 and 600. */
const LOOKS = Number(process.env.EOS_LOOKS ?? 60);
const SECONDS = Number(process.env.EOS_LIVE_SECONDS ?? 20);

const started = new Set<ChildProcess>();

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.add(child);
  child.on('exit', () => started.delete(child));
  return child;
}

interface Flush {
  readonly at: number;
  readonly step: number;
}

/** A run that is flushed as often as can be; tells of every flush. */
async function write(args: readonly string[], pace: number, flushes: Flush[] = []) {
  const child = start([
    ...['stream', '--steps', '100000000', '--flush-every', '0', '--log-format', 'json'],
    ...['--pace', String(pace), ...args],
  ]);
  let rest = '';
  await new Promise<void>((resolve) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const said = JSON.parse(line) as { event: string; step: number; file: string };
        if (said.event !== 'flush' || !said.file.endsWith('.parquet')) continue;
        flushes.push({ at: Date.now(), step: said.step });
        resolve();
      }
    });
  });
  return child;
}

async function serve(folder: string, port = 0) {
  const child = start(['dash', 'serve', folder, '--port', String(port)]);
  const url = await new Promise<string>((resolve) =>
    child.stdout!.on('data', (text) => resolve(/http:\S+/.exec(String(text))![0])),
  );
  return { child, port: Number(new URL(url).port) };
}

/** Ends a process with the signal, and waits until it is gone. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** What is looked at in a page every 50 ms, from its beginning on. */
interface Watched {
  samples: number;
  /** Messages that any sample saw, but those of a silent server. */
  alarms: string[];
  /** When the page came to which step. */
  steps: { at: number; step: number }[];
}

async function watchedPage(page: Page, url: string): Promise<() => Promise<Watched>> {
  await page.addInitScript(() => {
    const watched: Watched = { samples: 0, alarms: [], steps: [] };
    Object.assign(globalThis, { watched });
    setInterval(() => {
      watched.samples++;
      for (const said of document.querySelectorAll('.notice, .problem:not([hidden])')) {
        const text = said.textContent ?? '';
        if (!text.startsWith('The server') && !watched.alarms.includes(text))
          watched.alarms.push(text);
      }
      const drawn = document.querySelector<HTMLElement>('[data-panel=loss] .plot')?.dataset.drawn;
      const step = Number(drawn?.split(':')[1] ?? -1);
      if (step > (watched.steps.at(-1)?.step ?? -1)) watched.steps.push({ at: Date.now(), step });
    }, 50);
  });
  await page.goto(url);
  await ready(page);
  return () =>
    page.evaluate(() => (globalThis as unknown as { readonly watched: Watched }).watched);
}

describeWith(['chromium'], 'files that grow', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    browser = await launch();
    folder = mkdtempSync(join(tmpdir(), 'eos-growing-'));
  });
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await browser?.close();
    removeFolder(folder);
  });

  test.each([0, 100, 300])(
    'six pages and 14 readers look at them without an error, at %i ms of latency',
    async (latency) => {
      const name = `at-${latency}`;
      const file = join(folder, name);
      const writer = await write(['--out', `${file}.parquet`, '--arrow', `${file}.arrow`], 1000);
      const server = await serve(folder);
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

  test('a page follows a run whose program is killed and goes on, and a server that is started again, without a false alarm', {
    timeout: 600_000 + 2000 * SECONDS,
  }, async () => {
    const file = join(folder, 'live.parquet');
    const flushes: Flush[] = [];
    let writer = await write(['--out', file], 2000, flushes);
    let server = await serve(folder);
    const proxy = await slowProxy(server.port, 200);
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    onTestFinished(async () => {
      await page.close();
      proxy.close();
      await end(server.child, 'SIGINT');
      await end(writer, 'SIGKILL');
    });
    const read = await watchedPage(page, `http://127.0.0.1:${proxy.port}/?run=data/live.parquet`);
    const memory: string[] = [];
    const quarter = (SECONDS * 1000) / 4;
    const rest = async () => {
      await sleep(quarter);
      const heap = await page.evaluate(
        () =>
          (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
      );
      memory.push(`${Math.round(heap / 1e6)} MB`);
    };
    await rest();
    await end(writer, 'SIGKILL');
    await page.getByText('interrupted').first().waitFor();
    writer = await write(['--resume', file], 2000, flushes);
    await page.getByText('running').first().waitFor();
    await rest();
    const downAt = Date.now();
    await end(server.child, 'SIGINT');
    await page.getByText('does not answer since').waitFor();
    server = await serve(folder, server.port);
    await page.getByText('does not answer since').waitFor({ state: 'detached' });
    const upAt = Date.now();
    await rest();
    await rest();
    const last = flushes.at(-1)!;
    await expect.poll(async () => (await read()).steps.at(-1)!.step).toBeGreaterThan(last.step);
    const { alarms, samples, steps } = await read();
    const from = steps[0]!;
    const lags = flushes.flatMap(({ at, step }) => {
      if (at < from.at || (at > downAt - 5000 && at < upAt) || step > last.step) return [];
      return steps.find((shown) => shown.step >= step)!.at - at;
    });
    lags.sort((a, b) => a - b);
    const part = (share: number) => Math.round(lags[Math.floor(share * (lags.length - 1))]!);
    console.log(
      `${SECONDS} s at 200 ms: ${samples} samples, ${flushes.length} flushes, behind ${part(0.5)} ms (median), ${part(0.99)} ms (99 %), ${part(1)} ms (most); heap ${memory.join(', ')}`,
    );
    expect(alarms).toEqual([]);
    expect(lags.length).toBeGreaterThan(0);
  });
});
