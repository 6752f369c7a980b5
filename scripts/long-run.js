// A day-long run: 10⁹ steps (or another number) through the whole pipeline into a thinned file.
// Watches the memory of the process, which must not grow, and looks at the file at the end. Usage:
// node scripts/long-run.js [STEPS] [EVERY]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [steps = '1000000000', every = '10000'] = process.argv.slice(2);
const eos = join(dirname(fileURLToPath(import.meta.url)), '../bin/run.js');
const folder = mkdtempSync(join(tmpdir(), 'eos-long-'));
const out = join(folder, 'long.parquet');

const begun = performance.now();
const child = spawn(
  process.execPath,
  [
    eos,
    'stream',
    '--steps',
    steps,
    '--every',
    every,
    '--out',
    out,
    '--flush-every',
    '1',
    '--log-format',
    'json',
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let flushes = 0;
child.stdout.on('data', (text) => {
  flushes += String(text).split('"event":"flush"').length - 1;
});
const samples = [];
const timer = setInterval(() => {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(
      readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    );
    samples.push(kilobytes / 1024);
  } catch {
    // It has just ended.
  }
}, 200);
const code = await new Promise((resolve) => child.on('close', resolve));
clearInterval(timer);
const seconds = (performance.now() - begun) / 1000;
if (code !== 0) process.exit(1);

const { rows, summary } = JSON.parse(
  execFileSync(process.execPath, [eos, 'inspect', out, '--json'], { encoding: 'utf8' }),
);
rmSync(folder, { recursive: true });
const half = Math.floor(samples.length / 2);
const highest = (list) => Math.round(Math.max(...list));
console.log(
  `${steps} steps in ${seconds.toFixed(0)} s, ${rows} rows, last step ${summary.last_step}, ` +
    `${flushes} flushes; at most ${highest(samples.slice(0, half))} MB in the first half, ` +
    `${highest(samples.slice(half))} MB in the second`,
);
if (summary.last_step !== Number(steps)) process.exit(1);
if (highest(samples.slice(half)) > 1.25 * highest(samples.slice(0, half)) + 20) {
  console.error('the memory grows with the steps');
  process.exit(1);
}
