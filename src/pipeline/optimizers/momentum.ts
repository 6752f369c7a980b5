import { slowDecay } from './decay.ts';
import { factorOverEta, type Optimizer } from './optimizer.ts';
import { dampeningParameter, momentumParameter } from './shared-parameters.ts';

/**
 * Heavy ball: v ← βv + (1 − d)∇L, θ ← θ − ηv. Stable up to (2 + 2β)/((1 − d)η) (Cohen, Kaur, Li,
 * Kolter, Talwalkar 2021, arXiv:2103.00065). The dampening d is 0 for the usual form and β for an
 * average of the gradients.
 */
export const momentum: Optimizer = {
  name: 'momentum',
  about: 'gradient descent with heavy-ball momentum',
  aliases: ['heavy-ball', 'heavyball', 'polyak'],
  parameters: { momentum: momentumParameter, dampening: dampeningParameter },
  slots: 1,
  stability({ momentum: beta = 0, dampening = 0 }) {
    const share = 1 - dampening;
    const formula = dampening !== 0 ? '(2 + 2β)/((1 − d)η)' : beta === 0 ? '2/η' : '(2 + 2β)/η';
    return factorOverEta('momentum', (2 + 2 * beta) / share, formula, (x) =>
      slowDecay(1 - beta + share * x, share * x),
    );
  },
  step(theta, gradient, slots, { eta, momentum: beta = 0, dampening = 0 }) {
    const velocity = slots[0]!;
    for (let i = 0; i < theta.length; i++) {
      velocity[i] = beta * velocity[i]! + (1 - dampening) * gradient[i]!;
      theta[i]! -= eta * velocity[i]!;
    }
  },
};
