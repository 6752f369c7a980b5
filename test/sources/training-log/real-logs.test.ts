import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith, part } from '../../setup/parts.ts';
import { detectLog } from './read-log.ts';

describeWith(['logs'], 'logs of real networks, with no option at all', () => {
  const detect = (name: string) =>
    detectLog(readFileSync(join(part('logs'), `${name}.json`), 'utf8'));

  test('a deep linear network that never reaches the edge', async () => {
    const { summary } = await detect('deeplinear_no_eos');
    expect(summary.outcome).toBe('gradient-flow');
    expect(summary.first_crossing).toBeNull();
    expect(summary.max_sharpness_ratio).toBeCloseTo(0.885, 3);
    expect(summary.phases.map(({ phase }) => phase)).toEqual([
      'progressive-sharpening',
      'convergence',
    ]);
  });

  test('a deep linear network that reaches it at step 142', async () => {
    const { summary, phases } = await detect('deeplinear_eos');
    expect(summary.first_crossing).toBe(142);
    expect(summary.phases.map(({ phase }) => phase)).toEqual([
      'progressive-sharpening',
      'edge-of-stability',
    ]);
    expect(phases.findIndex((phase) => phase.startsWith('eos-'))).toBeLessThanOrEqual(145);
    expect(summary.max_sharpness_ratio).toBeCloseTo(1.549, 3);
  });

  test('a network of one hidden layer that reaches it at sample 1801, every second step, and stays', async () => {
    const { summary, rows } = await detect('chebyshev_depth1_eosv2');
    expect(rows.step!.indexOf(summary.first_crossing!)).toBe(1801);
    expect(summary.first_crossing).toBe(3602);
    expect(summary.phases.map(({ phase }) => phase)).toEqual([
      'progressive-sharpening',
      'edge-of-stability',
    ]);
    expect(summary.outcome).toBe('edge-of-stability');
    expect(summary.spike_count).toBeGreaterThan(20);
  });

  test('a catapult that comes down, sharpens again and stays near the edge', async () => {
    const { summary } = await detect('catapult_phase');
    expect(summary.phases.map(({ phase }) => phase)).toEqual([
      'catapult',
      'progressive-sharpening',
      'edge-of-stability',
    ]);
    expect(summary.phases[1]!.first_step).toBeLessThanOrEqual(6);
    expect(Math.abs(summary.phases[2]!.first_step - 154)).toBeLessThanOrEqual(3);
    expect(summary.outcome).toBe('edge-of-stability');
  });
});
