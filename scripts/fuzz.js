// Gives damaged files to everything that reads files of strangers: 100,000 unless another number is
// given. Each must be read, or refused by an error that is meant for people, within two seconds and
// 512 MB. Usage: node scripts/fuzz.js [FILES] [SEED]
import { Worker } from 'node:worker_threads';

const [files = '100000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
const SECONDS = 2;
const MEGABYTES = 512;

const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), {
  workerData: { files: Number(files), seed: Number(seed) },
  resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
});
let current = 'the start';
let since = Number.POSITIVE_INFINITY;
let peak = 0;

const watch = setInterval(() => {
  const rss = process.memoryUsage().rss / 2 ** 20;
  peak = Math.max(peak, rss);
  if (performance.now() - since > 1000 * SECONDS) fail(`took more than ${SECONDS} s`);
  if (rss > MEGABYTES) fail(`took ${Math.round(rss)} MB`);
}, 50);

worker.on('message', (message) => {
  if (message.begun) {
    current = message.begun;
    since = performance.now();
  } else if (message.failure) fail(message.failure);
  else {
    clearInterval(watch);
    const { read, refused, slowest } = message;
    console.log(
      `${files} files, seed ${seed}: ${read} read, ${refused} refused, slowest ` +
        `${slowest.toFixed(0)} ms, at most ${Math.round(peak)} MB`,
    );
  }
});
worker.on('error', (error) => fail(`${error.name}: ${error.message}`));

function fail(problem) {
  console.error(`${current}: ${problem} (seed ${seed})`);
  process.exit(1);
}
