import { ConfigError } from '../../../core/parameters.ts';
import { sin } from '../../../numeric/exponential.ts';
import type { NamedData } from './data-set.ts';

const DEFAULT_COUNT = 20;

/**
 * T_K(x), the polynomial of degree K that swings K times from −1 to 1, at its N Chebyshev points of
 * [−1, 1].
 */
export const chebyshev: NamedData = {
  name: 'chebyshev',
  usage: 'chebyshev:K[:N]',
  meaning: 'the Chebyshev polynomial T_K on N Chebyshev-spaced points of [−1, 1]',
  make([degree, count = DEFAULT_COUNT, ...more]) {
    if (degree === undefined || more.length > 0) {
      throw new ConfigError(
        'data',
        'chebyshev takes a degree and perhaps a number of points: chebyshev:6:20',
      );
    }
    // The points are cos((2i + 1)π/2N) = sin((N − 1 − 2i)π/2N).
    const inputs = Float64Array.from({ length: count }, (_, i) =>
      sin(((2 * i + 1 - count) * Math.PI) / (2 * count)),
    );
    const targets = inputs.map((x) => polynomial(degree, x));
    return { count, inputs, targets, inputWidth: 1, outputWidth: 1, classes: null };
  },
};

/** T_K by its recurrence T_k+1 = 2x·T_k − T_k−1. */
function polynomial(degree: number, x: number): number {
  let [before, value] = [1, x];
  for (let k = 1; k < degree; k++) [before, value] = [value, 2 * x * value - before];
  return value;
}
