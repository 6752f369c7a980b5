import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeWith, part, root } from '../../setup/parts.ts';
import { detectLog } from './read-log.ts';

const sample = readFileSync(join(root, 'examples/network.csv'), 'utf8');

test('the sample log sharpens to the threshold at step 640, and stays, with spikes', async () => {
  const { summary } = await detectLog(sample, { eta: '0.6' });
  expect(summary.phases.map(({ phase }) => phase)).toEqual([
    'progressive-sharpening',
    'edge-of-stability',
  ]);
  expect(summary.first_crossing).toBe(640);
  expect(summary.outcome).toBe('edge-of-stability');
  expect(summary.max_sharpness_ratio).toBeCloseTo(1.525, 3);
  expect(summary.spike_count).toBe(5);
});

describeWith(['python'], 'the program that made the sample log', () => {
  test('prints it again, up to the rounding of another machine', async () => {
    const program = join(root, 'examples/train.py');
    const { stdout } = await promisify(execFile)(part('python'), [program, '--steps', '500']);
    const numbers = (text: string) =>
      text
        .split('\n', 502)
        .slice(1)
        .flatMap((line) => line.split(',').map(Number));
    const [made, kept] = [numbers(stdout), numbers(sample)];
    expect(made.length).toBe(1503);
    for (const [i, value] of made.entries())
      expect(Math.abs(value / kept[i]! - 1) || 0).toBeLessThan(1e-3);
  });
});
