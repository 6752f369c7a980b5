import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findPart, part, root } from '../setup/parts.ts';

/** Milliseconds that a busy machine may take for what a page does at once. */
const PATIENCE = 300_000;

/**
 * The machine's Chromium, without the background traffic that a closed network would refuse. Its
 * headless shell, where there is one, draws the same pages in half the processor time.
 */
export function launch(program = findPart('headlessShell') ?? part('chromium')): Promise<Browser> {
  return chromium.launch({
    timeout: PATIENCE,
    executablePath: program,
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

export interface Opened {
  readonly page: Page;
  /** Console errors, uncaught errors and failed requests so far: there should be none. */
  readonly problems: string[];
}

/** Opens a page of the dashboard and waits until it is drawn. */
export async function openPage(
  browser: Browser,
  url: string,
  options: {
    readonly width?: number;
    readonly height?: number;
    readonly theme?: 'light' | 'dark';
    readonly empty?: boolean;
  } = {},
): Promise<Opened> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.theme ?? 'light',
    acceptDownloads: true,
  });
  page.setDefaultTimeout(PATIENCE);
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => {
    const problem = request.failure()?.errorText;
    // A page that is left, or loaded again, ends what it was reading.
    if (problem !== 'net::ERR_ABORTED') problems.push(`${request.url()}: ${problem}`);
  });
  await page.goto(url);
  await ready(page);
  return { page, problems };
}

export async function ready(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      document.documentElement.dataset.ready === '1' &&
      Number(document.documentElement.dataset.draws) > 0,
  );
  await settled(page);
}

/** Waits until the page has drawn everything it was asked to. */
export async function settled(page: Page): Promise<void> {
  let before = '';
  for (;;) {
    const now = await page.evaluate(
      () =>
        `${document.documentElement.dataset.draws}:${location.href}:${document.documentElement.dataset.busy}`,
    );
    if (now === before && now.endsWith(':false')) return;
    before = now;
    await page.waitForTimeout(150);
  }
}

/** Where the page is now; what Playwright remembers of it comes some time later. */
export const address = (page: Page): Promise<string> => page.evaluate(() => location.href);

/** Names of the runs shown: from the table, or where there is one run alone, from the top bar. */
export const shownRuns = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll('#runs:not([hidden]) .run-row.shown .run-name')];
    const title = document.querySelector('.run-title')?.textContent ?? '';
    if (rows.length > 0) return rows.map(({ textContent }) => textContent ?? '');
    return title === '' ? [] : [title];
  });

/** Shows a run of the table, or hides it. */
export async function toggleRun(page: Page, name: string): Promise<void> {
  await page.locator(`[data-row="${name}"]`).click();
  await settled(page);
}

/** The plot of a panel. */
export const plot = (page: Page, panel: string) => page.locator(`[data-panel=${panel}] .plot`);

/** Steps that a panel shows. */
export async function shownRange(page: Page, panel = 'loss'): Promise<readonly [number, number]> {
  const [from = '', to = ''] = ((await plot(page, panel).getAttribute('data-drawn')) ?? '').split(
    ':',
  );
  return [Number(from), Number(to)];
}

/** Room at the sides of a time series, as the page lays it out. */
const [LEFT, RIGHT] = [68, 16];

/** Window coordinates of a step in a panel's plot. */
export async function stepAt(
  page: Page,
  panel: string,
  step: number,
): Promise<{ readonly x: number; readonly y: number }> {
  await plot(page, panel).scrollIntoViewIfNeeded();
  const box = (await plot(page, panel).boundingBox())!;
  const [from, to] = await shownRange(page, panel);
  return {
    x: box.x + LEFT + ((step - from) / (to - from)) * (box.width - LEFT - RIGHT),
    y: box.y + 60,
  };
}

export async function drag(page: Page, panel: string, from: number, to: number): Promise<void> {
  const start = await stepAt(page, panel, from);
  const end = await stepAt(page, panel, to);
  await page.mouse.move(start.x, start.y);
  await page.mouse.down();
  await page.mouse.move((start.x + end.x) / 2, end.y, { steps: 3 });
  await page.mouse.move(end.x, end.y);
  await page.mouse.up();
  await settled(page);
}

export interface Started {
  readonly url: string;
  stop(): Promise<number | null>;
}

/** Starts `eos dash serve` as a process on a free port. */
export async function serve(args: readonly string[]): Promise<Started> {
  const child = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'dash', 'serve', ...args, '--port', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const match = /http:\S+/.exec(text);
      if (match) resolve(match[0]);
    });
    ended.then((code) => reject(new Error(`eos dash serve ended with ${code}`)));
  });
  return {
    url,
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}
