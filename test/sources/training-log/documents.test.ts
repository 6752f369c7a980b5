import { expect, test } from 'vitest';
import { detectLog } from './read-log.ts';

test('an object of lists with the learning rate in params needs no option', async () => {
  const document = JSON.stringify({
    name: 'a run',
    params: { eta: 0.1, hidden: [30, 20] },
    totalSteps: 5,
    loss: [1, 0.9, 0.8, 0.7, 0.6],
    testLoss: [],
    eigenvalues: [
      [1, 2, 10],
      [1, 2, 11],
      [1, 2, 12],
      [1, 2, 13],
      [1, 2, 14],
    ],
  });
  const { rows } = await detectLog(document);
  expect(rows.step).toEqual([0, 1, 2, 3, 4]);
  expect(rows.eta).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
  expect(rows.sharpness).toEqual([10, 11, 12, 13, 14]);
  const halved = await detectLog(document, { eta: 0.05 });
  expect(halved.rows.eta).toEqual([0.05, 0.05, 0.05, 0.05, 0.05]);
});

test('fewer eigenvalues than losses are spread over the same run', async () => {
  const { rows } = await detectLog(
    JSON.stringify({
      params: { lr: 0.1 },
      loss: [6, 5, 4, 3, 2, 1],
      eigenvalues: [[10], [11], [12]],
    }),
  );
  expect(rows.step).toEqual([0, 1, 2, 3, 4, 5]);
  expect(rows.sharpness).toEqual([10, Number.NaN, 11, Number.NaN, 12, Number.NaN]);
});

test('lists that were thinned as they were recorded count their true steps', async () => {
  const { rows } = await detectLog(
    JSON.stringify({
      params: { eta: 0.1 },
      totalSteps: 9,
      loss: [5, 4, 3, 2, 1],
      eigenvalues: [[1], [2], [3], [4], [5]],
    }),
  );
  expect(rows.step).toEqual([0, 2, 4, 6, 8]);
});

test.each([
  ['a list of objects', '[{"step":0,"loss":2,"m":{"s":10}},\n {"step":5,"loss":1,"m":{"s":11}}]'],
  [
    'a list of objects one level down',
    '{"config":{"learning_rate":0.2},"history":[{"step":0,"loss":2,"m":{"s":10}},{"step":5,"loss":1,"m":{"s":11}}]}',
  ],
])('%s', async (_, document) => {
  const { rows } = await detectLog(document, { eta: 0.1, columns: { sharpness: 'm.s' } });
  expect(rows).toMatchObject({ step: [0, 5], loss: [2, 1], sharpness: [10, 11], eta: [0.1, 0.1] });
});

test('lists one level down, pretty-printed, with steps, nulls and words', async () => {
  const document = `{
    "history": {
      "iteration": [0, 10, 20],
      "loss": [1, NaN, 0.5],
      "lambda_max": [[1, 3], null, [-Infinity, 4]]
    }
  }`;
  const { rows, summary } = await detectLog(document, { eta: 0.1 });
  expect(rows).toMatchObject({ step: [0, 10, 20], loss: [1, Number.POSITIVE_INFINITY, 0.5] });
  expect(rows.sharpness).toEqual([3, Number.NaN, Number.NaN]);
  expect(summary.skipped.map(({ reason, first_line }) => [reason, first_line])).toEqual([
    ['loss is not a finite number', 2],
    ['sharpness is not a finite number', 3],
  ]);
});

test('a path picks one of several eigenvalues', async () => {
  const document = JSON.stringify({
    loss: [1, 2, 3],
    eigs: [
      [1, 5],
      [2, 6],
      [3, 7],
    ],
  });
  const { rows } = await detectLog(document, { eta: 0.1, columns: { sharpness: 'eigs[0]' } });
  expect(rows.sharpness).toEqual([1, 2, 3]);
});

test.each([
  ['', 'it is empty'],
  ['  \n\n', 'it is empty'],
  ['[', 'not JSON: '],
  [
    '{"loss": [1, 2',
    'line 1: cut off in mid-line; the log holds not a single row that can be used',
  ],
  [
    '{"a":[1,2,3],"b":[4]}',
    'line 1: no loss and no sharpness; the log holds not a single row that can be used',
  ],
  [
    `{"loss":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    'lists and objects are nested more than 1000 deep, as in no log',
  ],
  ['[1,2,3]', 'the document is neither a list of objects nor an object of lists'],
  ['{"loss":[],"eigenvalues":[]}', 'the lists of loss and sharpness are empty'],
  ['PK\u0003\u0004 of NumPy', 'a .npz file: it has no directory at its end, and may be cut off'],
  ['\u0000\u0001binary', 'neither text nor a file of a kind that is read here'],
  [
    'a;b;c\n1;2;3\n',
    'line 1: no column is named like a loss or a sharpness (found a, b, c); name them with --loss-col and --sharpness-col',
  ],
  [
    '1;2;3\n4;5;6\n',
    'line 1: there is no header (it reads 1;2;3); say which columns they are, such as --step-col 1 --loss-col 2 --sharpness-col 3',
  ],
  [
    'step,loss,sharpness\n0,1,\n1,1,2\n',
    'line 3: the learning rate is not known; give it with --eta 0.01, a schedule --eta 0:0.1,1000:0.01, or a column --eta-col NAME',
  ],
  [
    'step,loss\n0,1\n1,1\n2,1\n0,1\n1,1\n',
    'line 5: step 0 after step 2: a second run begins here; split the log, or choose one with --run 1, --run 2, …',
  ],
  [
    `step,loss\n${'0,1\n'.repeat(100)}`,
    'line 67: most rows repeat the step before; choose another column with --step-col, or number the rows with --step-col none',
  ],
])('%j is refused in one line', async (text, message) => {
  const outcome = await detectLog(text).then(
    () => 'accepted',
    (error: Error) => error.message,
  );
  expect(outcome.startsWith(message), outcome).toBe(true);
  expect(outcome).not.toContain('\n');
});
