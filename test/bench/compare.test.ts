import { expect, test } from 'vitest';
import { assertSame } from '../../bench/compare.ts';
import { median, reportWork } from '../../bench/report.ts';
import { works } from '../../bench/works.ts';

const ours = { '0.alpha': 0.3, '0.l2': 4e-30, '0.loss': 2, '10.alpha': 0.4 };

test('numbers that agree to 1e-9 pass, and steps that only one side has are left out', () => {
  const theirs = { '0.alpha': 0.3 * (1 + 5e-10), '0.l2': 9e-30, '0.loss': 2, '20.alpha': 7 };
  expect(() => assertSame('W1, C', theirs, ours)).not.toThrow();
});

test.each([
  ['another number', { ...ours, '0.loss': 2.00001 }, '0.loss is 2.00001 against 2'],
  ['a missing column', { '0.alpha': 0.3, '0.l2': 4e-30 }, '0.loss is NaN against 2'],
  ['NaN', { ...ours, '0.loss': Number.NaN }, '0.loss is NaN against 2'],
  ['a residual that does not cancel', { ...ours, '0.l2': 1e-20 }, '0.l2 is 1e-20'],
  ['nothing in common', { '5.alpha': 1 }, 'nothing to compare'],
])('%s is told', (_, theirs, message) => {
  expect(() => assertSame('W1, C', theirs, ours)).toThrow(message);
});

test('a report holds medians, ratios round by round, and whether goals are met', () => {
  const work = works(false).find(({ name }) => name === 'W1')!;
  const contender = (name: string) => work.contenders.find((each) => each.name === name)!;
  const times = (...walls: number[]) => walls.map((wall) => ({ wall, processor: wall / 2 }));
  const samples = [
    { contender: contender('eos kernel'), times: times(2, 4, 3) },
    { contender: contender('eos pipeline'), times: times(2, 4, 3) },
    { contender: contender('C'), times: [...times(1, 1), { wall: 1.8, processor: 1.2 }] },
  ];
  const { contenders, goals } = reportWork(work, samples, []);
  expect(contenders.map((c) => [c.median, c.timesOurs, c.processorTimesOurs])).toEqual([
    [3, 1, 1],
    [3, 1, 1],
    [1, 0.5, 0.5],
  ]);
  expect(goals).toEqual([
    { text: 'eos pipeline at least 0.75 × C, wall time', value: 0.5, met: false },
    { text: 'eos pipeline at least 0.75 × C, processor time', value: 0.5, met: false },
  ]);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
