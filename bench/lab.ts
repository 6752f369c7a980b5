// npm run bench:lab [-- --peer FOLDER] [--rounds 20]
// FOLDER: a copy of github.com/rfangit/edge-of-stability-browser, which is measured beside it.
// Rates are of wall time and, where the system tells (Linux), of the processor time of the thread
// that computes: on a busy machine only those mean anything.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { labRun } from '../src/dash/lab/lab-run.ts';
import { setupNetwork } from '../src/pipeline/models/network/config.ts';
import { describe, describeMachine, root } from './machine.ts';

const { values } = parseArgs({
  options: { peer: { type: 'string' }, rounds: { type: 'string', default: '20' } },
});
const NETWORK = { model: 'mlp', layers: '1-50-50-1' };
const MEASURED = 2500;
/** Measurements that are compared are taken in turn, so many times each. */
const TURNS = 3;
/** The rightmost place of the slider of the speed. */
const TOP = '7.5';

const print = (text: string) => process.stdout.write(`${text}\n`);
const server = spawn(process.execPath, [join(root, 'bin/run.js'), 'dash', 'serve', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise<string>((resolve) =>
  server.stdout.on('data', (text) => {
    const match = /http:\S+/.exec(String(text));
    if (match) resolve(match[0]);
  }),
);
const browser = await chromium.launch({
  executablePath: process.env.EOS_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});

try {
  print(`${describe(describeMachine())}\n`);
  await measureSlider(browser);
  const minimal = await measureTop(browser, 'preset=three-phases', 2_000_000);
  print(
    `minimal model at top speed   ${millions(minimal.rate)} M steps/s through all operators ` +
      `(${millions(minimal.ofThread)} M a second of its thread, which ran ` +
      `${percent(minimal.ran)} of the time and was kept from a processor ` +
      `${percent(minimal.kept)}), the page at ` +
      `${minimal.frames.toFixed(0)} frames/s, ${minimal.frameTime.toFixed(1)} ms of its main ` +
      'thread each',
  );
  const pages: Rates[] = [];
  const nodes: Rates[] = [];
  const peers: Rates[] = [];
  for (let i = 0; i < TURNS; i++) {
    pages.push(await measureTop(browser, 'model=mlp;layers=1-50-50-1', 500));
    nodes.push(nodeRate());
    if (values.peer) peers.push(await measurePeer(browser, values.peer));
  }
  const ratio = (others: readonly Rates[]) =>
    median(pages.map(({ ofThread }, i) => ofThread / others[i]!.ofThread)).toFixed(2);
  print(`1-50-50-1, S at each step    ${said(pages)} in the page`);
  print(`the same in Node             ${said(nodes)}: the page has ${ratio(nodes)} of its rate`);
  if (values.peer)
    print(`the peer, in a worker        ${said(peers)}: the lab is ${ratio(peers)} times as fast`);
} finally {
  await browser.close();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}

/** Steps a second, of wall time and of the time that the thread had the processor. */
interface Rates {
  readonly rate: number;
  readonly ofThread: number;
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[all.length >> 1]!;
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(1);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}

function said(all: readonly Rates[]): string {
  const [rate, ofThread] = [
    median(all.map((each) => each.rate)),
    median(all.map((each) => each.ofThread)),
  ];
  return `${rate.toFixed(0)} steps/s, ${ofThread.toFixed(0)} a second of its thread`;
}

/**
 * Milliseconds of processor that the pages' main threads and workers have had, and for how long
 * the workers would have gone on but had none.
 */
async function threadTimes(
  of: Browser,
): Promise<{ readonly main: number; readonly worker: number; readonly kept: number }> {
  const session = await of.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const times = { main: 0, worker: 0, kept: 0 };
  for (const { type, id } of processInfo) {
    if (type !== 'renderer') continue;
    for (const thread of readdirSync(`/proc/${id}/task`)) {
      const folder = `/proc/${id}/task/${thread}`;
      const [ran = 0, kept = 0] = readFileSync(`${folder}/schedstat`, 'utf8')
        .split(' ')
        .map((nanoseconds) => Number(nanoseconds) / 1e6);
      if (thread === String(id)) times.main += ran;
      else if (readFileSync(`${folder}/comm`, 'utf8').startsWith('DedicatedWorker')) {
        times.worker += ran;
        times.kept += kept;
      }
    }
  }
  return times;
}

async function openLab(from: Browser, lab: string): Promise<Page> {
  const page = await from.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${url}?refresh=0&lab=${encodeURIComponent(lab)}`);
  await page.locator('.lab').waitFor();
  await page.waitForFunction(
    () =>
      document.documentElement.dataset.busy === 'false' &&
      Number(document.documentElement.dataset.draws) > 0,
  );
  return page;
}

/** What each plot shows of which anything is in the window. */
function plotsSeen(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.plot svg.main, .range-picture svg')].flatMap((svg) => {
      const { top, bottom } = svg.getBoundingClientRect();
      return top < innerHeight && bottom > 0 ? [svg.innerHTML] : [];
    }),
  );
}

/**
 * From a move of the slider of η to the frame behind the drawing of the run that was computed
 * anew, and what the main thread and the worker have worked for it. That all plots in the window
 * show another run then is looked at once the clock stands.
 */
async function measureSlider(from: Browser): Promise<void> {
  const page = await openLab(from, 'preset=three-phases;at=10000');
  await page.locator('[data-act=whole]').check();
  const times: number[] = [];
  const worked: number[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const old = await plotsSeen(page);
    const before = await threadTimes(from);
    times.push(
      await page.locator('[data-slider=eta]').evaluate(async (slider, round) => {
        const input = slider as HTMLInputElement;
        const start = performance.now();
        input.value = String(-0.3 + 0.02 * round);
        input.dispatchEvent(new Event('input'));
        const { draws } = document.documentElement.dataset;
        await new Promise<void>((resolve) => {
          const watcher = new MutationObserver(() => {
            if (document.documentElement.dataset.draws === draws) return;
            watcher.disconnect();
            requestAnimationFrame(() => setTimeout(resolve));
          });
          watcher.observe(document.documentElement, { attributeFilter: ['data-draws'] });
        });
        return performance.now() - start;
      }, i),
    );
    const after = await threadTimes(from);
    worked.push(after.main - before.main + after.worker - before.worker);
    const shown = await plotsSeen(page);
    const left = shown.filter((plot, place) => plot === old[place]);
    if (shown.length === 0 || left.length > 0)
      throw new Error(`${left.length} of ${shown.length} plots in the window show the last run`);
    await page.waitForFunction(() => document.documentElement.dataset.busy === 'false');
  }
  print(
    `slider to redrawn plots      ${median(times).toFixed(0)} ms for 10,000 steps until they ` +
      `are shown (median of ${times.length}; slowest ${Math.max(...times).toFixed(0)} ms), ` +
      `${median(worked).toFixed(0)} ms of processor in the page and its worker`,
  );
  await page.close();
}

/** Steps and frames a second at top speed, once there are so many steps. */
async function measureTop(from: Browser, lab: string, warm: number) {
  const page = await openLab(from, lab);
  await page.locator('[data-act=speed]').fill(TOP);
  await page.locator('[data-act=play]').click();
  await page.waitForFunction(
    (least) => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step) > least,
    warm,
  );
  const before = await threadTimes(from);
  const { steps, seconds, frames } = await page.evaluate(async (time) => {
    const step = () => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step);
    const [start, first] = [performance.now(), step()];
    let shown = 0;
    while (performance.now() - start < time) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      shown++;
    }
    return {
      steps: step() - first,
      seconds: (performance.now() - start) / 1000,
      frames: shown,
    };
  }, MEASURED);
  const after = await threadTimes(from);
  await page.close();
  return {
    rate: steps / seconds,
    ofThread: (steps / (after.worker - before.worker)) * 1000,
    ran: (after.worker - before.worker) / 1000 / seconds,
    kept: (after.kept - before.kept) / 1000 / seconds,
    frames: frames / seconds,
    frameTime: (after.main - before.main) / frames,
  };
}

/** The same rows and operators in Node. */
function nodeRate(): Rates {
  const run = labRun(NETWORK);
  while (!(run.step > 500)) run.advance(64);
  const [start, first, used] = [performance.now(), run.step, process.cpuUsage()];
  while (performance.now() - start < MEASURED) run.advance(64);
  const { user, system } = process.cpuUsage(used);
  const steps = run.step - first;
  return {
    rate: (steps / (performance.now() - start)) * 1000,
    ofThread: (steps / (user + system)) * 1e6,
  };
}

/**
 * The peer's own training, and the three eigenvalues and eigenvectors to 1 % that its page takes
 * at each step, on the same data.
 */
async function measurePeer(from: Browser, folder: string): Promise<Rates> {
  const { data, config } = setupNetwork({ layers: NETWORK.layers });
  const x = Array.from(data.inputs, (value) => [value]);
  const y = Array.from(data.targets);
  const { outputFiles } = await build({
    bundle: true,
    write: false,
    format: 'iife',
    stdin: {
      resolveDir: folder,
      contents: `
        import { MLP } from './model.js';
        import { Trainer } from './training.js';
        import { lanczosTopEigenvalues } from './hessian.js';
        const data = { x: ${JSON.stringify(x)}, y: ${JSON.stringify(y)} };
        const trainer = new Trainer(new MLP([1, 50, 50, 1], 'tanh', 1), ${config.eta}, 1e9, data);
        const targets = data.y.map((value) => [value]);
        const options = {
          kEigs: 3, numIters: 20, maxIters: 100, tolRatio: 0.01, returnEigenvectors: true,
        };
        const step = () => {
          trainer.step();
          lanczosTopEigenvalues(trainer, data.x, targets, options);
        };
        for (let i = 0; i < 20; i++) step();
        onmessage = () => {
          let steps = 0;
          const start = performance.now();
          while (performance.now() - start < ${MEASURED}) { step(); steps++; }
          postMessage([steps, performance.now() - start]);
        };
        postMessage('warm');`,
    },
  });
  const page = await from.newPage();
  await page.evaluate((code) => {
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    Object.assign(globalThis, { worker });
    return new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  }, outputFiles[0]!.text);
  const before = await threadTimes(from);
  const [steps, time] = await page.evaluate(() => {
    const { worker } = globalThis as unknown as { readonly worker: Worker };
    return new Promise<readonly [number, number]>((resolve) => {
      worker.onmessage = ({ data: told }) => resolve(told);
      worker.postMessage(0);
    });
  });
  const after = await threadTimes(from);
  await page.close();
  return {
    rate: (steps / time) * 1000,
    ofThread: (steps / (after.worker - before.worker)) * 1000,
  };
}
