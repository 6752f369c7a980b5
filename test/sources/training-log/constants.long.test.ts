import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import * as constants from '../../../src/pipeline/phases/measured/constants.ts';
import { root } from '../../setup/parts.ts';
import { STATEMENTS } from './statements.ts';

type Name = keyof typeof constants;
type Noticed = readonly [value: number, statement: string];

/** Each constant with a smaller and a larger value, and a statement that is then false. */
const CHANGES: Readonly<Record<Name, readonly [smaller: Noticed, larger: Noticed]>> = {
  NOISE_WINDOW: [
    [33, 'the noise scale is right to a fifth'],
    [129, 'the noise scale follows a change within 50 samples'],
  ],
  CAPACITY: [
    [3 ** 6, 'the history resolves a seven-hundredth of the run'],
    [3 ** 8, 'the history holds 2187 blocks at most'],
  ],
  LEAST_BLOCKS: [
    [8, 'eighteen are too few'],
    [32, 'thirty rows that come to rest at the threshold are at the edge'],
  ],
  TAIL: [
    [1 / 6, 'a level of the last fifth of a run is none'],
    [2 / 3, 'one that is seen one and a half times is none'],
  ],
  LOOK: [
    [1 / 64, 'measurements a fiftieth of the run apart are not interpolated between'],
    [1 / 16, 'those a twentieth apart are'],
  ],
  NOISE: [
    [1.5, 'thirty rows that come to rest at the threshold are at the edge'],
    [6, 'four deviations over the threshold are a cycle'],
  ],
  STILL: [
    [0.0025, 'a sharpness that rises by 0.4 % is flat'],
    [0.01, 'one that rises by 0.7 % is not'],
  ],
  KAPPA: [
    [0.025, 'one that changes by 3 % at once has not'],
    [0.1, 'a threshold that changes by 7 % at once has jumped'],
  ],
  SUDDEN: [
    [2.5, 'after changes of 2 % one of 8 % is none'],
    [10, 'after changes of 1 % one of 8 % is a jump'],
  ],
  LEAST_BIAS: [
    [Math.log(1.015), 'a level of 0.98 with bursts is the threshold'],
    [Math.log(1.06), 'one of 0.955 is another'],
  ],
  MOST_BIAS: [
    [Math.log(1.06), 'a plateau at 0.9 of the threshold with bursts is the edge'],
    [Math.log(1.24), 'one at 0.85 is not'],
  ],
  RISING: [
    [0.1, 'one whose loss rises in one of ten does not'],
    [0.4, 'a training whose loss rises in three of ten steps hovers'],
  ],
  SPENT: [
    [0.005, 'a loss of 0.7 % of the first is that of a training that is over'],
    [0.02, 'one of 1.4 % is not'],
  ],
  BLOWN_UP: [
    [5, 'values that are no longer logged after a rise by 7 have not'],
    [20, 'values that vanish after a rise by 15 have diverged'],
  ],
  LONGER: [
    [1, 'what is missing one and a half times as long as before is not gone'],
    [4, 'what is missing three times as long as before is'],
  ],
  LEAST_FIT: [
    [0.45, 'one with more is none'],
    [0.99, 'a swing with a little noise is one'],
  ],
  LEAST_SWINGS: [
    [0.75, 'one that is seen one and a half times is none'],
    [3, 'a swing that is seen twice is a pendulum'],
  ],
  LEVEL_ROWS: [
    [5, 'four low rows in ten do not make the level'],
    [17, 'a burst on a loss that falls fast is a spike'],
  ],
  SPIKE_RISE: [
    [Math.log(1.05), 'a rise by 8 % is none'],
    [Math.log(1.2), 'a rise of the loss by 15 % is a spike'],
  ],
  SPIKE_NOISE: [
    [3.5, 'noise of 4 % is none in 20,000 rows'],
    [14, 'ten deviations are a spike'],
  ],
  ROUNDING: [
    [1e-16, 'what rounding leaves of zero has no spikes'],
    [1e-10, 'a burst at 1e-11 of the first loss is a spike'],
  ],
  DECIMALS: [
    [7, 'a loss of ten decimals is rounded'],
    [30, 'a loss of all digits is not'],
  ],
  LEAST_SHARE: [
    [0.25, 'energy at the edge that is 0.4 of a rise is not its cause'],
    [1, 'that of 0.7 is'],
  ],
  KICK_SHARE: [
    [0.3, 'a rise half of which comes in a step is an oscillation'],
    [1.2, 'one of which 0.8 comes in a step is a kick'],
  ],
  KICK_MARGIN: [
    [0.6, 'but not at 1.6 times the threshold'],
    [2.4, 'where it takes all of the rise but a hundredth'],
  ],
  AT_EDGE: [
    [0.495, 'what rises at 0.9 of the threshold has another cause'],
    [1.98, 'that of 0.7 is'],
  ],
  STEADY: [
    [0.001, 'energy that grows by 0.25 % of the loss a step is the cause of its rise'],
    [0.03, 'what energy loses in a step without work takes little away'],
  ],
  LEAST_GROWTH: [
    [2, 'of mini-batches a rise in three rows is a kick'],
    [4, 'one in four is an oscillation'],
  ],
  NEAR_EDGE: [
    [0.4, 'a run at 0.6 of the threshold behind a jump is not at the edge'],
    [0.95, 'one at 0.9 is'],
  ],
  DISTURBED: [
    [163, 'a spike 250 rows behind the first, while the loss stays up, is the same jump’s'],
    [650, 'one 500 rows behind it is not'],
  ],
  RESTING: [
    [0.45, 'a verdict from a plateau has the confidence of the table'],
    [0.99, 'a verdict from a plateau has the confidence of the table'],
  ],
  HOVERING: [
    [0.425, 'one that batches make as well'],
    [0.99, 'one that batches make as well'],
  ],
};

afterEach(() => {
  vi.doUnmock('../../../src/pipeline/phases/measured/constants.ts');
  vi.resetModules();
});

test.each(Object.keys(STATEMENTS))('%s', (statement) => {
  expect(STATEMENTS[statement]!()).toBe(true);
});

const changes = Object.entries(CHANGES).flatMap(([name, both]) =>
  both.map(([value, statement]) => [name as Name, value, statement] as const),
);

test.each(changes)('%s of %d is noticed: not “%s”', async (name, value, statement) => {
  vi.resetModules();
  vi.doMock('../../../src/pipeline/phases/measured/constants.ts', () => ({
    ...constants,
    [name]: value,
  }));
  const changed = await import('./statements.ts');
  expect(changed.STATEMENTS[statement]!()).toBe(false);
});

test('the detector decides by 32 numbers, which stand in one file', () => {
  expect(Object.keys(constants).toSorted()).toEqual(Object.keys(CHANGES).toSorted());
  expect(Object.keys(CHANGES)).toHaveLength(32);
  const folder = join(root, 'src/pipeline/phases/measured');
  const others = readdirSync(folder)
    .filter((file) => file !== 'constants.ts')
    .flatMap((file) =>
      [
        ...readFileSync(join(folder, file), 'utf8').matchAll(
          /^(?:export )?const ([A-Z_]+) = (.*)/gm,
        ),
      ]
        .filter(([, , value]) => /^[\d.(]|Math/.test(value!))
        .map(([, name]) => name),
    );
  // How long a list is, or a page of it, decides nothing; the others are of normal noise.
  expect(others.toSorted()).toEqual([
    'FIELDS',
    'MEDIAN_OF_THREE',
    'MOST_JUMPS',
    'MOST_SPIKES',
    'PAGE',
    'RING',
    'SECOND_DIFFERENCE_TO_DEVIATION',
  ]);
});
