// Networks: a step of the whole pipeline to Parquet, sharpness to 1e-6 included, against JAX with a
// gradient, five Hessian-vector products and no file, in turn in one run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { parquetSink } from '../src/pipeline/formats/parquet/parquet-sink.ts';
import { fileTarget } from '../src/pipeline/node/file-target.ts';
import { networkPipeline } from '../src/pipeline/operators/network-pipeline.ts';
import { networkDescent } from '../src/pipeline/sources/descent/network-descent.ts';

const CASES = [
  { layers: '1-50-50-1', samples: 20, steps: 3000 },
  { layers: '1-50-50-1', samples: 100, steps: 1000 },
];
const ROUNDS = 5;
const ETA = 0.2;

const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));

/** Microseconds a step. */
async function ours(layers: string, samples: number, steps: number): Promise<number> {
  const start = performance.now();
  const target = fileTarget(join(folder, 'network.parquet'));
  await lastValueFrom(
    networkDescent({ layers, data: `chebyshev:6:${samples}`, eta: ETA, steps }).pipe(
      networkPipeline(),
      parquetSink(target),
    ),
  );
  return ((performance.now() - start) / steps) * 1000;
}

function jax(layers: string, samples: number, steps: number): number {
  const args = ['bench/peers/jax_network.py', layers, samples, ETA, steps].map(String);
  const { stdout, stderr, status } = spawnSync('.venv/bin/python', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

try {
  for (const { layers, samples, steps } of CASES) {
    const rounds: (readonly [ours: number, jax: number])[] = [];
    for (let i = 0; i < ROUNDS; i++)
      rounds.push([await ours(layers, samples, steps), jax(layers, samples, steps)]);
    const best = (which: 0 | 1) => Math.min(...rounds.map((round) => round[which]));
    const ratio = (best(1) / best(0)).toFixed(2);
    console.log(
      `${layers} on ${samples}: ${best(0).toFixed(0)} µs a step, JAX ${best(1).toFixed(0)} ` +
        `µs: ${ratio} of its speed`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
