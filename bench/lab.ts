// npm run bench:lab [-- --peer FOLDER] [--rounds 20]
// FOLDER: a copy of github.com/rfangit/edge-of-stability-browser, which is measured beside it.
import { spawn } from 'node:child_process';
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
const MEASURED = 5000;
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
    `minimal model at top speed   ${(minimal.rate / 1e6).toFixed(1)} M steps/s through all operators, the page at ${minimal.frames.toFixed(0)} frames/s`,
  );
  const network = await measureTop(browser, 'model=mlp;layers=1-50-50-1', 50);
  const node = nodeRate();
  print(
    `1-50-50-1, S at each step    ${network.rate.toFixed(0)} steps/s in the page, ${node.toFixed(0)} in Node: ${(network.rate / node).toFixed(2)} of it`,
  );
  if (values.peer) {
    const peer = await measurePeer(browser, values.peer);
    print(
      `the peer, in a worker        ${peer.toFixed(1)} steps/s: the lab is ${(network.rate / peer).toFixed(0)} times as fast`,
    );
  }
} finally {
  await browser.close();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
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

/** From a move of the slider of η to the end of the drawing of the run that was computed anew. */
async function measureSlider(from: Browser): Promise<void> {
  const page = await openLab(from, 'preset=three-phases;at=10000');
  await page.locator('[data-act=whole]').check();
  const times: number[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    times.push(
      await page.locator('[data-slider=eta]').evaluate(async (slider, round) => {
        const input = slider as HTMLInputElement;
        const start = performance.now();
        input.value = String(-0.3 + 0.02 * round);
        input.dispatchEvent(new Event('input'));
        const drawn = () =>
          performance.getEntriesByName('eos-draw').find(({ startTime }) => startTime > start);
        while (!drawn()) await new Promise((resolve) => requestAnimationFrame(resolve));
        return drawn()!.startTime + drawn()!.duration - start;
      }, i),
    );
    await page.waitForFunction(() => document.documentElement.dataset.busy === 'false');
  }
  const sorted = [...times].sort((a, b) => a - b);
  print(
    `slider to redrawn plots      ${sorted[sorted.length >> 1]!.toFixed(0)} ms for 10,000 steps (median of ${times.length}; slowest ${sorted.at(-1)!.toFixed(0)} ms)`,
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
  const result = await page.evaluate(async (time) => {
    const step = () => Number(document.querySelector<HTMLElement>('.lab')?.dataset.step);
    const [start, first] = [performance.now(), step()];
    let frames = 0;
    while (performance.now() - start < time) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      frames++;
    }
    const seconds = (performance.now() - start) / 1000;
    return { rate: (step() - first) / seconds, frames: frames / seconds };
  }, MEASURED);
  await page.close();
  return result;
}

/** The same rows and operators in Node. */
function nodeRate(): number {
  const run = labRun(NETWORK);
  run.advance(64);
  const [start, first] = [performance.now(), run.step];
  while (performance.now() - start < MEASURED) run.advance(64);
  return ((run.step - first) / (performance.now() - start)) * 1000;
}

/** The peer's own training and eigenvalues at each step, as its page has them, on the same data. */
async function measurePeer(from: Browser, folder: string): Promise<number> {
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
        const options = { kEigs: 3, numIters: 20, maxIters: 100, tolRatio: 0.01 };
        const step = () => {
          trainer.step();
          lanczosTopEigenvalues(trainer, data.x, targets, options);
        };
        for (let i = 0; i < 20; i++) step();
        let steps = 0;
        const start = performance.now();
        while (performance.now() - start < ${MEASURED}) { step(); steps++; }
        postMessage((steps / (performance.now() - start)) * 1000);`,
    },
  });
  const page = await from.newPage();
  const rate = await page.evaluate((code) => {
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    return new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data: steps }) => resolve(steps as number);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  }, outputFiles[0]!.text);
  await page.close();
  return rate;
}
