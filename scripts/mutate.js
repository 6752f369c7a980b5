// Doctors run files in every way that comes to mind and lets `eos verify` look at each: none may
// pass.
//
// node scripts/mutate.js            every mutation of a dozen files, and the true files themselves
//   node scripts/mutate.js --each K   every K-th of them
//   node scripts/mutate.js --true N   N random true files instead: none may fail (--seed S: others)
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { verifyAgainstItself, verifyFile } from '../dist/cli/verify/verify-file.js';
import { createRandom } from '../dist/pipeline/numeric/random.js';
import { doctored, load, save } from './mutate-doctor.js';
import {
  randomFile,
  writeRecovered,
  writeRun,
  writeStopped,
  writeStoppedDynamics,
} from './mutate-runs.js';

// Each of many runs listens to the same streams.
EventEmitter.defaultMaxListeners = 0;
const folder = mkdtempSync(join(tmpdir(), 'eos-mutate-'));
const at = (name) => join(folder, name);

/**
 * What `eos verify` makes of a file: the checks that fail, or why it is refused. The theory, which
 * takes long, is asked only of files that the checks before it let pass.
 */
async function verdict(path) {
  try {
    const own = failing(await verifyAgainstItself(path, {}, false));
    return own.length > 0 ? own : failing(await verifyFile(path, {}, false));
  } catch (error) {
    return [`refused: ${error.message}`];
  }
}

function failing({ results }) {
  return results
    .filter((result) => result.verdict === 'fails')
    .map(({ name, note }) => `${name}: ${note ?? ''}`);
}

const stream = (options, path) => writeRun(options, path);
const stopped = (options, path) => writeStopped(options, path, Math.floor(0.6 * options.steps));
const recovered = (options, path) => writeRecovered(options, path, Math.floor(0.6 * options.steps));
const beside = (name) => async (options, path) => {
  const { dynamics: _, ...run } = options;
  await writeRun(run, path.replace(`.${name}.parquet`, '.parquet'), { also: [name] });
};

/** Files by name: how they are made, of what, and what another run of their kind is of. */
const FILES = {
  'three phases': [stream, { preset: 'three-phases', steps: 900 }],
  converged: [stream, { preset: 'three-phases', lambda2: 0.4, steps: 1400 }],
  plain: [stream, { preset: 'plain', steps: 500, lambda2: 0.2 }],
  sampled: [stream, { samples: 50, seed: 3, steps: 400, lambda2: 0.5 }],
  chaotic: [stream, { preset: 'three-phases', eta: 1 / 7, steps: 700 }],
  diverging: [stream, { eta: 0.04, lambda2: 1, init: [0.5, 0.1, 0.3], floor: 0, steps: 300 }],
  'gradient flow': [stream, { preset: 'gradient-flow', lambda2: 0.1, steps: 600 }],
  momentum: [stream, { preset: 'three-phases', optimizer: 'momentum', momentum: 0.5, steps: 400 }],
  'many bits': [stream, { preset: 'three-phases', precision: '256', steps: 260 }],
  thinned: [stream, { preset: 'three-phases', steps: 2000, every: 20 }],
  'a few columns': [
    stream,
    { preset: 'three-phases', steps: 400, columns: ['step', 'loss', 'phase'] },
  ],
  stopped: [stopped, { preset: 'three-phases', steps: 700 }],
  'stopped and thinned': [stopped, { preset: 'three-phases', steps: 1500, every: 10 }],
  recovered: [recovered, { preset: 'three-phases', steps: 700 }],
  'central flow': [beside('central'), { preset: 'three-phases', steps: 400 }, '.central.parquet'],
  'constrained trajectory': [
    beside('constrained'),
    { preset: 'three-phases', steps: 200 },
    '.constrained.parquet',
  ],
  'gradient flow beside': [
    beside('gradient-flow'),
    { preset: 'three-phases', steps: 120 },
    '.gradient-flow.parquet',
  ],
  'edge flow': [beside('edge'), { preset: 'three-phases', steps: 200 }, '.edge.parquet'],
  'as many bits as needed': [
    stream,
    { preset: 'three-phases', eta: 1 / 7, precision: 'auto', steps: 150 },
  ],
  'covariance without a floor': [stream, { covariance: 0.3, lambda2: 0.1, floor: 0, steps: 300 }],
  nesterov: [stream, { preset: 'three-phases', optimizer: 'nesterov', momentum: 0.5, steps: 200 }],
  network: [stream, { model: 'mlp', layers: '1-5-1', data: 'chebyshev:3:8', eta: 0.5, steps: 60 }],
  'in Arrow': [stream, { preset: 'three-phases', steps: 400 }, '.arrow'],
};

async function mutate(each) {
  const passed = [];
  let [files, seen] = [0, 0];
  const whatOf = new Map();
  for (const [name, [make, options, ending = '.parquet']] of Object.entries(FILES)) {
    const path = at(`true${ending}`);
    await make(options, path);
    const own = await verdict(path);
    if (own.length > 0) passed.push(console.log(`FALSE ALARM ${name}: ${own.join('; ')}`));
    const file = await load(path);
    await save(file, at(`again${ending}`), false);
    const again = await verdict(at(`again${ending}`));
    if (again.length > 0)
      passed.push(console.log(`FALSE ALARM ${name}, written again: ${again.join('; ')}`));
    const other = await otherRun(make, options, ending);
    for (const [what, changed, digest] of doctored(file, other)) {
      if (seen++ % each !== 0 || isDeepStrictEqual(changed, file)) continue;
      const to = at(`doctored${ending}`);
      try {
        await save(changed, to, digest);
      } catch (error) {
        // Not even a file of that kind can be written.
        if (error instanceof TypeError || error instanceof RangeError) continue;
        throw error;
      }
      files++;
      const found = await verdict(to);
      const how = found.length === 0 ? 'passes' : found[0].split(':')[0];
      whatOf.set(how, (whatOf.get(how) ?? 0) + 1);
      if (found.length > 0 || (await isTrue(to, make, changed, ending))) continue;
      console.log(`PASSES ${name}: ${what}`);
      passed.push(what);
    }
  }
  console.log(`${files} doctored files, ${passed.length} pass`);
  for (const [how, count] of whatOf) console.log(`  ${count} ${how}`);
  return passed.length === 0;
}

/** A run with another start. */
async function otherRun(make, options, ending) {
  const start = options.model === 'mlp' ? { seed: 9 } : { init: [0.31, 0.11, 0.29] };
  await make({ ...options, ...start }, at(`other${ending}`));
  return load(at(`other${ending}`));
}

/** Whether a doctored file is, all in all, that of another true run, whole or stopped. */
async function isTrue(path, make, { config, summary }, ending) {
  const { moments: _, ...options } = config ?? {};
  const truth = at(`truth${ending}`);
  const stoppedThere = (run, to) =>
    (run.dynamics ? writeStoppedDynamics : writeStopped)(run, to, summary?.last_step);
  for (const way of [make, stoppedThere]) {
    const made = await way(options, truth).then(
      () => true,
      () => false,
    );
    if (made && isDeepStrictEqual(unsealed(await load(path)), unsealed(await load(truth))))
      return true;
  }
  return false;
}

/** A file without the checksum of its bytes, which its writer makes. */
function unsealed({ metadata: { 'eos.crc32': _, ...metadata }, ...file }) {
  return { ...file, metadata };
}

async function truthful(count, seed) {
  let alarms = 0;
  const random = createRandom(seed);
  for (let i = 0; i < count; i++) {
    const { path, what } = await randomFile(random, at('true'));
    const found = await verdict(path);
    for (const name of readdirSync(folder)) rmSync(at(name), { recursive: true });
    if (found.length === 0) continue;
    alarms++;
    console.log(`${i}: ${what}\n  ${found.join('\n  ')}`);
  }
  console.log(`${count} true files, ${alarms} false alarms`);
  return alarms === 0;
}

const { values } = parseArgs({
  options: {
    true: { type: 'string' },
    seed: { type: 'string', default: '1' },
    each: { type: 'string', default: '1' },
  },
});
try {
  const good = values.true
    ? await truthful(Number(values.true), Number(values.seed))
    : await mutate(Number(values.each));
  process.exitCode = good ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
