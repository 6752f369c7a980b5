// npm run bench:dash [-- --rows 1000000,10000] [--rounds 3] [--seconds 600] [--long 5000000]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { followRun } from '../test/dash/live-run.ts';
import { staticHost } from '../test/dash/static-host.ts';
import { describe, describeMachine, root } from './machine.ts';

const ZOOMS = 20;
/** Milliseconds of the main thread that a zoom may take, of one run and of ten. */
const MOST_FOR_ONE = 33;
const MOST_FOR_TEN = 100;
/** Seconds that the page may be behind a run. */
const MOST_BEHIND = 1.5;
/** Of the first screen of a long run from a static host. */
const [MOST_BYTES, MOST_MS] = [2e6, 1000];

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000,10000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    long: { type: 'string', default: '5000000' },
  },
});
const print = (text: string) => process.stdout.write(`${text}\n`);
const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));

try {
  print(`${describe(describeMachine())}\n`);
  for (const rows of values.rows.split(',').map(Number))
    await measureRuns([rows], Number(values.rounds));
  await measureRuns(
    Array.from({ length: 10 }, (_, i) => 10_000 + i),
    Number(values.rounds),
  );
  await measureFirstScreen(Number(values.long), Number(values.rounds));
  await measureLive(Number(values.seconds));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Opens runs of these many rows at once. */
async function measureRuns(lengths: readonly number[], rounds: number): Promise<void> {
  const files = lengths.map((rows) => {
    const file = join(folder, `${rows}.parquet`);
    const args = ['stream', '--steps', String(rows - 1), '--out', file, '--quiet', '--force'];
    execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args]);
    return file;
  });
  const server = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'dash', 'serve', ...files, '--port', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const url = await new Promise<string>((resolve) =>
    server.stdout.on('data', (text) => resolve(/http:\S+/.exec(String(text))![0])),
  );
  const browser = await launch();
  try {
    const results: PageResult[] = [];
    for (let round = 0; round < rounds; round++)
      results.push(
        await measurePage(
          browser,
          `${url}?refresh=0${lengths.map((rows) => `&run=data/${rows}.parquet`).join('')}`,
        ),
      );
    const middle = (pick: (result: PageResult) => number) => median(results.map(pick));
    const several = lengths.length > 1 ? `${lengths.length} runs of ` : '';
    print(
      `${several}${lengths[0]!.toLocaleString('en-US')} ` +
        `rows, ${(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6).toFixed(1)} ` +
        `MB; medians of ${rounds} openings`,
    );
    print(
      `  first panel drawn        ${middle(({ first }) => first).toFixed(0)} ms after the ` +
        'page is asked for',
    );
    print(`  all panels drawn         ${middle(({ all }) => all).toFixed(0)} ms`);
    print(
      `  processor for a zoom     ${middle(({ zoom }) => zoom).toFixed(0)} ms of the main ` +
        `thread (median of ${ZOOMS}; most ${middle(({ slowest }) => slowest).toFixed(0)} ms); ` +
        `at most ${lengths.length > 1 ? MOST_FOR_TEN : MOST_FOR_ONE} wanted`,
    );
    print(
      `  memory of the page       ${middle(({ memory }) => memory).toFixed(0)} MB of scripts ` +
        'and data, workers included',
    );
    print(
      `  memory of its process    ${middle(({ resident }) => resident).toFixed(0)} MB resident\n`,
    );
  } finally {
    await browser.close();
    server.kill('SIGINT');
  }
}

/** What the first screen of a long run takes from a host that serves files and nothing else. */
async function measureFirstScreen(rows: number, rounds: number): Promise<void> {
  const [file, site] = [join(folder, 'long.parquet'), join(folder, 'site')];
  const eos = (...args: string[]) =>
    execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { stdio: 'ignore' });
  // It stays at the edge of stability to its end.
  eos('stream', '--lambda2', '0.0001', '--steps', String(rows - 1), '--out', file, '-q', '--force');
  eos('dash', 'build', '--data', file, '--out', site);
  const host = await staticHost(site);
  const browser = await launch();
  try {
    const results: Record<'ms' | 'main' | 'bytes', number>[] = [];
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const before = host.sent();
      await page.goto(host.url);
      await page.waitForFunction(
        () =>
          document.documentElement.dataset.ready === '1' &&
          document.documentElement.dataset.busy === 'false' &&
          Number(document.documentElement.dataset.draws) > 0,
      );
      const ms = await page.evaluate(() =>
        Math.max(
          ...performance
            .getEntriesByName('eos-draw')
            .map(({ startTime, duration }) => startTime + duration),
        ),
      );
      results.push({ ms, main: await mainThread(session), bytes: host.sent() - before });
      await context.close();
    }
    const size = `${(statSync(file).size / 1e6).toFixed(0)} MB`;
    print(`${rows.toLocaleString('en-US')} rows, ${size}, from a static host; ${rounds} openings`);
    const times = results.map(({ ms }) => ms);
    const drawn = `${median(times).toFixed(0)} ms after the page is asked for`;
    const most = `(most ${Math.max(...times).toFixed(0)} ms); at most ${MOST_MS} wanted`;
    print(`  first screen drawn       ${drawn} ${most}`);
    const processor = median(results.map(({ main }) => main)).toFixed(0);
    print(`  processor                ${processor} ms of the main thread`);
    const sent = (Math.max(...results.map(({ bytes }) => bytes)) / 1e6).toFixed(2);
    const wanted = `the page included; at most ${MOST_BYTES / 1e6} wanted`;
    print(`  bytes sent               ${sent} MB, ${wanted}\n`);
  } finally {
    await browser.close();
    await host.close();
  }
}

/**
 * How far the page is behind a run that is flushed as often as can be, through a slow network,
 * while
 * its program is killed and goes on, and the server is started again.
 */
async function measureLive(seconds: number): Promise<void> {
  const [pace, latency] = [2000, 200];
  const environment = { ...process.env, NO_COLOR: '1' };
  const browser = await launch();
  try {
    const trial = { browser, folder, root, environment, seconds, latency, pace };
    const { alarms, samples, behind, requests, memory } = await followRun(trial);
    const part = (share: number) =>
      (behind[Math.floor(share * (behind.length - 1))]! / 1000).toFixed(2);
    const states = requests.size;
    const asked = [...requests.values()].reduce((sum, count) => sum + count, 0);
    print(`a run at ${pace} steps/s, followed for ${seconds} s through ${latency} ms of latency`);
    print(
      `  page behind the run      ${part(0.5)} s (median), ${part(0.99)} s (99 %), ${part(1)} ` +
        `s at most; at most ${MOST_BEHIND} wanted`,
    );
    print(`  false alarms             ${alarms.length} in ${samples} samples`);
    print(`  requests of an update    ${(asked / states).toFixed(2)} (${states} states were read)`);
    print(
      `  memory of the page       ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')} MB`,
    );
  } finally {
    await browser.close();
  }
}

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.EOS_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

interface PageResult {
  readonly first: number;
  readonly all: number;
  readonly zoom: number;
  readonly slowest: number;
  readonly memory: number;
  readonly resident: number;
}

async function measurePage(browser: Browser, url: string): Promise<PageResult> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(url);
  const rests = () =>
    page.waitForFunction(
      () =>
        document.documentElement.dataset.ready === '1' &&
        document.documentElement.dataset.busy === 'false',
    );
  await rests();
  const { first, all } = await page.evaluate(() => {
    const draws = performance.getEntriesByName('eos-draw');
    return {
      first: performance.getEntriesByName('eos-first-panel')[0]?.startTime ?? Number.NaN,
      all: Math.max(...draws.map(({ startTime, duration }) => startTime + duration)),
    };
  });
  const session = await context.newCDPSession(page);
  // Processor time, whatever else the machine does.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const zooms: number[] = [];
  await page.locator('[data-panel=loss] .plot').focus();
  await page.evaluate(() => scrollTo(0, 0));
  // The crosshair comes with the focus, and its rows are read.
  await rests();
  // In by keys around the middle, then out again: every redraw is of all panels in the window.
  for (let i = 0; i < ZOOMS; i++)
    zooms.push(await zoomTime(page, session, i < ZOOMS / 2 || i === ZOOMS - 1 ? '+' : '-'));
  const cdp = await browser.newBrowserCDPSession();
  const bytes = await page.evaluate(async () => {
    const measure = (
      performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> }
    ).measureUserAgentSpecificMemory();
    return (await measure).bytes;
  });
  const resident = await residentBytes(cdp);
  await context.close();
  return {
    first,
    all,
    zoom: median(zooms),
    slowest: Math.max(...zooms),
    memory: bytes / 1e6,
    resident: resident / 1e6,
  };
}

/**
 * Milliseconds of processor that the page's main thread takes from the key that zooms until all is
 * drawn and shown: scripts, styles, layout and painting.
 */
async function zoomTime(page: Page, session: CDPSession, key: string): Promise<number> {
  const before = await mainThread(session);
  await page.evaluate(
    (pressed) =>
      new Promise<void>((resolve) => {
        const html = document.documentElement;
        const { draws } = html.dataset;
        const watcher = new MutationObserver(() => {
          if (html.dataset.draws === draws) return;
          watcher.disconnect();
          requestAnimationFrame(() => setTimeout(resolve));
        });
        watcher.observe(html, { attributes: true });
        document
          .querySelector('[data-panel=loss] .plot')!
          .dispatchEvent(new KeyboardEvent('keydown', { key: pressed, bubbles: true }));
      }),
    key,
  );
  return (await mainThread(session)) - before;
}

async function mainThread(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value;
}

/** Resident memory of the largest renderer process: the page's. */
async function residentBytes(cdp: CDPSession): Promise<number> {
  const browserSession = await cdp.send('SystemInfo.getProcessInfo').catch(() => undefined);
  const pids =
    browserSession?.processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id) ?? [];
  const sizes = pids.map(
    (pid) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
  );
  return sizes.length > 0 ? Math.max(...sizes) : Number.NaN;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
