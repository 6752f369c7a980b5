import { count, plural } from '../../format.ts';
import { blockSharpness } from '../../models/minimal/theory.ts';
import { type Check, doesNotApply, notReached } from '../check.ts';
import { headsForSaddle } from '../evidence.ts';
import { firstCrossing } from '../run-table.ts';

/** The oscillation no longer matters once it takes less than this part of what pushes α up. */
const NEGLIGIBLE = 0.01;

/** S is λ₁α² once that is so many times the sharpness along the valley: the two no longer mix. */
const LEADS = 2;

/**
 * S rises strictly from the end of the initial transient to the first crossing of 2/η. The
 * transient may last while the start's own oscillation still weighs against the push on α, or while
 * α is not pushed up (αβ₂ outside (0, 1)): α·∂α = 2L₁ − λ₂αβ₂(1 − αβ₂); and while S is not λ₁α²
 * yet, but that of the block of λ₂, which falls on the way past the saddle α = β₂ = 0. Where the
 * transient lasts to the crossing, the statement says nothing of the run.
 */
export const progressiveSharpening: Check = {
  name: 'progressive-sharpening',
  statement: 'after the initial transient, S rises strictly to its first crossing of 2/η',
  needs: ['sharpness', 'gfs_sharpness', 'alpha', 'beta1', 'beta2'],
  descent: true,
  separated: true,
  run(table) {
    const { eta, moments } = table.config;
    const threshold = table.stability.threshold(eta);
    const sharpness = table.column('sharpness');
    if (sharpness[0]! >= threshold) return doesNotApply('the run starts at or over 2/η');
    const crossing = firstCrossing(table);
    if (crossing < 0) {
      if (headsForSaddle(table))
        return doesNotApply('the run heads for the saddle α = β₂ = 0, and S never comes to 2/η');
      return table.column('gfs_sharpness')[table.length - 1]! > threshold
        ? notReached('S has not come to 2/η')
        : doesNotApply('S never comes to 2/η, and the minimum ahead lies below it');
    }
    // For covariance ≠ 0 the push is that only to first order, so that where it is near 0 its sign
    // says nothing.
    const least = moments.covariance === 0 ? 0 : NEGLIGIBLE * moments.lambda2;
    const alpha = table.column('alpha');
    const beta1 = table.column('beta1');
    const beta2 = table.column('beta2');
    let allowed = 0;
    while (allowed < crossing && !settled(allowed)) allowed++;
    if (allowed === crossing)
      return doesNotApply('the run comes to 2/η before the transient of its start is over');
    let transient = crossing;
    while (transient > 0 && sharpness[transient]! > sharpness[transient - 1]!) transient--;

    const steps = table.step[transient]!;
    const limit = table.step[allowed]!;
    return {
      verdict: transient <= allowed ? 'holds' : 'fails',
      measured: steps,
      predicted: limit,
      margin: limit - steps,
      steps: [steps, table.step[crossing]!],
      text: {
        measured: `strictly from step ${count(steps)} to ${count(table.step[crossing]!)}`,
        predicted: `from step ${limit} at the latest`,
        margin: plural(limit - steps, 'step'),
      },
      note: `the transient takes ${plural(steps, 'step')}`,
      details: { transient: steps, allowed: limit, first_crossing: table.step[crossing] },
    };

    function settled(i: number): boolean {
      const x = alpha[i]! * beta2[i]!;
      const leads =
        moments.lambda1 * (alpha[i]! * alpha[i]!) >=
        LEADS * blockSharpness(alpha[i]!, beta2[i]!, moments.lambda2);
      const push = moments.lambda2 * x * (1 - x);
      // For covariance ≠ 0 the resting place of αβ₁ is not 0.
      const p = alpha[i]! * beta1[i]! + (moments.covariance * (x - 1)) / moments.lambda1;
      return leads && push > least && moments.lambda1 * p * p <= NEGLIGIBLE * push;
    }
  },
};
