import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter } from '../../../src/pipeline/sources/training-log/lines.ts';
import { createTally } from '../../../src/pipeline/sources/training-log/log-error.ts';

type Taken = readonly [text: string, line: number, over: boolean];

/** What stands between line feeds, and what is written over by what follows a CR. */
function linesOf(text: string): Taken[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.flatMap((line, i) =>
    line
      .replace(/\r$/, '')
      .split('\r')
      .map((part, k, parts): Taken => [part, i + 1, k < parts.length - 1]),
  );
}

test('lines end in LF, CR LF or CR, wherever the bytes are cut', () => {
  const text = fc
    .array(fc.constantFrom('a', 'bc', '\r', '\n', '\r\n'), { maxLength: 30 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 8 }), (whole, cuts) => {
      const taken: Taken[] = [];
      const decoder = new TextDecoder();
      const splitter = createLineSplitter((bytes, from, to, line, _, over) => {
        taken.push([decoder.decode(bytes.subarray(from, to)), line, over]);
      }, createTally());
      const bytes = new TextEncoder().encode(whole);
      const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length];
      ends.sort((a, b) => a - b);
      for (const [i, end] of ends.entries()) splitter.push(bytes.subarray(ends[i - 1] ?? 0, end));
      splitter.end();
      expect(taken).toEqual(linesOf(whole));
    }),
    { numRuns: 2000 },
  );
});
