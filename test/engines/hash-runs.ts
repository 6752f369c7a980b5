import { blocks } from '../../src/pipeline/core/operator.ts';
import { dynamics } from '../../src/pipeline/dynamics/index.ts';
import { type RunOptions, resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { setupNetwork } from '../../src/pipeline/models/network/config.ts';
import { standardOperators } from '../../src/pipeline/operators/standard.ts';
import { stabilityOf } from '../../src/pipeline/optimizers/index.ts';
import { descentRows } from '../../src/pipeline/sources/descent/descent-rows.ts';
import { networkRows } from '../../src/pipeline/sources/descent/network-descent.ts';

// Bundled by itself and run by each engine, of which some have no more than the language.

/** FNV-1a, 32 bits, over the bytes of numbers and of texts. */
function createHash() {
  let hash = 0x811c9dc5;
  const one = new Float64Array(1);
  const bytes = new Uint8Array(one.buffer);
  const add = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  return {
    number(value: number) {
      one[0] = value;
      // NaN has many bits, and no engine is held to one of them.
      if (Number.isNaN(value)) add(1);
      else for (let i = 0; i < 8; i++) add(bytes[i]!);
    },
    text(text: string) {
      for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
    },
    get value() {
      return (hash >>> 0).toString(16).padStart(8, '0');
    },
  };
}

function hashOfRun(options: RunOptions): string {
  const hash = createHash();
  const rows = descentRows(resolveConfig(options));
  for (const { columns, length } of blocks(rows, standardOperators(), 1024)) {
    for (const values of Object.values(columns))
      for (let i = 0; i < length; i++) hash.number(values[i]!);
  }
  hash.text(JSON.stringify(rows.run.config));
  hash.text(JSON.stringify(rows.run.summary));
  return hash.value;
}

function hashOfDynamics(options: RunOptions): string {
  const hash = createHash();
  const config = resolveConfig(options);
  for (const { start } of dynamics) {
    const mover = start(config, stabilityOf(config));
    for (let t = 0; t <= config.steps; t++) {
      const { alpha, beta1, beta2 } = mover.theta;
      for (const value of [alpha, beta1, beta2, mover.logBeta1, mover.residual ?? 0])
        hash.number(value);
      mover.advance();
    }
  }
  return hash.value;
}

function hashOfNetwork(): string {
  const hash = createHash();
  const layers = '1-8-1';
  const rows = networkRows(setupNetwork({ layers, steps: 20_000, measure: 50 }));
  while (!rows.ended) {
    const { columns, length } = rows.next(256);
    for (const values of Object.values(columns))
      for (let i = 0; i < length; i++) hash.number(values[i]!);
  }
  return hash.value;
}

/**
 * Hashes of runs of each kind: two engines agree in all of them, or one of them computes otherwise.
 */
export function hashes(): Readonly<Record<string, string>> {
  return {
    default: hashOfRun({}),
    sampled: hashOfRun({ samples: 200, seed: 7, steps: 4000 }),
    dynamics: hashOfDynamics({ steps: 3000 }),
    precision: hashOfRun({ preset: 'three-phases', eta: '1/7', precision: 'auto', steps: 2000 }),
    network: hashOfNetwork(),
    momentum: hashOfRun({ optimizer: 'momentum', momentum: 0.9, eta: 0.2, steps: 2000 }),
  };
}
