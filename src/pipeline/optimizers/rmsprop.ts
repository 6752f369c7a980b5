import { log1p } from '../numeric/elementary.ts';
import { factorOverEta, type PreconditionedOptimizer } from './optimizer.ts';
import { averagingParameter, dampingParameter } from './shared-parameters.ts';

/**
 * RMSProp: v ← β₂v + (1 − β₂)∇L², θ ← θ − η∇L/P with P = √v + ε. Stable while the sharpness in its
 * metric, λ_max of P⁻¹H, is under 2/η (Cohen et al. 2022, arXiv:2207.14484).
 */
export const rmsprop: PreconditionedOptimizer = {
  name: 'rmsprop',
  about: 'gradient descent with each step divided by the root mean square of the gradients',
  aliases: [],
  parameters: { averaging: averagingParameter(0.99), damping: dampingParameter },
  slots: 1,
  stability: () => factorOverEta('rmsprop', 2, '2/η', (x) => log1p(-x)),
  metric(gradient, slots, { averaging: beta2 = 0, damping = 0 }, into) {
    const squares = slots[0]!;
    for (let i = 0; i < into.length; i++) {
      const g = gradient[i]!;
      const v = beta2 * squares[i]! + (1 - beta2) * (g * g);
      into[i] = 1 / Math.sqrt(Math.sqrt(v) + damping);
    }
  },
  step(theta, gradient, slots, { eta, averaging: beta2 = 0, damping = 0 }) {
    const squares = slots[0]!;
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i]!;
      squares[i] = beta2 * squares[i]! + (1 - beta2) * (g * g);
      theta[i]! -= (eta * g) / (Math.sqrt(squares[i]!) + damping);
    }
  },
};
