import { expect, test } from 'vitest';
import { type NetworkOptions, setupNetwork } from '../../../src/pipeline/models/network/config.ts';
import { createNetwork } from '../../../src/pipeline/models/network/network.ts';
import { startWeights } from '../../../src/pipeline/models/network/start.ts';
import { EDGE_SHARE } from '../../../src/pipeline/sources/descent/network-descent.ts';

/** Points of the integral that the work is held against. */
const POINTS = 64;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Orthonormal vectors that span what these do. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = vector.slice();
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis) {
        const share = dot(rest, other);
        for (let i = 0; i < rest.length; i++) rest[i]! -= share * other[i]!;
      }
    }
    const length = Math.sqrt(dot(rest, rest));
    if (length > 1e-5) basis.push(rest.map((x) => x / length));
  }
  return basis;
}

interface Work {
  readonly work: number;
  readonly exact: number;
  /** Of the loss. */
  readonly change: number;
  /** Whether it took no gradient within the step: what is in the kernel is still at its end. */
  readonly short: boolean;
}

/** The work along the edge at each step that has some. */
function worksOf(options: NetworkOptions): Work[] {
  const { layers, data, config } = setupNetwork(options);
  const { activation, loss: kind, seed, eta, steps } = config;
  const network = createNetwork({ layers, activation, loss: kind }, data);
  const beside = createNetwork({ layers, activation, loss: kind }, data);
  const { theta } = network;
  theta.set(startWeights(layers, seed, config['init-scale']));
  const least = (EDGE_SHARE * 2) / eta;
  const works: Work[] = [];
  let before: { loss: number; directions: Float64Array[]; theta: Float64Array } | undefined;

  function integral(from: Float64Array, directions: readonly Float64Array[]): number {
    const step = theta.map((x, i) => x - from[i]!);
    const part = new Float64Array(step.length);
    for (const u of orthonormal(directions)) {
      const share = dot(u, step);
      for (let i = 0; i < part.length; i++) part[i]! += share * u[i]!;
    }
    let sum = 0;
    for (let p = 0; p < POINTS; p++) {
      const place = (p + 0.5) / POINTS;
      for (let i = 0; i < step.length; i++) beside.theta[i] = from[i]! + place * step[i]!;
      beside.gradientAt();
      sum += dot(beside.gradient, part) / POINTS;
    }
    return sum;
  }

  for (let t = 0; t < steps; t++) {
    const loss = network.gradientAt();
    const { values } = network.track({ probing: t % 4 === 0 ? 1 : 0 });
    const ends = values.filter((value) => value > least).length;
    const directions = Array.from({ length: ends }, (_, k) => network.ritzVector(k).slice());
    network.edgeEnergy(ends);
    const begins = before?.directions.length ?? 0;
    const change = loss - (before?.loss ?? Number.NaN);
    if (before && begins + ends > 0 && Math.abs(change) > 0.003 * before.loss) {
      const product = network.hessianTimes(theta).slice();
      const work = network.edgeWork({ begins, ends, lossBefore: before.loss, loss, least });
      const exact = integral(before.theta, [...directions, ...before.directions]);
      const after = network.hessianTimes(theta);
      works.push({ work, exact, change, short: after.every((x, i) => x === product[i]) });
    }
    network.keepStep();
    before = { loss, directions, theta: theta.slice() };
    for (let i = 0; i < theta.length; i++) theta[i]! -= eta * network.gradient[i]!;
  }
  return works;
}

test.each<NetworkOptions>([
  { layers: '1-20-20-20-1', data: 'chebyshev:5:40', eta: 0.1, steps: 1500 },
  { layers: '1-30-30-1', data: 'chebyshev:5:20', eta: 0.2, steps: 800, seed: 4 },
  {
    layers: '1-20-20-1',
    data: 'chebyshev:4:50',
    eta: 0.4,
    steps: 500,
    seed: 6,
    activation: 'silu',
  },
])('the work along the edge is its integral, to 4 % of the change: %o', (options) => {
  const works = worksOf(options);
  expect(works.length).toBeGreaterThan(200);
  for (const { work, exact, change } of works)
    expect(Math.abs(work - exact)).toBeLessThan(0.04 * Math.abs(change));
});

test('where the rest of the step does little, no gradient within it is taken', () => {
  const works = worksOf({
    layers: '1-30-30-1',
    data: 'chebyshev:5:20',
    eta: 0.2,
    seed: 4,
    steps: 600,
  });
  const short = works.filter((work) => work.short);
  expect(short.length / works.length).toBeGreaterThan(0.6);
  expect(short.length).toBeLessThan(works.length);
});
