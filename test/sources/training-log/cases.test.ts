import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SeriesPhase } from '../../../src/pipeline/phases/measured/phase-spans.ts';
import { detectLog } from './read-log.ts';

type Options = NonNullable<Parameters<typeof detectLog>[1]>;

const read = (name: string) => readFileSync(join(import.meta.dirname, 'cases', name), 'utf8');
const detect = (name: string, options: Options = {}) => detectLog(read(name), options);

/** Logs with an edge: options, the steps between which it is dated, and the phases besides it. */
const EDGES: [
  name: string,
  options: Options,
  from: number,
  to: number,
  also?: readonly SeriesPhase[],
][] = [
  ['01-kink-outliers.csv', { eta: 0.3 }, 480, 540],
  ['02-nan-is-missing.csv', { eta: 0.3 }, 270, 330],
  ['05-lightning-metrics.csv', {}, 110, 150],
  ['08-lr-drop.csv', {}, 150, 190, ['catapult']],
  ['10-sgd-hovering.csv', { eta: 0.4 }, 190, 260, ['catapult']],
  ['11-sharpness-7-percent-low.csv', { eta: 0.004, optimizer: 'adam' }, 1700, 1950],
  ['13-loss-with-3-decimals.csv', { eta: 0.004, optimizer: 'adam' }, 1750, 1850],
  ['14-out-of-order.csv', { eta: 0.3 }, 270, 320],
  ['15-epoch-batch.csv', {}, 85, 110],
  ['17-savetxt.csv', { eta: 0.3 }, 270, 320],
  [
    '18-eoss-results.txt',
    { eta: 0.3, columns: { step: '2', loss: '4', sharpness: '5' } },
    270,
    320,
  ],
  ['23-key-value.txt', {}, 270, 320],
  ['26-keyed-by-step.json', { eta: 0.3 }, 270, 320],
  ['28-list-in-a-cell.csv', { eta: 0.3 }, 270, 320],
  ['31-left-the-edge-sparse.csv', { eta: 0.35 }, 60, 100, ['convergence']],
];

test.each(EDGES)('%s: the edge is dated right', async (name, options, from, to, also = []) => {
  const { summary } = await detect(name, options);
  const expected = new Set<SeriesPhase>(['progressive-sharpening', 'edge-of-stability', ...also]);
  for (const { phase } of summary.phases) expect(expected).toContain(phase);
  expect(summary.first_crossing).toBeGreaterThanOrEqual(from);
  expect(summary.first_crossing).toBeLessThanOrEqual(to);
  expect(summary.diverged_at).toBeNull();
});

test('a learning rate that drops ends the edge, and is told', async () => {
  const { summary, events } = await detect('08-lr-drop.csv');
  const edge = summary.phases.find(({ phase }) => phase === 'edge-of-stability')!;
  expect(edge.last_step).toBeGreaterThanOrEqual(795);
  expect(edge.last_step).toBeLessThanOrEqual(805);
  expect(events.some(({ event }) => event === 'jump')).toBe(true);
});

test('a sparse log leaves the edge again', async () => {
  const { summary } = await detect('31-left-the-edge-sparse.csv', { eta: 0.35 });
  expect(summary.outcome).toBe('converged');
  const edge = summary.phases.find(({ phase }) => phase === 'edge-of-stability')!;
  expect(Math.abs(edge.last_step - 190)).toBeLessThanOrEqual(30);
});

test('a sharpness that is measured low is told', async () => {
  const { summary } = await detect('11-sharpness-7-percent-low.csv', {
    eta: 0.004,
    optimizer: 'adam',
  });
  const warning = summary.warnings.find(({ kind }) => kind === 'effective-threshold');
  expect(warning?.message).toContain('too low');
  expect(summary.effective_threshold).toBeGreaterThan(0.88);
  expect(summary.effective_threshold).toBeLessThan(0.95);
});

test('over the threshold only at the start: a catapult, and never the edge', async () => {
  const { summary } = await detect('09-over-only-at-the-start.csv', { eta: 0.13 });
  expect(summary.phases.map(({ phase }) => phase)).toEqual(['catapult', 'progressive-sharpening']);
  expect(summary.outcome).toBe('gradient-flow');
  expect(summary.first_crossing).toBeNull();
});

test.each([
  ['07-noise-is-no-edge.csv', 1000, 0],
  ['12-adam-rings.csv', 630, 3],
  ['21-nanogpt.txt', 60, 0],
  ['22-llmc-main.log', 200, 0],
])('%s: a loss alone says nothing of the edge', async (name, rows, spikes) => {
  const { summary } = await detect(name);
  expect(summary.outcome).toBe('unknown');
  expect(summary.first_crossing).toBeNull();
  expect(summary.rows).toBe(rows);
  expect(summary.spike_count).toBe(spikes);
});

test('a loss that is a logarithm has no spikes to find, and it is said', async () => {
  const { summary } = await detect('34-log-of-the-loss.csv', { eta: 0.8 });
  expect(summary.warnings.map(({ kind }) => kind)).toContain('signed-loss');
});

/** Every n-th row of a log, from some row on. */
function sampled(name: string, every: number, from: number): string {
  const [header, ...rows] = read(name).trim().split('\n');
  return [header, ...rows.filter((_, i) => i % every === from)].join('\n');
}

// In every second row there is a sharpness.
const WAYS = [1, 2, 3, 4, 5, 6, 8, 10].flatMap((every) =>
  [0, 1, 2, 4]
    .filter((from) => from < every && (every % 2 || from % 2 === 0))
    .map((from) => [every, from]),
);

test.each(WAYS)('of a run every %d-th row, from %d on, gives one answer', async (every, from) => {
  const { summary, events } = await detectLog(sampled('08-lr-drop.csv', every!, from!));
  expect(Math.abs(summary.first_crossing! - 170)).toBeLessThanOrEqual(0.03 * 2000);
  const edge = summary.phases.find(({ phase }) => phase === 'edge-of-stability')!;
  expect(Math.abs(edge.last_step - 800)).toBeLessThanOrEqual(0.03 * 2000);
  expect(summary.phases.map(({ phase }) => phase)).not.toContain('convergence');
  expect(events.some(({ event }) => event === 'jump')).toBe(true);
  // What was told of phases comes to what the summary says.
  const told = new Set<string>();
  for (const event of events)
    if (event.event === 'phase') told[event.what === 'withdrawn' ? 'delete' : 'add'](event.phase);
  for (const { phase } of summary.phases) expect(told).toContain(phase);
});

test.each([
  [1, 0],
  [2, 1],
  [3, 0],
  [3, 1],
  [5, 0],
  [5, 2],
  [7, 1],
])('an edge that batches make, every %d-th row from %d on, is dated alike', async (every, from) => {
  const { summary } = await detectLog(sampled('10-sgd-hovering.csv', every, from), { eta: 0.4 });
  // Between 190 and 260, to 3 % of the run.
  expect(summary.first_crossing).toBeGreaterThanOrEqual(190 - 75);
  expect(summary.first_crossing).toBeLessThanOrEqual(260 + 75);
});
