import { count, plural } from '../../format.ts';
import type { Theta } from '../../models/minimal/loss.ts';
import { gradient } from '../../models/minimal/loss.ts';
import { balanceChange, projectionChange } from '../../models/minimal/theory.ts';
import { type Check, digits, round } from '../check.ts';

/** Rounding of a balance and of its change, relative to the squares it is made of. */
const TOLERANCE = 1e-12;
/** So that a run at 0 has a size too. */
const LEAST = 1e-300;

/** The balance in the file is that of θ, and gradient descent changes it by q, exactly. */
export const balanceLaw: Check = {
  name: 'balance',
  statement:
    'Q = α² − β₁² − β₂², and a step changes it by η²((∂α)² − ‖∂β‖²) − (ε² − β̃₁²)₊ (within 1e-12)',
  needs: ['alpha', 'beta1', 'beta2', 'balance'],
  descent: true,
  run(table) {
    const { eta, floor, moments } = table.config;
    const [alpha, beta1, beta2] = [
      table.column('alpha'),
      table.column('beta1'),
      table.column('beta2'),
    ];
    const balance = table.column('balance');
    let worst = 0;
    let worstStep = table.step[0]!;
    let pairs = 0;
    const note = (error: number, step: number) => {
      if (error <= worst) return;
      worst = error;
      worstStep = step;
    };
    // For covariance ≠ 0 the projection may move β₁ either way: by so much, whatever it is.
    const moved1 = (before: number, row: number) => before * before - beta1[row]! * beta1[row]!;
    for (let i = 0; i < table.length; i++) {
      const theta = { alpha: alpha[i]!, beta1: beta1[i]!, beta2: beta2[i]! };
      const squares = squared(theta) + LEAST;
      const own =
        (theta.alpha - theta.beta2) * (theta.alpha + theta.beta2) - theta.beta1 * theta.beta1;
      note(Math.abs(balance[i]! - own) / squares, table.step[i]!);
      if (i + 1 === table.length || table.step[i + 1]! !== table.step[i]! + 1) continue;
      pairs++;
      const slope = gradient(theta, moments);
      const before = theta.beta1 - eta * slope.beta1;
      const put =
        moments.covariance === 0 ? projectionChange(before, floor) : moved1(before, i + 1);
      const change = balanceChange(theta, moments, eta) + put;
      const moved = eta * eta * squared(slope);
      note(
        Math.abs(balance[i + 1]! - balance[i]! - change) / (squares + moved),
        table.step[i + 1]!,
      );
    }
    return {
      verdict: worst <= TOLERANCE ? 'holds' : 'fails',
      measured: worst,
      predicted: 0,
      margin: TOLERANCE - worst,
      text: {
        measured: `${digits(worst)} off at most`,
        predicted: 'exact',
        margin: `${round(TOLERANCE)} allowed for rounding`,
      },
      steps: [worstStep - 1, worstStep],
      note:
        `worst at step ${count(worstStep)}; ${plural(pairs, 'change')} of ` +
        `${count(table.length - 1)} checked`,
      details: { worst_step: worstStep, changes_checked: pairs },
    };
  },
};

const squared = ({ alpha, beta1, beta2 }: Theta) => alpha * alpha + beta1 * beta1 + beta2 * beta2;
