import { log1p } from '../numeric/elementary.ts';
import { factorOverEta, type Optimizer } from './optimizer.ts';

/** The threshold 2/η: all that a run of the minimal network needs to know of its optimizer. */
export const gdStability = () => factorOverEta('gd', 2, '2/η', (x) => log1p(-x));

/** θ ← θ − η∇L. Stable up to 2/η. */
export const gd: Optimizer = {
  name: 'gd',
  about: 'plain gradient descent',
  aliases: ['sgd', 'gradient-descent'],
  parameters: {},
  slots: 0,
  stability: gdStability,
  step(theta, gradient, _slots, { eta }) {
    for (let i = 0; i < theta.length; i++) theta[i]! -= eta * gradient[i]!;
  },
};
