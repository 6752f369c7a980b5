import { log1p } from '../numeric/elementary.ts';
import { factorOverEta, type Optimizer } from './optimizer.ts';

/**
 * Heavy ball: v ← βv + ∇L, θ ← θ − ηv. Stable up to (2 + 2β)/η (Cohen, Kaur, Li, Kolter, Talwalkar 2021,
 * arXiv:2103.00065).
 */
export const momentum: Optimizer = {
  name: 'momentum',
  about: 'gradient descent with heavy-ball momentum',
  aliases: ['heavy-ball', 'heavyball', 'polyak'],
  defaults: { momentum: 0.9 },
  slots: 1,
  stability: ({ momentum: beta = 0 }) =>
    factorOverEta('momentum', 2 + 2 * beta, beta === 0 ? '2/η' : '(2 + 2β)/η', (x) => {
      // The slow root r of r² − (1 + β − x)r + β = 0, less 1 without cancellation.
      const b = 1 - beta + x;
      const root = Math.sqrt(b * b - 4 * x);
      return log1p((-2 * x) / (b + root));
    }),
  step(theta, gradient, slots, { eta, momentum: beta = 0 }) {
    const velocity = slots[0]!;
    for (let i = 0; i < theta.length; i++) {
      velocity[i] = beta * velocity[i]! + gradient[i]!;
      theta[i]! -= eta * velocity[i]!;
    }
  },
};
