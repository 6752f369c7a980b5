import { slowDecay } from './decay.ts';
import { factorOverEta, type Optimizer } from './optimizer.ts';
import { momentumParameter } from './shared-parameters.ts';

/**
 * Nesterov: v ← βv + ∇L, θ ← θ − η(∇L + βv), the gradient being that at the point looked ahead to.
 * Stable up to (2 + 2β)/((1 + 2β)η) (Cohen, Kaur, Li, Kolter, Talwalkar 2021, arXiv:2103.00065).
 */
export const nesterov: Optimizer = {
  name: 'nesterov',
  about: 'gradient descent with Nesterov momentum',
  aliases: ['nag'],
  parameters: { momentum: momentumParameter },
  slots: 1,
  stability: ({ momentum: beta = 0 }) =>
    factorOverEta('nesterov', (2 + 2 * beta) / (1 + 2 * beta), '(2 + 2β)/((1 + 2β)η)', (x) =>
      slowDecay(1 - beta + (1 + beta) * x, x),
    ),
  step(theta, gradient, slots, { eta, momentum: beta = 0 }) {
    const velocity = slots[0]!;
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i]!;
      velocity[i] = beta * velocity[i]! + g;
      theta[i]! -= eta * (g + beta * velocity[i]!);
    }
  },
};
