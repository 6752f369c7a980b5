import { expect, test } from 'vitest';
import { detectLog } from './read-log.ts';

const two = 'step,loss\n0,10\n1,9\n2,8\n0,5\n1,4\n2,3\n3,2\n';

test('one of several runs can be chosen', async () => {
  const first = await detectLog(two, { run: 1 });
  expect(first.rows).toMatchObject({ step: [0, 1, 2], loss: [10, 9, 8] });
  const second = await detectLog(two, { run: 2 });
  expect(second.rows).toMatchObject({ step: [0, 1, 2, 3], loss: [5, 4, 3, 2] });
  expect(second.summary.skipped).toEqual([
    { what: 'line', reason: 'row of another run', count: 3, first_line: 2 },
  ]);
});

test('where a log is followed, a second run ends it', async () => {
  const { rows, summary } = await detectLog(two, { secondRun: 'end' });
  expect(rows.step).toEqual([0, 1, 2]);
  expect(summary.warnings.map(({ kind }) => kind)).toEqual(['second-run', 'loss-only', 'skipped']);
});

test('steps that stray back are left out, and no second run', async () => {
  const { rows, summary } = await detectLog(
    'step,loss\n5,1\n6,1\n5,1\n7,1\n3,1\n8,1\n6,1\n9,1\n1,1\n',
  );
  expect(rows.step).toEqual([5, 6, 7, 8, 9]);
  expect(summary.skipped).toEqual([
    { what: 'line', reason: 'step comes after a later one', count: 4, first_line: 4 },
  ]);
});

test('a run that went on from a checkpoint keeps its first values', async () => {
  const { rows, summary } = await detectLog(
    'step,loss\n0,9\n1,8\n2,7\n3,6\n1,88\n2,77\n3,66\n4,5\n',
  );
  expect(rows).toMatchObject({ step: [0, 1, 2, 3, 4], loss: [9, 8, 7, 6, 5] });
  expect(summary.skipped[0]).toMatchObject({ count: 2, first_line: 6 });
});

test('lines of one step that complement each other are one row', async () => {
  const text =
    '{"step":0,"loss":1}\n{"step":0,"sharpness":5}\n{"step":1,"sharpness":6}\n{"step":1,"loss":2}\n{"step":2,"loss":3}\n';
  const { rows, summary } = await detectLog(text, { eta: 0.1 });
  expect(rows).toMatchObject({ step: [0, 1, 2], loss: [1, 2, 3], sharpness: [5, 6, Number.NaN] });
  expect(summary.skipped).toEqual([]);
});

test('the same rows come out in however many chunks they come in', async () => {
  const lines = Array.from(
    { length: 500 },
    (_, i) => `{"step":${i >> 1},${i % 2 ? '"loss"' : '"sharpness"'}:${i}}\n`,
  );
  const bytes = new TextEncoder().encode(lines.join(''));
  const whole = await detectLog([bytes], { eta: 0.001 });
  for (const size of [7, 64, 1000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const { rows, summary } = await detectLog(chunks, { eta: 0.001 });
    expect(rows).toEqual(whole.rows);
    expect(summary).toEqual(whole.summary);
  }
});

test('a row that does not say its step, where others do, is left out and counted', async () => {
  const text =
    '{"step":0,"loss":3}\n{"loss":0.4}\n{"step":1,"loss":2}\n{"step":null,"loss":0.1}\n{"step":2,"loss":1}\n';
  const { rows, summary } = await detectLog(text, { eta: 0.1 });
  expect(rows).toMatchObject({ step: [0, 1, 2], loss: [3, 2, 1] });
  expect(summary.skipped).toEqual([
    { what: 'line', reason: 'step is missing', count: 2, first_line: 2 },
  ]);
});

test('a rate that cannot be is counted, a missing one is that before, 0 is a warm-up', async () => {
  const text =
    'step,loss,sharpness,lr\n0,1,5,0\n1,1,5,0.1\n2,1,5,\n3,1,5,-0.2\n4,1,5,nan\n5,1,5,0.2\n6,1,5,inf\n';
  const { rows, summary } = await detectLog(text, {});
  expect(rows.eta).toEqual([0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2]);
  expect(rows.threshold).toEqual([Number.POSITIVE_INFINITY, 20, 20, 20, 20, 10, 10]);
  expect(rows.sharpness_ratio).toEqual([0, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5]);
  expect(summary.skipped).toEqual([
    { what: 'value', reason: 'learning rate is not a number from 0 up', count: 3, first_line: 5 },
  ]);
});

test('steps that start over in each epoch go on; with the epoch, a second run begins', async () => {
  const epochs = [0, 0, 0, 1, 1, 1, 2, 2, 2];
  const text = (list: readonly number[]) =>
    `epoch,iter,loss\n${list.map((epoch, i) => `${epoch},${(i % 3) * 5},${9 - i / 3}`).join('\n')}\n`;
  const { rows, summary } = await detectLog(text(epochs));
  expect(rows.step).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40]);
  expect(summary.skipped).toEqual([
    {
      what: 'row',
      reason: 'begin an epoch in which the steps start over: they were counted on',
      count: 2,
      first_line: 5,
    },
  ]);
  await expect(detectLog(text([...epochs, 0, 0, 0]))).rejects.toThrow('a second run begins here');
});

test('an epoch that many rows share numbers them', async () => {
  const { rows } = await detectLog('epoch,loss\n1,9\n1,8\n1,7\n2,6\n2,5\n');
  expect(rows.step).toEqual([0, 1, 2, 3, 4]);
  const one = await detectLog('epoch,loss\n1,9\n2,8\n3,7\n');
  expect(one.rows.step).toEqual([1, 2, 3]);
});

test('rows out of order are no epochs', async () => {
  const { rows } = await detectLog('epoch,step,loss\n0,0,9\n0,1,8\n1,3,6\n0,2,7\n1,4,5\n');
  expect(rows.step).toEqual([0, 1, 2, 3, 4]);
});
