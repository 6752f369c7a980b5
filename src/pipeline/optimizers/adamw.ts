import { adam } from './adam.ts';
import { slowDecay } from './decay.ts';
import type { PreconditionedOptimizer } from './optimizer.ts';
import { decayParameter } from './shared-parameters.ts';

/**
 * AdamW: θ ← (1 − ηλ)θ, then Adam's step. Stable while λ_max of P⁻¹H is under (2 − ηλ)(1 + β₁)/((1
 * − β₁)η): the characteristic polynomial r² − (a + β₁ − (1 − β₁)ηS)r + aβ₁ with a = 1 − ηλ has the
 * root −1 there.
 */
export const adamw: PreconditionedOptimizer = {
  ...adam,
  name: 'adamw',
  about: 'Adam with weight decay of its own, not in the gradient',
  parameters: { ...adam.parameters, 'weight-decay': decayParameter(0.01) },
  decoupled: true,
  stability({ momentum: beta1 = 0, 'weight-decay': decay = 0 }) {
    const factor = (eta: number) => ((2 - eta * decay) * (1 + beta1)) / (1 - beta1);
    return {
      optimizer: 'adamw',
      formula: '(2 − ηλ)(1 + β₁)/((1 − β₁)η)',
      threshold: (eta, excess = 0) => (factor(eta) + excess) / eta,
      ratio: (sharpness, eta) => (eta * sharpness) / factor(eta),
      decay: (x) => slowDecay((1 - beta1) * (1 + x), (1 - beta1) * x),
    };
  },
  step(theta, gradient, slots, values) {
    const { eta, 'weight-decay': decay = 0 } = values;
    const kept = 1 - eta * decay;
    for (let i = 0; i < theta.length; i++) theta[i]! *= kept;
    adam.step(theta, gradient, slots, values);
  },
};
