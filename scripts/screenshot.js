// Takes the pictures of the dashboard that README and docs show, light and dark.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawn, openBrowser, serve } from './browser.js';

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
const server = await serve([run]);
const browser = await openBrowser();

try {
  for (const theme of ['light', 'dark']) {
    const page = await browser.newPage({
      viewport: { width: 1280, height: 960 },
    });
    await page.goto(`${server.url}?run=data/run.parquet&theme=${theme}&refresh=0`);
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
  await server.stop();
  rmSync(runs, { recursive: true, force: true });
}
