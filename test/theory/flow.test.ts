import { createRequire } from 'node:module';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, test } from 'vitest';
import { createFlow, flowEnd, flowMinimum } from '../../src/pipeline/models/minimal/flow.ts';
import { gradient, lossSplit, type Theta } from '../../src/pipeline/models/minimal/loss.ts';
import type { Moments } from '../../src/pipeline/models/minimal/moments.ts';
import {
  balance,
  solution,
  solutionAlphaSquared,
} from '../../src/pipeline/models/minimal/solution.ts';

const paper: Moments = { lambda1: 100, lambda2: 0.01, covariance: 0 };
const coupled: Moments = { lambda1: 100, lambda2: 0.01, covariance: 0.3 };

interface OdexSolver {
  absoluteTolerance: number;
  relativeTolerance: number;
  maxSteps: number;
  solve(
    f: (x: number, y: number[]) => number[],
    from: number,
    y: number[],
    to: number,
  ): { readonly y: number[]; readonly outcome: number };
}

const { Solver } = createRequire(import.meta.url)('odex') as {
  Solver: new (size: number) => OdexSolver;
};

function odex(
  { alpha, beta1, beta2 }: Theta,
  moments: Moments,
  time: number,
): [number, number, number] {
  const solver = new Solver(3);
  solver.absoluteTolerance = solver.relativeTolerance = 1e-12;
  solver.maxSteps = 1_000_000;
  const slope = (_: number, [a, b, c]: number[]) => {
    const g = gradient({ alpha: a!, beta1: b!, beta2: c! }, moments);
    return [-g.alpha, -g.beta1, -g.beta2];
  };
  const { y, outcome } = solver.solve(slope, 0, [alpha, beta1, beta2], time);
  expect(outcome).toBe(0);
  return y as [number, number, number];
}

/** Starts in [−2, 2]³, the same ones in every run of the tests. */
function starts(count: number): Theta[] {
  const generator = xoroshiro128plus(2503);
  const coordinate = () => 4 * uniformFloat64(generator) - 2;
  return Array.from({ length: count }, () => ({
    alpha: coordinate(),
    beta1: coordinate(),
    beta2: coordinate(),
  }));
}

describe.each([
  ['the moments of the paper', paper],
  ['covariance 0.3', coupled],
])('gradient flow from 200 random points, %s', (_, moments) => {
  const flows = starts(200).map((start) => ({ start, end: flowEnd(start, moments) }));

  test('every one arrives', () => {
    for (const { start, end } of flows) expect(end.outcome, JSON.stringify(start)).toBe('minimum');
  });

  test('each ends at its closed form to 1e-8', () => {
    for (const { start, end } of flows) {
      const alpha = Math.sign(end.theta.alpha) * Math.sqrt(solutionAlphaSquared(balance(start)));
      expect(Math.abs(end.theta.alpha - alpha)).toBeLessThan(1e-8);
      expect(Math.abs(end.theta.beta2 - 1 / alpha)).toBeLessThan(1e-8);
      expect(Math.abs(end.theta.beta1)).toBeLessThan(1e-8);
      const known = solution(start, moments);
      if (known) expect(Math.sign(end.theta.alpha)).toBe(Math.sign(known.alpha));
    }
  });

  test('each is put back onto its balance, to rounding', () => {
    for (const { start, end } of flows) {
      expect(Math.abs(balance(end.theta) - balance(start))).toBeLessThan(1e-9);
    }
  });

  test('what the integrator would have lost of the balance is below 1e-6', () => {
    for (const { end } of flows) expect(end.drift).toBeLessThan(1e-6);
  });
});

describe('the integrator left to itself, nothing put back onto the balance', () => {
  const alone = { tolerance: 1e-13, project: false };

  test.each([
    ['the moments of the paper', paper],
    ['covariance 0.3', coupled],
  ])('comes to the closed form to 1e-8 and keeps the balance to 1e-8, %s', (_, moments) => {
    for (const start of starts(60)) {
      const { theta, drift, outcome } = flowEnd(start, moments, undefined, alone);
      expect(outcome).toBe('minimum');
      const alpha = Math.sign(theta.alpha) * Math.sqrt(solutionAlphaSquared(balance(start)));
      expect(Math.abs(theta.alpha - alpha)).toBeLessThan(1e-8);
      expect(Math.abs(theta.beta2 - 1 / alpha)).toBeLessThan(1e-8);
      expect(drift).toBeLessThan(1e-8);
      expect(Math.abs(balance(theta) - balance(start))).toBeLessThanOrEqual(drift);
    }
  });

  test('with a coarse tolerance it does not, and says so: the assertion can fail', () => {
    const { theta, drift } = flowEnd(starts(1)[0]!, paper, undefined, {
      tolerance: 1e-5,
      project: false,
    });
    expect(drift).toBeGreaterThan(1e-7);
    expect(Math.abs(balance(theta) - balance(starts(1)[0]!))).toBeGreaterThan(1e-8);
  });
});

describe('against an explicit integrator of another make (ODEX), θ at several times', () => {
  test.each([
    ['the moments of the paper', paper],
    ['covariance 0.3', coupled],
  ])('%s', (_, moments) => {
    for (const start of starts(8)) {
      const flow = createFlow(start, moments);
      for (const time of [0.003, 0.1, 2, 8]) {
        flow.advance(time - flow.time);
        const [alpha, beta1, beta2] = odex(start, moments, time);
        expect(Math.abs(flow.theta.alpha - alpha)).toBeLessThan(3e-9);
        expect(Math.abs(flow.theta.beta1 - beta1)).toBeLessThan(3e-9);
        expect(Math.abs(flow.theta.beta2 - beta2)).toBeLessThan(3e-9);
      }
    }
  });
});

test('is right in time: α² = 1/(1 + (α₀⁻² − 1)·e^(−2λ₂t)) for β₁ ≈ 0, α = β₂', () => {
  const start = 0.3;
  const flow = createFlow({ alpha: start, beta1: 1e-200, beta2: start }, paper);
  let log = Math.log(1e-200);
  for (const time of [0, 1, 10, 50, 100, 250]) {
    flow.advance(time - flow.time);
    const growth = Math.exp(2 * paper.lambda2 * time);
    const square = 1 / (1 + (1 / start ** 2 - 1) / growth);
    expect(Math.abs(flow.theta.alpha - Math.sqrt(square))).toBeLessThan(3e-9);
    expect(Math.abs(flow.theta.beta2 - Math.sqrt(square))).toBeLessThan(3e-9);
    // ∫α² dt = ln(1 + α₀²(e^(2λ₂t) − 1))/(2λ₂), and (ln|β₁|)' = −λ₁α².
    log =
      Math.log(1e-200) -
      (paper.lambda1 * Math.log1p(start ** 2 * (growth - 1))) / (2 * paper.lambda2);
    expect(Math.abs(flow.logBeta1 / log - 1)).toBeLessThan(3e-9);
  }
  expect(log).toBeLessThan(-4000);
  expect(flow.theta.beta1).toBe(0);
});

describe('every one of thousands of short steps is right to 1e-9', () => {
  // On the hyperbola α² − β₂² = Q, y = (α + β₂)² has (y − y₋)/(y₊ − y) = c·e^(λ₂√(Q² + 4)t), y± = 2
  // ± √(Q² + 4).
  test.each([
    [0.3, 0.25, 0.1, 0.05],
    [0.3, 0.25, 0.01, 0.05],
    [0.05, 0.6, 0.01, 1 / 12],
    [0.3, 0.25, 0.5, 0.02],
  ])('from (%d, 0, %d) with λ₂ = %d at η = %d', (alpha, beta2, lambda2, eta) => {
    const flow = createFlow({ alpha, beta1: 1e-100, beta2 }, { ...paper, lambda2 });
    const q = alpha ** 2 - beta2 ** 2;
    const radius = Math.sqrt(q ** 2 + 4);
    const [least, most] = [2 - radius, 2 + radius];
    const start = (alpha + beta2) ** 2;
    let worst = 0;
    for (let t = 1; t <= 5000; t++) {
      flow.advance(eta);
      const c = ((start - least) / (most - start)) * Math.exp(lambda2 * radius * eta * t);
      const y = (least + most * c) / (1 + c);
      const residual = -((most - least) / (1 + c)) * ((y - least) / (4 * y));
      const [own, root] = [flow.theta, Math.sqrt(y)];
      worst = Math.max(
        worst,
        Math.abs(own.alpha / ((root + q / root) / 2) - 1),
        Math.abs(own.beta2 / ((root - q / root) / 2) - 1),
        Math.abs(flow.residual / residual - 1),
      );
    }
    expect(worst).toBeLessThan(1e-9);
  });

  test.each([
    ['covariance 0', { ...paper, lambda2: 0.1 }],
    ['covariance 0.3', { ...coupled, lambda2: 0.1 }],
  ])('against its Taylor series, %s', (_, moments) => {
    const flow = createFlow({ alpha: 0.3, beta1: 0.1, beta2: 0.3 }, moments);
    let truth: readonly number[] = [0.3, 0.1, 0.3];
    let worst = 0;
    for (let t = 1; t <= 400; t++) {
      flow.advance(0.05);
      truth = taylorStep(truth, moments, 0.05);
      const { alpha, beta1, beta2 } = flow.theta;
      [alpha, beta1, beta2].forEach((x, k) => {
        // Where β₁ is e^(−700) its logarithm is what counts.
        if (Math.abs(truth[k]!) > 1e-30) worst = Math.max(worst, Math.abs(x / truth[k]! - 1));
      });
    }
    expect(worst).toBeLessThan(1e-9);
  });
});

/** θ a time later, by power series of order 24 over parts so short that their terms vanish. */
function taylorStep(start: readonly number[], moments: Moments, time: number): readonly number[] {
  const { lambda1, lambda2, covariance } = moments;
  const parts = 64;
  const h = time / parts;
  let theta = start;
  for (let part = 0; part < parts; part++) {
    const [a, b, c] = theta.map((x) => [x]) as [number[], number[], number[]];
    const [e1, e2]: [number[], number[]] = [[], []];
    const product = (x: readonly number[], y: readonly number[], k: number) => {
      let sum = 0;
      for (let i = 0; i <= k; i++) sum += x[i]! * y[k - i]!;
      return sum;
    };
    for (let k = 0; k < 24; k++) {
      const p = product(a, b, k);
      const r = product(a, c, k) - (k === 0 ? 1 : 0);
      e1.push(lambda1 * p + covariance * r);
      e2.push(covariance * p + lambda2 * r);
      const next = [product(b, e1, k) + product(c, e2, k), product(a, e1, k), product(a, e2, k)];
      [a, b, c].forEach((series, i) => {
        series.push(-next[i]! / (k + 1));
      });
    }
    theta = [a, b, c].map((series) => series.reduceRight((sum, x) => sum * h + x, 0));
  }
  return theta;
}

test('advancing in parts is advancing at once', () => {
  const start = { alpha: 0.3, beta1: 0.1, beta2: 0.3 };
  const whole = createFlow(start, paper);
  whole.advance(300);
  const parts = createFlow(start, paper);
  for (let i = 0; i < 6000; i++) parts.advance(0.05);
  expect(parts.theta.alpha).toBeCloseTo(whole.theta.alpha, 9);
  expect(parts.theta.beta2).toBeCloseTo(whole.theta.beta2, 9);
});

test('the loss falls all the way', () => {
  for (const start of starts(20)) {
    let before = Number.POSITIVE_INFINITY;
    flowEnd(start, paper, (theta) => {
      const { loss } = lossSplit(theta, paper);
      expect(loss).toBeLessThanOrEqual(before * (1 + 1e-9) + 1e-18);
      before = loss;
    });
  }
});

describe('the stable set of the saddle is told, not circled for ever', () => {
  test.each([
    { alpha: 0, beta1: 0.3, beta2: 0 },
    { alpha: 0, beta1: 0, beta2: 0 },
    { alpha: 0.4, beta1: 0, beta2: -0.4 },
    { alpha: -0.4, beta1: 0, beta2: 0.4 },
    // Closer to it than float64 can tell.
    { alpha: 0.4, beta1: 1e-30, beta2: -0.4 },
  ])('%j', (start) => {
    const { outcome, steps } = flowEnd(start, paper);
    expect(outcome).toBe('saddle');
    expect(steps).toBeLessThan(5000);
    expect(flowMinimum(start, paper)).toBeUndefined();
  });

  test('for covariance ≠ 0 it goes through α = 0, β·Σ(0, 1) = 0', () => {
    const start = { alpha: 0, beta1: 1, beta2: -30 };
    expect(flowEnd(start, coupled).outcome).toBe('saddle');
  });
});

test('the side of the minimum is found by integration where no closed form has it', () => {
  const start = { alpha: 0.4, beta1: 0.5, beta2: -0.9 };
  expect(solution(start, paper)).toBeUndefined();
  const end = flowMinimum(start, paper)!;
  expect(end.alpha).toBeLessThan(0);
  expect(end.alpha * end.beta2).toBeCloseTo(1, 12);
  expect(balance(end)).toBeCloseTo(balance(start), 10);
});

test('a start whose flow leaves the finite numbers is an error, not a loop', () => {
  const flow = createFlow({ alpha: Number.NaN, beta1: 0, beta2: 1 }, paper);
  expect(() => flow.step()).toThrow(RangeError);
});
