import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GivenColumns } from '../../../src/pipeline/sources/training-log/column-names.ts';
import { createLineSplitter } from '../../../src/pipeline/sources/training-log/lines.ts';
import { createTally } from '../../../src/pipeline/sources/training-log/log-error.ts';
import { createNdjsonReader } from '../../../src/pipeline/sources/training-log/ndjson.ts';
import { detectLog } from './read-log.ts';

const encoder = new TextEncoder();

function readAll(
  text: string | Uint8Array,
  options: { fast?: boolean; given?: GivenColumns; cuts?: readonly number[] } = {},
) {
  const rows: number[][] = [];
  const tally = createTally();
  const reader = createNdjsonReader(
    { row: (line, values) => rows.push([line, ...Array.from(values).slice(0, 4)]) },
    tally,
    {
      given: options.given ?? {},
      fast: options.fast ?? true,
    },
  );
  const lines = createLineSplitter(reader, tally);
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  let from = 0;
  for (const cut of [...(options.cuts ?? [])].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue;
    lines.push(bytes.subarray(from, cut));
    from = cut;
  }
  lines.push(bytes.subarray(from));
  lines.end();
  return { rows, skipped: tally.entries };
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => JSON.stringify(x)),
  fc.integer().map(String),
  fc.constantFrom(
    '1e999',
    '-1e999',
    '0',
    '-0',
    '1E5',
    '1.5e-3',
    '12345678901234567890',
    '0.1000000000000000055',
  ),
);
const odd = fc.constantFrom(
  'null',
  'true',
  'false',
  'NaN',
  'Infinity',
  '-Infinity',
  '""',
  '"0.5"',
  '"nan"',
  '"a\\"b"',
  '"ü"',
  '01',
  '+1',
  '.5',
  '1.',
  'nul',
  '[]',
  '[1,2.5,-3]',
  '[ 3 , NaN ]',
  '[1,"x"]',
  '[[1],[2]]',
  '{}',
  '{"a":[1,{"b":2}]}',
  '',
  '"unclosed',
  '1 2',
  '[1,]',
  '[1',
  '\u00a01',
);
const key = fc.constantFrom(
  '"step"',
  '"loss"',
  '"sharpness"',
  '"lr"',
  '"note"',
  '"train_loss"',
  '"a.b"',
  '"st\\u0065p"',
  '"Step"',
  '"hessian_eig_0"',
  "'step'",
  'step',
  '"__proto__"',
  '""',
  '"ö"',
);
const blank = fc.constantFrom('', ' ', '  ', '\t', ' \t');
const entry = fc
  .tuple(key, blank, blank, fc.oneof({ weight: 4, arbitrary: number }, odd), blank)
  .map(([k, a, b, v, c]) => `${k}${a}:${b}${v}${c}`);
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(blank, fc.array(entry, { maxLength: 5 }), blank)
      .map(([a, entries, b]) => `${a}{${entries.join(',')}}${b}`),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(), number, number)
      .map(([s, l, h]) => `{"step": ${s}, "loss": ${l}, "sharpness": ${h}}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'epoch 1',
      '[1,2]',
      '5',
      '{',
      '}',
      '{"step":1,',
      '{"step":1}{"step":2}',
      '{"a":1} x',
      '{"step":1,}',
      'null',
    ),
  },
);
const log = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, closed]) => lines.join(end) + (closed ? end : ''));

describe('the scanner of bytes', () => {
  test('gives in every case what JSON.parse gives', () => {
    fc.assert(
      fc.property(log, (text) => {
        expect(readAll(text)).toEqual(readAll(text, { fast: false }));
      }),
      { numRuns: 5000 },
    );
  });

  test('gives the same with any columns asked for', () => {
    const given = fc.constantFrom<GivenColumns>(
      { loss: 'note' },
      { sharpness: 'a.b' },
      { step: 'none' },
      { loss: 'loss', sharpness: 'loss' },
      { sharpness: 'lr[-1]' },
      { loss: '["a.b"]' },
    );
    fc.assert(
      fc.property(log, given, (text, columns) => {
        expect(readAll(text, { given: columns })).toEqual(
          readAll(text, { fast: false, given: columns }),
        );
      }),
      { numRuns: 3000 },
    );
  });

  test('does not care where the bytes are cut', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(400), { maxLength: 8 }), (text, cuts) => {
        expect(readAll(text, { cuts })).toEqual(readAll(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readAll(bytes)).toEqual(readAll(bytes, { fast: false }));
      }),
    );
  });
});

test('a list is its largest number, a path leads into objects, words are not finite', () => {
  const text = [
    '{"step":0,"loss":1,"eigenvalues":[0.5,9,3]}',
    '{"step":1,"loss":NaN,"eigenvalues":null}',
    '{"step":2,"loss":"inf","eigenvalues":[]}',
    '',
  ].join('\n');
  expect(readAll(text).rows).toEqual([
    [1, 0, 1, 9, Number.NaN],
    [2, 1, Number.POSITIVE_INFINITY, Number.NaN, Number.NaN],
    [3, 2, Number.POSITIVE_INFINITY, Number.NaN, Number.NaN],
  ]);
  const nested = '{"i":7,"m":{"l":0.5,"eigs":[1,[2,4]]}}\n';
  expect(
    readAll(nested, { given: { step: 'i', loss: 'm.l', sharpness: 'm.eigs[1][-1]' } }).rows,
  ).toEqual([[1, 7, 0.5, 4, Number.NaN]]);
});

test('a sharpness that comes with every tenth line only is found when it comes', () => {
  const text = Array.from({ length: 30 }, (_, i) =>
    i % 10 === 5 ? `{"step":${i},"loss":1,"lambda_max":${i}}` : `{"step":${i},"loss":1}`,
  ).join('\n');
  const { rows, skipped } = readAll(text);
  expect(skipped).toEqual([]);
  expect(rows.filter((row) => !Number.isNaN(row[3]!)).map((row) => row[3])).toEqual([5, 15, 25]);
});

test('what cannot be used is counted with its first line', () => {
  const text =
    '{"step":0,"loss":1}\nhello\n{"step":1}\n{"step":2,"loss":true}\nworld\n{"step":3,"lo';
  expect(readAll(text).skipped).toEqual([
    { what: 'line', reason: 'not JSON', count: 2, first_line: 2 },
    { what: 'line', reason: 'no loss and no sharpness', count: 1, first_line: 3 },
    { what: 'line', reason: 'loss is not a number', count: 1, first_line: 4 },
    { what: 'line', reason: 'cut off in mid-line', count: 1, first_line: 6 },
  ]);
});

test('a line of 3 MiB is counted, and neither kept nor in the way', () => {
  const text = `{"step":0,"loss":1}\n{"x":"${'y'.repeat(3 << 20)}"}\n{"step":1,"loss":1}\n`;
  const { rows, skipped } = readAll(text, { cuts: [1 << 16, 1 << 20, 2 << 20, (2 << 20) + 7] });
  expect(rows.map((row) => row[0])).toEqual([1, 3]);
  expect(skipped).toEqual([
    { what: 'line', reason: 'line longer than 1 MiB', count: 1, first_line: 2 },
  ]);
});

test('lists nested 100,000 deep are left out like any value that is no number', () => {
  const deep = '['.repeat(1e5) + ']'.repeat(1e5);
  const { rows, skipped } = readAll(`{"step":0,"loss":1,"x":${deep}}\n{"step":1,"loss":${deep}}\n`);
  expect(rows).toHaveLength(1);
  expect(skipped).toEqual([
    { what: 'line', reason: 'loss is not a number', count: 1, first_line: 2 },
  ]);
});

test('a column that was asked for and stands in no line is refused', async () => {
  const columns = { sharpness: 'hessian.top' };
  await expect(
    detectLog('{"step":0,"loss":1}\n{"step":1,"loss":1}\n', { eta: 0.1, columns }),
  ).rejects.toThrow('nothing stands at hessian.top (asked for as the sharpness) in any line');
});
