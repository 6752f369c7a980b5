import { expect, test } from 'vitest';
import { runFacts } from '../../src/dash/runs/facts.ts';
import { KEY_FIGURES } from '../../src/dash/runs/key-figures.ts';

const facts = (config: object) => runFacts({ 'eos.config': JSON.stringify(config) });

test('the threshold of a log is its own factor over η, else that of the optimizer', () => {
  expect(facts({ eta: 0.1, threshold_factor: 38 }).threshold).toBeCloseTo(380, 10);
  expect(facts({ eta: 0.1 }).threshold).toBeCloseTo(20, 10);
  expect(facts({ eta: 0.1, optimizer: 'momentum', momentum: 0.9 }).threshold).toBeCloseTo(38, 10);
  expect(facts({}).threshold).toBeUndefined();
});

test('a run is running, with its pace and time left, or stalled after ten seconds', () => {
  const outcome = KEY_FIGURES.find(({ key }) => key === 'outcome')!;
  type Known = Parameters<typeof outcome.read>[0];
  type Live = Parameters<typeof outcome.read>[1];
  const figure = (silent: number, rate?: number) =>
    outcome.read(
      {
        facts: { ...facts({ eta: 0.1 }), steps: 5000 },
        info: { lastStep: 1000 },
        writing: true,
        pace: { grownAt: Date.now() - silent, rate },
      } as unknown as Known,
      {} as Live,
    );
  expect(figure(0, 200)).toEqual({
    text: 'running',
    small: '1,000 of 5,000 steps, 200 steps/s, 20 s left',
  });
  expect(figure(15_000, 200)).toMatchObject({ text: 'stalled' });
  expect(figure(9000)).toMatchObject({ text: 'running' });
});

test('a run that came to the edge without crossing it has no first crossing', () => {
  const cycles = KEY_FIGURES.find(({ key }) => key === 'cycles')!;
  const figure = (summary: object) =>
    cycles.read(
      {
        facts: runFacts({ 'eos.summary': JSON.stringify({ cycles: 3, ...summary }) }),
        phases: [{ word: 'edge-of-stability', first: 960, last: 1499 }],
      } as unknown as Parameters<typeof cycles.read>[0],
      {},
    );
  expect(figure({ first_crossing: null })).toEqual({ text: '3', exact: 3 });
  expect(figure({ first_crossing: 970 })).toMatchObject({ small: 'first crossing at 970' });
  // A summary of an older file does not tell.
  expect(figure({})).toMatchObject({ small: 'first crossing at 960' });
});
