import { expect, test } from 'vitest';
import { detectLog } from './read-log.ts';

const rows = (header: string, row: (t: number) => string) =>
  `${header}\n${Array.from({ length: 40 }, (_, t) => row(t)).join('\n')}\n`;

/** Logs in which a column cannot be what it is called, and what is said of it. */
test.each([
  ['never changes', rows('step,loss,lambda1,lr', (t) => `${t},${1 / (t + 1)},0.01,0.1`), {}],
  ['is negative in places', rows('step,loss,sharpness,lr', (t) => `${t},1,${t - 3},0.1`), {}],
  [
    'is the learning rate in every row',
    rows('step,loss,sharpness,lr', (t) => `${t},1,${0.1 / (t + 1)},${0.1 / (t + 1)}`),
    {},
  ],
  [
    'of the preconditioned Hessian? For adam',
    rows('step,loss,sharpness,lr', (t) => `${t},1,${t + 3},0.1`),
    { optimizer: 'adam' },
  ],
  [
    'val_loss was taken as the loss, and is not of the data that is trained on',
    rows('step,val_loss', (t) => `${t},${1 / (t + 1)}`),
    {},
  ],
  [
    'kl_loss was taken as the loss, and may be a part of it, or something else',
    rows('step,kl_loss', (t) => `${t},${1 / (t + 1)}`),
    {},
  ],
  [
    'base_lr was taken as the learning rate, and may be that of the start',
    rows('step,loss,base_lr', (t) => `${t},${1 / (t + 1)},0.1`),
    {},
  ],
])('a column is doubted: %s', async (said, text, options) => {
  const { summary, events } = await detectLog(text, options);
  expect(summary.warnings.map(({ message }) => message).join('\n')).toContain(said);
  expect(events.find(({ event }) => event === 'start')).toMatchObject({ columns: summary.columns });
});

test.each([
  ['preconditioned', 'step,loss,preconditioned_sharpness,lr', { optimizer: 'adam' }],
  ['plain', 'step,train_loss,lambda_max,lr', {}],
])('nothing is doubted of usual columns: %s', async (_, header, options) => {
  const text = rows(header, (t) => `${t},${1 / (t + 1)},${3 + t / 50},0.1`);
  const { summary } = await detectLog(text, options);
  expect(summary.warnings.filter(({ kind }) => kind === 'columns')).toEqual([]);
});

test('what somebody has named is not doubted for its name', async () => {
  const text = rows('step,val_loss', (t) => `${t},${1 / (t + 1)}`);
  const { summary } = await detectLog(text, { columns: { loss: 'val_loss' } });
  expect(summary.warnings.filter(({ kind }) => kind === 'columns')).toEqual([]);
});
