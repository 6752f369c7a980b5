import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LEVEL_ROWS } from '../../../src/pipeline/phases/measured/constants.ts';
import { createLossHeights } from '../../../src/pipeline/phases/measured/loss-heights.ts';
import { createNoiseScale } from '../../../src/pipeline/phases/measured/noise-scale.ts';
import { createRunningMedian } from '../../../src/pipeline/phases/measured/running-median.ts';

/** Stretches that fall, rest, or go to and fro. */
const stretch = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom('falls', 'rests', 'any'));

test('median and noise are those of the heights, whichever rows ask for them', () => {
  fc.assert(
    fc.property(
      fc.array(stretch, { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 999 })),
      fc.infiniteStream(fc.constantFrom('median', 'median', 'median', 'scale', 'state', '')),
      fc.boolean(),
      (stretches, draws, asked, rarely) => {
        let heights = createLossHeights();
        const noise = createNoiseScale(0);
        const recent = createRunningMedian(LEVEL_ROWS);
        let height = 0;
        for (const [length, kind] of stretches)
          for (let i = 0; i < length; i++) {
            const draw = draws.next().value! / 1000;
            if (kind !== 'rests') height += kind === 'falls' ? -draw / 20 : draw - 0.5;
            heights.push(height);
            recent.next(height);
            const scale = noise.next(height);
            const what = rarely && i % 40 > 2 ? '' : asked.next().value!;
            if (what === 'median') expect(heights.median()).toBe(recent.median());
            if (what === 'scale') expect(heights.scale()).toBe(scale);
            if (what !== 'state') continue;
            const state = heights.state();
            expect(state).toEqual({ noise: noise.state(), recent: recent.values() });
            if (draw < 0.5) heights = createLossHeights(structuredClone(state));
          }
      },
    ),
    { numRuns: 150 },
  );
});
