import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogOptions } from '../../../src/pipeline/sources/training-log/training-log.ts';
import { root } from '../../setup/parts.ts';
import { detectLog } from './read-log.ts';

const ETA = 0.01;
const steps = Array.from({ length: 60 }, (_, t) => t);

const logOf = (threshold: (t: number) => unknown, name = 'threshold') =>
  steps
    .map((t) =>
      JSON.stringify({
        ...{ step: t, loss: Math.exp(-t / 20), lr: ETA, sharpness: 50 + t },
        [name]: threshold(t),
      }),
    )
    .join('\n');

async function said(
  log: string,
  options: Omit<LogOptions, 'eta'> = {},
): Promise<readonly string[]> {
  const { summary } = await detectLog(log, options);
  expect(summary.skipped).toEqual([]);
  return summary.warnings.map(({ message }) => message);
}

test('a threshold of the log that is another one than is compared with is told', async () => {
  const momentum = logOf(() => 3.8 / ETA);
  expect(await said(momentum)).toEqual([
    'threshold is 380 at step 0, and 2/η is 200: the sharpness is compared with 2/η; say by ' +
      '--optimizer, --momentum or --threshold what the log means',
  ]);
  expect(await said(momentum, { optimizer: 'momentum', beta: 0.9 })).toEqual([]);
  expect(await said(momentum, { expression: '3.8/eta' })).toEqual([]);
  expect(await said(logOf(() => 3.8 / ETA, 'train/stability_threshold'))).toHaveLength(1);
});

test('the flags that it names are those of eos detect', async () => {
  const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
  const [message] = await said(logOf(() => 3.8 / ETA));
  const named = message!.match(/--[a-z-]+/g)!;
  expect(named).toHaveLength(3);
  for (const flag of named) expect(manifest.commands.detect.flags).toHaveProperty(flag.slice(2));
});

test('one that is rounded, or off in a few rows, or no number at all, is not', async () => {
  expect(await said(logOf(() => 199))).toEqual([]);
  expect(await said(logOf((t) => (t % 3 === 0 ? 100 : 2 / ETA)))).toEqual([]);
  for (const none of [null, 'NaN', '2/eta', 'Infinity'])
    expect(await said(logOf(() => none))).toEqual([]);
});

test('lines that tell nothing but a threshold are passed over', async () => {
  const log = steps.flatMap((t) => [
    `threshold: ${3.8 / ETA}`,
    `step ${t} loss ${Math.exp(-t / 20)} sharpness ${50 + t} lr ${ETA}`,
  ]);
  expect(await said(log.join('\n'))).toEqual([]);
});
