// npm run bench:network [-- --rounds 5]
// Networks: a step of the whole pipeline to Parquet, sharpness to 1e-6 included, against JAX with a
// gradient, five Hessian-vector products and no file, in turn in one run, by the time of the
// processor and by that on the wall. V8 is told what `eos` tells it. Runs take some four seconds:
// what V8 compiles in each, JAX has done before its clock starts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lastValueFrom } from 'rxjs';
import { parquetSink } from '../src/pipeline/formats/parquet/parquet-sink.ts';
import { setupNetwork } from '../src/pipeline/models/network/config.ts';
import { dataOfTable, keepData } from '../src/pipeline/models/network/data/table-data.ts';
import { createNetwork } from '../src/pipeline/models/network/network.ts';
import { startWeights } from '../src/pipeline/models/network/start.ts';
import { fileTarget } from '../src/pipeline/node/file-target.ts';
import { createRandom } from '../src/pipeline/numeric/random.ts';
import { networkPipeline } from '../src/pipeline/operators/network-pipeline.ts';
import { networkDescent } from '../src/pipeline/sources/descent/network-descent.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));

interface Case {
  readonly layers: string;
  readonly samples: number;
  readonly steps: number;
  readonly eta: number;
  readonly data: object;
}

const CASES: readonly Case[] = [
  { layers: '1-50-50-1', samples: 20, steps: 20_000, eta: 0.2, data: { data: 'chebyshev:6:20' } },
  { layers: '1-50-50-1', samples: 100, steps: 5000, eta: 0.2, data: { data: 'chebyshev:6:100' } },
  { layers: '4-100-100-1', samples: 200, steps: 1500, eta: 0.05, data: surface(200) },
];

/** A smooth function of four numbers, with a little noise. */
function surface(samples: number): object {
  const random = createRandom(1);
  const column = (draw: (i: number) => number) =>
    Array.from({ length: samples }, (_, i) => draw(i));
  const [a, b, c, d] = Array.from({ length: 4 }, () => column(() => 2 * random.uniform() - 1));
  const y = column(
    (i) => Math.sin(3 * a![i]!) * b![i]! + c![i]! ** 2 - d![i]! + 0.05 * random.normal(),
  );
  const columns = Object.entries({ a, b, c, d, y }).map(([name, of]) => ({ name, values: of! }));
  const choice = { data: 'surface.csv', target: 'y', raw: false };
  keepData(choice, dataOfTable(columns, choice, 'surface'));
  return choice;
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds a step, of all threads and on the wall. */
interface Step {
  readonly processor: number;
  readonly wall: number;
}

async function ours({ layers, steps, eta, data }: Case): Promise<Step> {
  const start = processorTime();
  const wall = performance.now();
  const target = fileTarget(join(folder, 'network.parquet'));
  await lastValueFrom(
    networkDescent({ layers, ...data, eta, steps }).pipe(networkPipeline(), parquetSink(target)),
  );
  return {
    processor: (processorTime() - start) / steps,
    wall: (1000 * (performance.now() - wall)) / steps,
  };
}

function jax({ layers, samples, steps, eta }: Case): Step {
  const args = ['bench/peers/jax_network.py', layers, samples, eta, steps].map(String);
  const { stdout, stderr, status } = spawnSync('.venv/bin/python', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const [processor, wall] = stdout.split(' ').map(Number);
  return { processor: processor!, wall: wall! };
}

/** What a step of ours is made of: microseconds a gradient and a product, and products a step. */
function parts({ layers: text, steps, eta, data: options }: Case): string {
  const { layers, data, config } = setupNetwork({ layers: text, ...options, eta, steps });
  const { activation, loss } = config;
  const network = createNetwork({ layers, activation, loss }, data);
  const { theta, gradient } = network;
  theta.set(startWeights(layers, config.seed, config['init-scale']));
  for (let t = 0; t < steps; t++) {
    network.gradientAt();
    network.track({ probing: t % 4 === 0 ? 1 : 0 });
    for (let i = 0; i < theta.length; i++) theta[i]! -= eta * gradient[i]!;
  }
  const products = network.products() / steps;
  const direction = gradient.slice();
  const time = (what: () => void) => {
    const start = processorTime();
    for (let i = 0; i < steps; i++) what();
    return ((processorTime() - start) / steps).toFixed(1);
  };
  return (
    `gradient ${time(() => network.gradientAt())} µs, ` +
    `${products.toFixed(2)} products of ${time(() => network.hessianTimes(direction))} µs`
  );
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[all.length >> 1]!;
}

try {
  for (const each of CASES) {
    // What is compiled at first counts for neither.
    await ours(each);
    const rounds: { readonly our: Step; readonly their: Step }[] = [];
    for (let i = 0; i < Number(values.rounds); i++)
      rounds.push({ our: await ours(each), their: jax(each) });
    const told = (by: keyof Step) => {
      const [our, their] = (['our', 'their'] as const).map((of) =>
        median(rounds.map((round) => round[of][by])).toFixed(0),
      );
      const ratio = median(rounds.map((round) => round.their[by] / round.our[by])).toFixed(2);
      return `${our} µs a step, JAX ${their} µs, ${ratio} of its speed`;
    };
    console.log(
      `${each.layers} on ${each.samples}: processor ${told('processor')}; wall ${told('wall')}; ` +
        parts(each),
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
