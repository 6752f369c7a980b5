import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectLog } from './read-log.ts';

const values = async (text: string, options: Parameters<typeof detectLog>[1] = {}) => {
  const { rows, summary } = await detectLog(text, { eta: 0.1, ...options });
  return { step: rows.step, loss: rows.loss, sharpness: rows.sharpness, skipped: summary.skipped };
};

const expected = {
  step: [0, 1, 2],
  loss: [1, 0.75, 0.5],
  sharpness: [10.5, 11, 12.25],
  skipped: [],
};

describe('the same three rows, however they are written', () => {
  test.each([
    ['commas', 'step,loss,sharpness\n0,1,10.5\n1,0.75,11\n2,0.5,12.25\n'],
    [
      'Windows line ends and no last one',
      'step,loss,sharpness\r\n0,1,10.5\r\n1,0.75,11\r\n2,0.5,12.25',
    ],
    ['a byte order mark', '\uFEFFstep,loss,sharpness\n0,1,10.5\n1,0.75,11\n2,0.5,12.25\n'],
    ['tabs', 'step\tloss\tsharpness\n0\t1\t10.5\n1\t0.75\t11\n2\t0.5\t12.25\n'],
    [
      'blanks',
      '# written by savetxt\nstep loss  sharpness\n0 1 10.5\n1 0.75 11\n  2   0.5 12.25\n',
    ],
    ['bars', 'step|loss|sharpness\n0|1|10.5\n1|0.75|11\n2|0.5|12.25\n'],
    ['semicolons and decimal commas', 'step;loss;sharpness\n0;1,0;10,5\n1;0,75;11\n2;,5;12,25\n'],
    ['tabs and decimal commas', 'step\tloss\tsharpness\n0\t1\t10,5\n1\t0,75\t11\n2\t0,5\t12,25\n'],
    ['quotes', '"step","loss","sharpness"\n"0","1","10.5"\n1,"0.75",11\n2,0.5,"12.25"\n'],
    [
      'other names, order and columns',
      'note,Lambda Max,epoch,x,Train/Loss\n"a, ""b""",10.5,0,,1\nb,11,1,7,0.75\nc,12.25,2,,0.5\n',
    ],
    ['blank lines', '\nstep,loss,sharpness\n\n0,1,10.5\n1,0.75,11\n\n2,0.5,12.25\n\n'],
    ['signs and bare points', 'step,loss,sharpness\n+0,1.,10.5\n1,.75,+11\n2,5e-1,1225e-2\n'],
  ])('%s', async (_, text) => {
    expect(await values(text)).toEqual(expected);
  });

  test('without a header, by number', async () => {
    const columns = { step: '1', loss: '3', sharpness: '2' };
    expect(await values('0,10.5,1\n1,11,0.75\n2,12.25,0.5\n', { columns })).toEqual(expected);
  });

  test('without a step, numbered', async () => {
    expect(await values('loss,sharpness\n1,10.5\n0.75,11\n0.5,12.25\n')).toEqual(expected);
    const strided = await values('loss,sharpness\n1,10.5\n0.75,11\n0.5,12.25\n', { stride: 10 });
    expect(strided.step).toEqual([0, 10, 20]);
  });

  test('with text before it', async () => {
    const { skipped, ...rows } = await values(
      'Using device cuda\nEpochs: many\nstep,loss,sharpness\n0,1,10.5\n1,0.75,11\n2,0.5,12.25\n',
    );
    expect({ ...rows, skipped: [] }).toEqual(expected);
    expect(skipped).toEqual([
      { what: 'line', reason: 'text before the log', count: 2, first_line: 1 },
    ]);
  });
});

test('missing values and words are told apart', async () => {
  const text =
    'step,loss,sharpness\n0,1,null\n1,,5\n2,NaN,6\n3,-inf,N/A\n4,0.5,nan\n5,0.5,Infinity\n6,1e999,7\n';
  const { loss, sharpness, skipped } = await values(text);
  const infinity = Number.POSITIVE_INFINITY;
  expect(loss).toEqual([1, Number.NaN, infinity, infinity, 0.5, 0.5, infinity]);
  expect(sharpness).toEqual([Number.NaN, 5, 6, Number.NaN, Number.NaN, Number.NaN, 7]);
  expect(skipped).toEqual([
    { what: 'value', reason: 'loss is not a finite number', count: 3, first_line: 4 },
    { what: 'value', reason: 'sharpness is not a finite number', count: 2, first_line: 6 },
  ]);
});

test('each line that cannot be used is counted with its reason and number', async () => {
  const text = [
    'step,loss,sharpness',
    '0,1,10',
    'step,loss,sharpness',
    '1,0.9',
    '2,abc,11',
    '3,0.8,11,4',
    '"4,0.8,11',
    '5,,',
    '7,0.7,12',
    '6,0.7,12',
    '7,0.6,12',
    '8,0.6',
  ].join('\n');
  const { step, skipped } = await values(text);
  expect(step).toEqual([0, 6, 7]);
  const line = (reason: string, first_line: number) => ({
    what: 'line',
    reason,
    count: 1,
    first_line,
  });
  expect(skipped).toEqual([
    line('header repeated', 3),
    line('too few columns', 4),
    line('loss is not a number', 5),
    line('too many columns', 6),
    line('a quote is not closed', 7),
    line('no loss and no sharpness', 8),
    { ...line('come late, and were sorted in', 10), what: 'row' },
    line('step is there already', 11),
    line('cut off in mid-line', 12),
  ]);
});

test('any table of numbers is read as it was written, wherever the bytes are cut', async () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  const table = fc.array(fc.tuple(double, double), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom(',', ';', '\t'),
      fc.integer({ min: 1, max: 50 }),
      async (cells, delimiter, cut) => {
        const text = [
          'loss,sharpness'.replace(',', delimiter),
          ...cells.map((row) => row.map((x) => JSON.stringify(x)).join(delimiter)),
        ].join('\n');
        const bytes = new TextEncoder().encode(text);
        const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) =>
          bytes.subarray(i * cut, (i + 1) * cut),
        );
        const { rows } = await detectLog(chunks, { eta: 0.1 });
        expect(rows.loss!.map((x) => x + 0)).toEqual(cells.map(([l]) => l + 0));
        expect(rows.sharpness!.map((x) => x + 0)).toEqual(cells.map(([, s]) => s + 0));
      },
    ),
    { numRuns: 200 },
  );
});

test('of a million lines that are no rows the log is refused', async () => {
  const chunk = (text: string, times: number) => new TextEncoder().encode(text.repeat(times));
  const bad = chunk('1,"\n', 100_001);
  const chunks = (rows: string) => [
    chunk(`step,loss\n${rows}`, 1),
    ...Array.from({ length: 10 }, () => bad),
  ];
  await expect(detectLog(chunks('0,1\n'), { eta: 0.1 })).rejects.toThrow(
    '1,000,010 lines cannot be read and 1 can (the first is line 3: a quote is not closed)',
  );
});
