// Takes the pictures of the dashboard that README and docs show, light and dark; with a folder as
// argument also the page in all sizes, light, dark and grey, to look at.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'docs', 'figures');
const eos = join(root, 'bin', 'run.js');

const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'build.js')], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
mkdirSync(folder, { recursive: true });

const runs = mkdtempSync(join(tmpdir(), 'eos-screenshot-'));
const run = join(runs, 'run.parquet');
if (
  spawnSync(process.execPath, [eos, 'stream', '--out', run, '-q'], { stdio: 'inherit' }).status !==
  0
)
  process.exit(1);
const server = spawn(process.execPath, [eos, 'dash', 'serve', run, '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve, reject) => {
  server.stdout.on('data', (text) => {
    const match = /http:\S+/.exec(String(text));
    if (match) resolve(match[0]);
  });
  server.once('exit', () => reject(new Error('eos dash serve ended')));
});
const browser = await chromium.launch({
  executablePath: process.env.EOS_CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
  ],
});
/** Sizes in which the page is looked at. */
const SIZES = [
  [1280, 720],
  [1440, 900],
  [3840, 2160],
  [820, 1180],
  [390, 844],
  [320, 640],
];

async function drawn(page) {
  await page.waitForFunction(() => {
    const { ready, busy, draws } = document.documentElement.dataset;
    return ready === '1' && busy === 'false' && Number(draws) > 0;
  });
}

try {
  const [looked] = process.argv.slice(2);
  if (looked) {
    mkdirSync(looked, { recursive: true });
    for (const [width, height] of SIZES)
      for (const look of ['light', 'dark', 'grey']) {
        const page = await browser.newPage({ viewport: { width, height } });
        const theme = look === 'grey' ? 'light' : look;
        await page.goto(`${url}?run=data/run.parquet&theme=${theme}&refresh=0`);
        await drawn(page);
        if (look === 'grey')
          await page.evaluate(() => {
            document.documentElement.style.filter = 'grayscale(1)';
          });
        await page.screenshot({ path: join(looked, `${width}x${height}-${look}.png`) });
        await page.close();
      }
  }
  for (const theme of ['light', 'dark']) {
    const page = await browser.newPage({
      viewport: { width: 1280, height: 960 },
    });
    await page.goto(`${url}?run=data/run.parquet&theme=${theme}&refresh=0`);
    await drawn(page);
    const box = await page.locator('[data-panel=sharpness] .plot').boundingBox();
    await page.mouse.move(box.x + box.width * 0.44, box.y + 90);
    await page.mouse.move(box.x + box.width * 0.45, box.y + 90);
    await page.locator('#tooltip').waitFor({ state: 'visible' });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `dashboard-${theme}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  server.kill('SIGINT');
  rmSync(runs, { recursive: true, force: true });
}
