// npm run bench:flow [STARTS]: gradient flow to its end from random starts, by our implicit
// integrator and by ODEX, the one ODE library in wide use on npm (Hairer's explicit extrapolation).
// Prints what each takes, and how right it is.
import { createRequire } from 'node:module';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { flowEnd } from '../src/pipeline/models/minimal/flow.ts';
import { gradient, type Theta } from '../src/pipeline/models/minimal/loss.ts';
import { balance, solutionAlphaSquared } from '../src/pipeline/models/minimal/solution.ts';

interface OdexSolver {
  absoluteTolerance: number;
  relativeTolerance: number;
  maxSteps: number;
  solve(
    f: (x: number, y: number[]) => number[],
    from: number,
    y: number[],
    to: number,
  ): { readonly y: number[]; readonly outcome: number; readonly nEval: number };
}

const { Solver } = createRequire(import.meta.url)('odex') as {
  Solver: new (size: number) => OdexSolver;
};

const moments = { lambda1: 100, lambda2: 0.01, covariance: 0 };
const starts = Number(process.argv[2] ?? 12);
const generator = xoroshiro128plus(2503);
const coordinate = () => 4 * uniformFloat64(generator) - 2;
const thetas = Array.from({ length: starts }, () => ({
  alpha: coordinate(),
  beta1: coordinate(),
  beta2: coordinate(),
}));

interface Total {
  milliseconds: number;
  longest: number;
  error: number;
  balance: number;
  gaveUp: number;
}

function measure(name: string, solve: (theta: Theta, k: number) => Theta | undefined): void {
  const total: Total = { milliseconds: 0, longest: 0, error: 0, balance: 0, gaveUp: 0 };
  thetas.forEach((theta, k) => {
    const begin = performance.now();
    const end = solve(theta, k);
    const taken = performance.now() - begin;
    total.milliseconds += taken;
    total.longest = Math.max(total.longest, taken);
    if (!end) {
      total.gaveUp++;
      return;
    }
    const alpha = Math.sign(end.alpha) * Math.sqrt(solutionAlphaSquared(balance(theta)));
    total.error = Math.max(
      total.error,
      Math.abs(end.alpha - alpha),
      Math.abs(end.beta2 - 1 / alpha),
    );
    total.balance = Math.max(total.balance, Math.abs(balance(end) - balance(theta)));
  });
  const mean = (total.milliseconds / starts).toFixed(1).padStart(8);
  const longest = total.longest.toFixed(0).padStart(6);
  const gaveUp = total.gaveUp > 0 ? `, gave up ${total.gaveUp} times` : '';
  process.stdout.write(
    `${name.padEnd(28)}${mean} ms a start, longest ${longest} ms; end point off by ` +
      `${total.error.toExponential(1)}, balance by ${total.balance.toExponential(1)}${gaveUp}\n`,
  );
}

const times = thetas.map((theta) => flowEnd(theta, moments).time);
process.stdout.write(`${starts} random starts in [−2, 2]³, λ₁ = 100, λ₂ = 0.01, to the minimum\n`);
measure('Radau IIA, order 5 (ours)', (theta) => flowEnd(theta, moments).theta);
for (const tolerance of [1e-6, 1e-10]) {
  measure(`ODEX, tolerance ${tolerance.toExponential(0)}`, ({ alpha, beta1, beta2 }, k) => {
    const solver = new Solver(3);
    solver.absoluteTolerance = tolerance;
    solver.relativeTolerance = tolerance;
    solver.maxSteps = 10_000_000;
    const slope = (_: number, [a, b, c]: number[]) => {
      const g = gradient({ alpha: a!, beta1: b!, beta2: c! }, moments);
      return [-g.alpha, -g.beta1, -g.beta2];
    };
    const { y, outcome } = solver.solve(slope, 0, [alpha, beta1, beta2], times[k]!);
    return outcome === 0 ? { alpha: y[0]!, beta1: y[1]!, beta2: y[2]! } : undefined;
  });
}
