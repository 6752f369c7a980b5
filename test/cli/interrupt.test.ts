import { expect, test } from 'vitest';
import { onInterrupt } from '../../src/cli/interrupt.ts';
import { withDash } from '../../src/cli/with-dash.ts';
import { temporaryFolder } from '../setup/eos.ts';

const interruptThisProcess = () => process.emit('SIGINT', 'SIGINT');

test('a signal that came to a listener that stands is known to one that begins later', async () => {
  const outer = onInterrupt(() => {});
  interruptThisProcess();
  const inner = onInterrupt(() => {});
  expect([inner.signal.aborted, inner.exitCode()]).toEqual([true, 130]);
  await inner.stopped;
  inner.release();
  outer.release();
});

test('and forgotten with the last of them', () => {
  const first = onInterrupt(() => {});
  const second = onInterrupt(() => {});
  interruptThisProcess();
  first.release();
  second.release();
  const next = onInterrupt(() => {});
  expect([next.signal.aborted, next.exitCode()]).toEqual([false, undefined]);
  next.release();
});

test('Ctrl-C between the end of a run and the dashboard that stays ends that', async () => {
  const file = `${temporaryFolder()}/run.parquet`;
  const code = await withDash({ file, quiet: true }, async () => {
    interruptThisProcess();
    return 0;
  });
  expect(code).toBe(0);
});
