import { plural } from '../../format.ts';
import { spectrum } from '../../models/minimal/moments.ts';
import { balanceChange, solutionRiseBound } from '../../models/minimal/theory.ts';
import { type Check, digits, percent } from '../check.ts';
import { inValley, notSeparated } from '../premise.ts';
import { type RunTable, wholeCycles } from '../run-table.ts';

/**
 * S∞ is what self-stabilization eats: each spike lowers it, and in between it creeps at second
 * order in η only. The bound of a step is proven whatever the moments are; that a cycle lowers S∞
 * is for λ₁ ≫ λ₂ and in the valley (see premise.ts).
 */
export const solutionSharpness: Check = {
  name: 'flow-solution-sharpness',
  statement:
    'S∞ falls from each crossing of 2/η to the next, and in no step rises by more than Λ·g′(Q ' +
    '+ q₊)·q₊ + λ₂·(−ΔQ)₊',
  needs: ['alpha', 'beta1', 'beta2', 'gfs_sharpness', 'balance'],
  descent: true,
  everyStep: true,
  run(table) {
    const end = table.column('gfs_sharpness');
    const { largest, step, over, worst } = creep(table);
    const problem = notSeparated(table.config.moments);
    const whole = table.has('sharpness') && !problem ? wholeCycles(table) : [];
    const cycles = whole.filter(([from]) => inValley(table, from));
    const rising = cycles
      .filter(([from, to]) => !(end[to]! < end[from]!))
      .map(([from]) => table.step[from]!);
    const fallText =
      cycles.length === 0
        ? ''
        : `, falls over ${cycles.length - rising.length} of ${cycles.length} cycles`;
    const outside = whole.length - cycles.length;
    const notes = [
      ...(outside > 0 ? [`${plural(outside, 'cycle')} outside the valley left out`] : []),
      ...(problem ? [`only the bound is checked: that S∞ falls over a cycle, ${problem}`] : []),
      ...(over.length > 0
        ? [`over its bound in ${plural(over.length, 'step')}, first at step ${over[0]}`]
        : []),
      ...(rising.length > 0 ? [`does not fall over the cycle from step ${rising[0]}`] : []),
    ];
    const decides = over[0] ?? rising[0] ?? step;
    return {
      verdict: over.length === 0 && rising.length === 0 ? 'holds' : 'fails',
      measured: largest,
      steps: [Math.max(0, decides - 1), decides],
      predicted: worst,
      margin: 1 - (worst === 0 ? 0 : largest / worst),
      text: {
        measured: `rises by ${digits(largest)} at most${fallText}`,
        predicted: `no more than ${digits(worst)} there`,
        margin: worst === 0 ? '' : `${percent(1 - largest / worst)} of the bound is left`,
      },
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
      details: {
        largest_rise_at: step,
        steps_over_bound: over.slice(0, 20),
        cycles_not_falling: rising.slice(0, 20),
      },
    };
  },
};

/** The step in which S∞ takes the largest part of what its bound allows, and all steps over it. */
function creep(table: RunTable): { largest: number; worst: number; step: number; over: number[] } {
  const { eta, moments } = table.config;
  const axes = spectrum(moments);
  const [alpha, beta1, beta2] = [
    table.column('alpha'),
    table.column('beta1'),
    table.column('beta2'),
  ];
  const end = table.column('gfs_sharpness');
  const balance = table.column('balance');
  const over: number[] = [];
  let most = Number.NEGATIVE_INFINITY;
  let found = { largest: 0, worst: 0, step: 0 };
  for (let i = 0; i + 1 < table.length; i++) {
    const theta = { alpha: alpha[i]!, beta1: beta1[i]!, beta2: beta2[i]! };
    // For covariance ≠ 0 the projection may raise the balance too: the whole change counts.
    const q =
      moments.covariance === 0
        ? balanceChange(theta, moments, eta)
        : Math.max(balanceChange(theta, moments, eta), balance[i + 1]! - balance[i]!);
    const bound = solutionRiseBound(balance[i]!, balance[i + 1]!, q, moments, axes, end[i]!);
    const rise = end[i + 1]! - end[i]!;
    if (!(rise <= bound)) over.push(table.step[i + 1]!);
    // Rises within rounding say nothing.
    if (rise > 1e-12 * end[i]! && rise / bound > most) {
      most = rise / bound;
      found = { largest: rise, worst: bound, step: table.step[i + 1]! };
    }
  }
  return { ...found, over };
}
