import { expect, test } from 'vitest';
import { detectLog } from './read-log.ts';

const rows =
  '{"step":0,"loss":1,"sharpness":50,"lr":0.01}\n{"step":1,"loss":0.9,"sharpness":51,"lr":0.01}\n';

test.each([
  ['{"eos":1,"optimizer":"adamw","beta":0.9,"weight_decay":0.01}', 'adamw', (2 - 1e-4) * 1900],
  ['{"eos":1,"optimizer":"momentum","beta":0.9,"dampening":0.9}', 'momentum', 3800],
  ['{"eos":1,"optimizer":"gd","weight_decay":3}', 'gd', 197],
  ['{"eos":1,"optimizer":"SGD","momentum":0.9,"nesterov":true}', 'nesterov', 380 / 2.8],
  ['{"eos":1,"optimizer":"sgd","beta":0.9}', 'momentum', 380],
  ['{"eos":1,"optimizer":"Adam","betas":[0.5,0.999]}', 'adam', 600],
  ['{"eos":1,"optimizer":"adam","beta1":0.5,"beta2":0.999}', 'adam', 600],
  [
    '{"eos":1,"optimizer":"rmsprop","beta":0.5,"threshold_expression":"(2 + 2*beta)/eta"}',
    'rmsprop',
    300,
  ],
])('the first line %s names the optimizer', async (header, optimizer, threshold) => {
  const { events, rows: read } = await detectLog(`${header}\n${rows}`);
  expect(events[0]).toMatchObject({ event: 'start', optimizer });
  expect(read.threshold![0]).toBeCloseTo(threshold, 6);
  expect(read.step).toEqual([0, 1]);
});

test('the first line gives the learning rate, and says what the sharpness is of', async () => {
  const { rows: read, summary } = await detectLog(
    '{"eos":1,"optimizer":"adam","lr":0.5,"preconditioned":true}\n{"step":0,"loss":1,"sharpness":50}\n',
  );
  expect(read.eta).toEqual([0.5]);
  expect(summary.warnings).toEqual([]);
});

test('an option is worth more than the first line', async () => {
  const { rows: read } = await detectLog(`{"eos":1,"optimizer":"adamw","beta":0.9}\n${rows}`, {
    optimizer: 'gd',
    eta: 0.1,
  });
  expect(read.threshold![0]).toBe(20);
});

test('an optimizer of which no threshold is known is told', async () => {
  const { summary } = await detectLog(`{"eos":1,"optimizer":"lion"}\n${rows}`);
  expect(summary.warnings.map(({ message }) => message).join()).toContain('the threshold of lion');
});

test.each([
  ['38/eta', 3800],
  ['(2 + 2*0.9)/lr - 10', 370],
])('a threshold may be given as %s', async (expression, threshold) => {
  const { rows: read } = await detectLog(rows, { expression });
  expect(read.threshold![0]).toBeCloseTo(threshold, 9);
});

test('what is no expression is refused', async () => {
  for (const expression of ['2/theta', '2/', '(2', 'x;y'])
    await expect(() => detectLog(rows, { expression })).rejects.toThrow('is not an expression');
});
