import { createCentral } from '../../model/central.ts';
import { lossSplit } from '../../model/loss.ts';
import type { Check } from '../check.ts';
import type { RunTable } from '../run-table.ts';
import { cycleFinding } from './cycle-l1.ts';

/** Against the averaged dynamics from the run's own start, which knows nothing of the run after that. */
export const centralFlow: Check = {
  name: 'central-flow',
  statement:
    'in each whole cycle the mean of L₁ is that of the central flow from the same start (median within 5 %, each within 15 %)',
  needs: ['l1', 'alpha', 'beta1', 'beta2', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  edge: true,
  recomputes: 'the central flow',
  run: (table) => cycleFinding(table, centralL1(table)),
};

/** L₁ of the central flow that starts where the run does, at each of its rows. */
export function centralL1(table: RunTable): Float64Array {
  const { eta, moments } = table.config;
  const [alpha, beta1, beta2] = [table.column('alpha')[0]!, table.column('beta1')[0]!, table.column('beta2')[0]!];
  const central = createCentral({ alpha, beta1, beta2 }, moments, eta);
  return Float64Array.from({ length: table.length }, (_, i) => {
    if (i > 0) central.advance(eta);
    return lossSplit(central.theta, moments).l1;
  });
}
