import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { slowProxy } from './slow-proxy.ts';

/** Programs of a trial, all of which can be ended with it. */
export function programs(root: string, environment: NodeJS.ProcessEnv) {
  const started = new Set<ChildProcess>();

  function start(args: readonly string[]) {
    const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.add(child);
    child.on('exit', () => started.delete(child));
    return child;
  }

  return {
    /** A run that is flushed as often as can be; tells of every flush. */
    async write(args: readonly string[], pace: number, flushes: Flush[] = []) {
      const child = start([
        ...['stream', '--steps', '100000000', '--flush-every', '0', '--log-format', 'json'],
        ...['--pace', String(pace), ...args],
      ]);
      let rest = '';
      await new Promise<void>((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`the run ended with ${code}`)));
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
    },
    async serve(folder: string, port = 0) {
      const child = start(['dash', 'serve', folder, '--port', String(port)]);
      const url = await new Promise<string>((resolve, reject) => {
        child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
        child.stdout!.on('data', (text) => resolve(/http:\S+/.exec(String(text))![0]));
      });
      return { child, port: Number(new URL(url).port) };
    },
    /** Ends all that still run, and waits until they are gone. */
    end: () => Promise.all([...started].map((child) => end(child, 'SIGKILL'))),
  };
}

export interface Flush {
  readonly at: number;
  readonly step: number;
}

/** Ends a program with the signal, and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

/** What is looked at in a page every 50 ms, from its beginning on. */
export interface Watched {
  samples: number;
  /** Messages that any sample saw, but those of a silent server. */
  alarms: string[];
  /** When the page came to which step. */
  steps: Flush[];
}

/** Opens a page that is watched. @returns what has been seen so far */
export async function watchedPage(page: Page, url: string): Promise<() => Promise<Watched>> {
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
  await page.waitForFunction(
    () =>
      document.documentElement.dataset.ready === '1' &&
      Number(document.documentElement.dataset.draws) > 0,
  );
  return () =>
    page.evaluate(() => (globalThis as unknown as { readonly watched: Watched }).watched);
}

export interface Trial {
  readonly browser: Browser;
  readonly folder: string;
  /** Where the program stands, and what it finds around it. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly seconds: number;
  /** Milliseconds of a round trip, and steps a second. */
  readonly latency: number;
  readonly pace: number;
}

export interface Followed extends Omit<Watched, 'steps'> {
  readonly flushes: number;
  /** Milliseconds from each flush until the page had drawn its last step, in ascending order. */
  readonly behind: readonly number[];
  /** States of the file that were read, and by how many requests each. */
  readonly requests: ReadonlyMap<string, number>;
  /** Bytes of scripts and data of the page, workers included, after garbage was collected. */
  readonly memory: readonly number[];
}

/**
 * Follows a run through a slow network while its program is killed and goes on, and the server is
 * started again.
 */
export async function followRun(trial: Trial): Promise<Followed> {
  const { browser, folder, latency, pace, seconds } = trial;
  const { write, serve, end: endAll } = programs(trial.root, trial.environment);
  const file = join(folder, 'live.parquet');
  const flushes: Flush[] = [];
  const requests = new Map<string, number>();
  let writer = await write(['--out', file], pace, flushes);
  let server = await serve(folder);
  const proxy = await slowProxy(server.port, latency);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  try {
    page.setDefaultTimeout(300_000);
    page.on('request', (request) => {
      const state = request.headers()['if-match'];
      if (state !== undefined) requests.set(state, (requests.get(state) ?? 0) + 1);
    });
    const read = await watchedPage(page, `http://127.0.0.1:${proxy.port}/?run=data/live.parquet`);
    const memory: number[] = [];
    const goOn = async () => {
      await sleep((seconds * 1000) / 4);
      memory.push(await bytesOf(page));
    };
    await goOn();
    await end(writer, 'SIGKILL');
    await page.getByText('interrupted').first().waitFor();
    writer = await write(['--resume', file], pace, flushes);
    await page.getByText('running').first().waitFor();
    await goOn();
    const downAt = Date.now();
    await end(server.child, 'SIGINT');
    await page.getByText('does not answer since').waitFor();
    server = await serve(folder, server.port);
    await page.getByText('does not answer since').waitFor({ state: 'detached' });
    const upAt = Date.now();
    await goOn();
    await goOn();
    const last = flushes.at(-1)!;
    await page.waitForFunction(
      (step) =>
        (globalThis as unknown as { readonly watched: Watched }).watched.steps.at(-1)!.step > step,
      last.step,
      { polling: 50 },
    );
    const { alarms, samples, steps } = await read();
    const from = steps[0]!;
    const behind = flushes.flatMap(({ at, step }) => {
      if (at < from.at || (at > downAt - 5000 && at < upAt) || step > last.step) return [];
      return steps.find((shown) => shown.step >= step)!.at - at;
    });
    behind.sort((a, b) => a - b);
    return { alarms, samples, flushes: flushes.length, behind, requests, memory };
  } finally {
    await page.close();
    proxy.close();
    await endAll();
  }
}

async function bytesOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  return page.evaluate(async () => {
    const measure = (
      performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> }
    ).measureUserAgentSpecificMemory();
    return (await measure).bytes;
  });
}
