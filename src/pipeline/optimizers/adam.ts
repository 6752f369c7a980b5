import { slowDecay } from './decay.ts';
import { factorOverEta, type PreconditionedOptimizer } from './optimizer.ts';
import { averagingParameter, dampingParameter, momentumParameter } from './shared-parameters.ts';

/**
 * Adam: m ← β₁m + (1 − β₁)∇L, v ← β₂v + (1 − β₂)∇L², θ ← θ − ηm/P with P = (1 − β₁^t)(√(v/(1 −
 * β₂^t)) + ε). Stable while λ_max of P⁻¹H is under (2 + 2β₁)/((1 − β₁)η), 38/η for β₁ = 0.9 (Cohen
 * et al. 2022, arXiv:2207.14484).
 */
export const adam: PreconditionedOptimizer = {
  name: 'adam',
  about: 'Adam: averages of the gradients over the root of averages of their squares',
  aliases: [],
  parameters: {
    momentum: momentumParameter,
    averaging: averagingParameter(0.999),
    damping: dampingParameter,
  },
  slots: 2,
  stability: ({ momentum: beta1 = 0 }) =>
    factorOverEta('adam', (2 + 2 * beta1) / (1 - beta1), '(2 + 2β₁)/((1 − β₁)η)', (x) =>
      slowDecay((1 - beta1) * (1 + x), (1 - beta1) * x),
    ),
  metric(gradient, slots, { momentum: beta1 = 0, averaging: beta2 = 0, damping = 0, t }, into) {
    const squares = slots[1]!;
    const first = 1 - power(beta1, t + 1);
    const second = 1 - power(beta2, t + 1);
    for (let i = 0; i < into.length; i++) {
      const g = gradient[i]!;
      const v = beta2 * squares[i]! + (1 - beta2) * (g * g);
      into[i] = 1 / Math.sqrt(first * (Math.sqrt(v / second) + damping));
    }
  },
  step(theta, gradient, slots, { eta, momentum: beta1 = 0, averaging: beta2 = 0, damping = 0, t }) {
    const [means, squares] = slots as [Float64Array, Float64Array];
    const first = 1 - power(beta1, t + 1);
    const second = 1 - power(beta2, t + 1);
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i]!;
      means[i] = beta1 * means[i]! + (1 - beta1) * g;
      squares[i] = beta2 * squares[i]! + (1 - beta2) * (g * g);
      theta[i]! -= (eta * means[i]!) / (first * (Math.sqrt(squares[i]! / second) + damping));
    }
  },
};

/** b^n for whole n by squaring: engines do not agree on `**`. */
function power(b: number, n: number): number {
  let result = 1;
  for (let square = b, left = n; left > 0; left = Math.floor(left / 2), square *= square)
    if (left % 2 === 1) result *= square;
  return result;
}
