// Takes a picture of each stop of the lab's tour, light and dark, and of the lab's other states: to
// be looked at. node scripts/tour-screenshots.js [FOLDER] [WIDTH]
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = process.argv[2] ?? join(tmpdir(), 'eos-tour');
const width = Number(process.argv[3] ?? 1440);
const LAST_STOP = 7;
const STATES = {
  along: 'preset=three-phases;also=gradient-flow,constrained,central,edge;at=2000',
  changed: 'preset=paper;at=2500;eta=1/12;at=3200;optimizer=momentum;momentum=0.5;at=4000',
  compared: 'preset=three-phases;at=3000;;preset=three-phases;eta=1/40;at=6000',
  network: 'model=mlp;preset=network;also=gradient-flow;at=300',
};

mkdirSync(folder, { recursive: true });
const server = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'lab', '--no-open'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((resolve, reject) => {
  server.stdout.on('data', (text) => {
    const match = /http:[^\s?]+/.exec(String(text));
    if (match) resolve(match[0]);
  });
  server.once('exit', () => reject(new Error('eos lab ended')));
});
const browser = await chromium.launch({
  executablePath: process.env.EOS_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

/** Waits until the runs stand and all is drawn. */
async function settled(page) {
  let before = '';
  for (;;) {
    const now = await page.evaluate(() => {
      const { draws, busy } = document.documentElement.dataset;
      const { playing, step } = document.querySelector('.lab').dataset;
      return [draws, step, busy, playing].join(':');
    });
    if (now === before && now.endsWith(':false:false')) break;
    before = now;
    await page.waitForTimeout(500);
  }
}

/** Opens a page, and waits until its runs stand and all is drawn. */
async function picture(query, name, theme) {
  const page = await browser.newPage({ viewport: { width, height: 1000 } });
  await page.goto(`${url}?refresh=0&theme=${theme}&${query}`);
  await page.locator('.lab').waitFor();
  await settled(page);
  // As high as the page is, whose charts grow with the window: a picture of more than the window is
  // taken while it is laid out anew.
  for (let height = 0; ; ) {
    const now = await page.evaluate(() => document.documentElement.scrollHeight);
    if (now <= height) break;
    height = now;
    await page.setViewportSize({ width, height });
    await settled(page);
  }
  for (const formulas of await page.locator('.tour:not([hidden]) summary').all())
    await formulas.click();
  await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
  await page.close();
}

try {
  for (const theme of ['light', 'dark']) {
    for (let stop = 1; stop <= LAST_STOP; stop++)
      await picture(`tour=${stop}`, `tour-${stop}`, theme);
    for (const [name, lab] of Object.entries(STATES))
      await picture(`lab=${encodeURIComponent(lab)}`, name, theme);
  }
  process.stdout.write(`${folder}\n`);
} finally {
  await browser.close();
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}
