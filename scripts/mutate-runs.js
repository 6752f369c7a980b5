// Files of true runs, of as many kinds as strangers make.
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { detectRun } from '../dist/cli/detect-run.js';
import { dynamicsBatches, dynamicsColumns, dynamicsMetadata } from '../dist/cli/dynamics-files.js';
import { recoverFile } from '../dist/cli/recover-file.js';
import { streamRun } from '../dist/cli/stream-run.js';
import { findDynamics } from '../dist/pipeline/dynamics/index.js';
import { arrowSink } from '../dist/pipeline/formats/arrow/arrow-sink.js';
import { hyparquetFormat } from '../dist/pipeline/formats/parquet/hyparquet.js';
import { parquetSink } from '../dist/pipeline/formats/parquet/parquet-sink.js';
import { RUN_COLUMNS } from '../dist/pipeline/models/minimal/columns.js';
import { PRESET_NAMES } from '../dist/pipeline/models/minimal/presets/index.js';
import { fileTarget, PARTIAL } from '../dist/pipeline/node/file-target.js';
import { JOURNAL } from '../dist/pipeline/node/journal.js';
import { thin } from '../dist/pipeline/operators/thin.js';
import { tableSink } from '../dist/pipeline/sinks/table-sink.js';
import { findTraining } from '../dist/pipeline/sources/trainings/index.js';

const REQUEST = {
  out: undefined,
  arrow: undefined,
  also: [],
  writer: 'hyparquet',
  compression: 'none',
  logFormat: 'text',
  pace: undefined,
  quiet: true,
  force: true,
  dryRun: false,
  flushEvery: 30_000,
  resume: undefined,
};

/** Writes the run of these options as `eos stream` does. */
export async function writeRun(options, path, request = {}) {
  const to = path.endsWith('.arrow') ? { out: `${path}.parquet`, arrow: path } : { out: path };
  return streamRun({ ...REQUEST, ...request, ...to, options });
}

/** Writes the run as if it had been stopped behind a step. */
export async function writeStopped(options, path, until) {
  const { batches, config } = await stoppedRun(options, until);
  const sink = path.endsWith('.arrow') ? arrowSink : parquetSink;
  await lastValueFrom(batches.pipe(sink(fileTarget(path), { columns: config.columns })));
}

/** Writes dynamics beside a run as if they had been stopped behind a step. */
export async function writeStoppedDynamics({ dynamics, ...options }, path, until) {
  const runs = await findTraining(options).open();
  const config = runs.resolve(options);
  const batches = dynamicsBatches(findDynamics(dynamics), runs, config, { until });
  const metadata = (run) => dynamicsMetadata(run, until);
  const sink = { columns: dynamicsColumns(runs, config), metadata };
  await lastValueFrom(batches.pipe(tableSink(fileTarget(path), hyparquetFormat(), sink)));
}

/** Writes the run as if the program had died behind a step, and recovers what it left. */
export async function writeRecovered(options, path, until) {
  const { batches, config } = await stoppedRun(options, until, 64);
  const draft = `${path}.dying`;
  const left = path + PARTIAL;
  const sink = parquetSink(fileTarget(draft), {
    columns: config.columns,
    flushEvery: 0,
    onFlush: () => {
      copyFileSync(draft + PARTIAL, left);
      const journal = draft + PARTIAL + JOURNAL;
      if (existsSync(journal)) copyFileSync(journal, left + JOURNAL);
    },
  });
  await lastValueFrom(batches.pipe(sink));
  rmSync(draft);
  if (!existsSync(left)) return false;
  await recoverFile(left, undefined, true);
  return true;
}

async function stoppedRun(options, until, batchSize) {
  const runs = await findTraining(options).open();
  const config = runs.resolve(options);
  const source = { until, ...(batchSize ? { batchSize } : {}) };
  return {
    config,
    batches: runs.rows(config, source).pipe(
      runs.pipeline(config, () => {}),
      thin(config.every),
    ),
  };
}

/** Writes what a detection makes of a random log. */
export async function writeDetection(random, path) {
  const log = `${path}.csv`;
  const eta = [0.05, 0.1, 0.02][Math.floor(3 * random.uniform())];
  const stop = 200 + Math.floor(600 * random.uniform());
  const lines = ['step,loss,sharpness'];
  let sharpness = 0.3 / eta;
  for (let t = 0; t < stop; t++) {
    sharpness = Math.min(sharpness * 1.005, 2 / eta) * (1 + 0.004 * random.normal());
    const spike = random.uniform() < 0.01 ? 1.5 : 1;
    const measured = t % 3 === 0 ? sharpness.toFixed(4) : '';
    lines.push(`${t},${(spike * Math.exp(-t / 300)).toPrecision(7)},${measured}`);
  }
  if (random.uniform() < 0.2) lines.splice(20, 0, 'not a line');
  writeFileSync(log, `${lines.join('\n')}\n`);
  await detectRun({
    ...REQUEST,
    ...(path.endsWith('.arrow') ? { arrow: path } : { out: path }),
    log,
    eta: String(eta),
    columns: {},
    format: undefined,
    stride: undefined,
    run: undefined,
    follow: false,
    optimizer: random.uniform() < 0.3 ? 'momentum' : undefined,
    beta: undefined,
    band: undefined,
    detector: {},
  });
}

/** A random true file under this name without an ending; resolves with its path and what it is. */
export async function randomFile(random, base) {
  for (;;) {
    try {
      return await anyFile(random, base);
    } catch (error) {
      // So few bits do not hold every start.
      if (!/bits do not hold the start/.test(error.message)) throw error;
    }
  }
}

async function anyFile(random, base) {
  const chance = (p) => random.uniform() < p;
  const between = (a, b) => a * (b / a) ** random.uniform();
  const one = (values) => values[Math.floor(values.length * random.uniform())];
  const arrow = chance(0.25);
  const path = `${base}.${arrow ? 'arrow' : 'parquet'}`;
  if (chance(0.06)) {
    await writeDetection(random, path);
    return { path, what: 'a detection in a log' };
  }
  const options = chance(0.08) ? network() : minimal();
  const columns = chance(0.2) ? someColumns() : undefined;
  const all = {
    ...options,
    ...(columns ? { columns } : {}),
    ...(chance(0.2) ? { every: one([2, 7, 50, 1000]) } : {}),
  };
  const steps = all.steps;
  const what = JSON.stringify(all);
  const way = random.uniform();
  if (way < 0.1 && steps > 20) {
    await writeStopped(all, path, Math.floor(steps * random.uniform()));
    if (chance(0.5)) return { path, what: `stopped ${what}` };
    await resumed(all, path);
    return { path, what: `stopped and resumed ${what}` };
  }
  if (way < 0.18 && steps > 20 && !arrow) {
    if (await writeRecovered(all, path, Math.floor(steps * between(0.05, 0.99)))) {
      if (chance(0.5)) return { path, what: `recovered ${what}` };
      await resumed(all, path);
      return { path, what: `recovered and resumed ${what}` };
    }
  }
  const also =
    (all.covariance ?? 0) === 0 && !all.samples && options.model !== 'mlp' && chance(0.05);
  if (also && steps <= 600 && !columns) {
    // Edge Flow is that of gradient descent alone.
    const edge = (options.optimizer ?? 'gd') === 'gd' ? ['edge'] : [];
    const name = one(['gradient-flow', 'constrained', 'central', ...edge]);
    await writeRun(all, `${base}.parquet`, { also: [name] });
    return { path: `${base}.${name}.parquet`, what: `${name} beside ${what}` };
  }
  const request = {
    writer: chance(0.15) ? 'parquetjs-lite' : 'hyparquet',
    flushEvery: chance(0.1) ? 0 : 30_000,
  };
  if (request.writer === 'hyparquet' && chance(0.2)) request.compression = 'snappy';
  await writeRun(all, path, request);
  return { path, what: `${what} ${JSON.stringify(request)}` };

  async function resumed(said, file) {
    const { columns: _, ...rest } = said;
    const stopped = { ...REQUEST, resume: file, options: { model: rest.model ?? 'minimal' } };
    await streamRun(stopped).catch((error) => {
      // A run may have been stopped behind its last step.
      if (!/whole|nothing to continue|nothing left|diverged/.test(error.message)) throw error;
    });
  }

  function someColumns() {
    if (options.model === 'mlp') return ['step', 'loss', 'sharpness', 'phase'];
    const names = RUN_COLUMNS.map(({ name }) => name).filter(() => chance(0.5));
    return chance(0.85) ? ['step', ...names.filter((name) => name !== 'step')] : [...names, 'loss'];
  }

  function network() {
    return {
      model: 'mlp',
      layers: one(['1-8-1', '1-5-5-1']),
      data: one(['chebyshev:3:10', 'chebyshev:5:12']),
      eta: between(0.02, 1.5),
      seed: Math.floor(1000 * random.uniform()),
      activation: one(['tanh', 'relu', 'linear']),
      steps: Math.floor(between(5, 150)),
      ...(chance(0.3) ? { batch: 4 } : {}),
      ...(chance(0.4)
        ? { optimizer: one(['momentum', 'nesterov', 'adam', 'rmsprop', 'adamw']) }
        : {}),
      ...(chance(0.3) ? { schedule: one(['cosine', 'warmup:5', '0:0.1,30:0.01']) } : {}),
      ...(chance(0.3) ? { measure: one([2, 5]) } : {}),
      ...(chance(0.3) ? { eigenvalues: one([1, 5]) } : {}),
    };
  }

  function minimal() {
    const spread = {
      delta: between(1e-3, 0.2),
      epsilon: between(1e-10, 1e-2),
      band: between(0.01, 0.3),
    };
    if (chance(0.3)) {
      return {
        preset: one(PRESET_NAMES),
        steps: Math.floor(between(1, 12_000)),
        ...(chance(0.3) ? { eta: between(0.003, 0.4) } : {}),
        ...(chance(0.3) ? { lambda2: between(0.002, 3) } : {}),
        ...(chance(0.3) ? spread : {}),
        ...optimizer(),
      };
    }
    const lambda1 = between(1, 3000);
    const lambda2 = lambda1 * between(1e-5, 3);
    const bound = Math.sqrt(lambda1 * lambda2);
    return {
      lambda1,
      lambda2,
      covariance: chance(0.5) ? 0 : 0.95 * bound * (2 * random.uniform() - 1),
      eta: between(0.003, 0.6) * (100 / lambda1),
      init: [
        2 * random.uniform() - 1,
        one([0.4 * random.uniform() - 0.2, 1e-200, 0, 0.01]),
        2 * random.uniform() - 1,
      ],
      floor: one([0, 1e-9, 1e-6, 1e-3]),
      steps: chance(0.05) ? 0 : Math.floor(between(1, 4000)),
      ...(chance(0.2)
        ? { samples: one([2, 3, 30, 500]), seed: Math.floor(1e6 * random.uniform()) }
        : {}),
      ...(chance(0.3) ? spread : {}),
      ...optimizer(),
    };
  }

  function optimizer() {
    if (chance(0.12)) {
      return {
        optimizer: one(['momentum', 'nesterov']),
        momentum: between(0.1, 0.99),
        floor: one([1e-9, 1e-6, 1e-3]),
        ...(chance(0.2) ? { optimizer: 'momentum', dampening: 0.3 } : {}),
      };
    }
    if (chance(0.08))
      return {
        precision: one(['auto', '64', '200', '512', '1024']),
        steps: Math.floor(between(5, 300)),
      };
    return {};
  }
}
