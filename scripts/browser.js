import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The machine's Chromium, without what it does in the background. */
export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.EOS_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  });

/** Serves these files and folders on a free port. */
export async function serve(files) {
  const eos = join(root, 'bin', 'run.js');
  const server = spawn(process.execPath, [eos, 'dash', 'serve', ...files, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    server.stdout.on('data', (text) => {
      const match = /http:\S+/.exec(String(text));
      if (match) resolve(match[0]);
    });
    ended.then(() => reject(new Error('eos dash serve ended')));
  });
  return {
    url,
    stop() {
      server.kill('SIGINT');
      return ended;
    },
  };
}

/** Waits until a page has drawn all that it was asked to. */
export async function drawn(page) {
  await page.waitForFunction(() => {
    const { ready, busy, draws } = document.documentElement.dataset;
    return ready === '1' && busy === 'false' && Number(draws) > 0;
  });
}
