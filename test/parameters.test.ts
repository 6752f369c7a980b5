import { describe, expect, test } from 'vitest';
import {
  joinTables,
  type ParameterTable,
  readValue,
  resolveValues,
} from '../src/pipeline/core/parameters.ts';
import { plainParameters } from '../src/pipeline/models/minimal/config.ts';

const table = {
  out: {
    type: 'text',
    noun: 'the name of a file',
    meaning: 'file',
    group: 'OUTPUT',
    default: null,
  },
  rate: {
    type: 'number',
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    symbol: 'r',
    meaning: 'rate; the rest of its meaning',
    example: '0.5',
    group: 'OPTIMIZER',
    aliases: ['speed'],
  },
  turns: {
    type: 'integer',
    minimum: 1,
    maximum: 9,
    symbol: 'n',
    meaning: 'turns',
    group: 'RUN',
    default: 3,
  },
  at: {
    type: 'numbers',
    parts: [
      { name: 'x', symbol: 'x', meaning: 'x' },
      { name: 'y', symbol: 'y', meaning: 'y' },
    ],
    meaning: 'place',
    example: '1,2',
    group: 'START',
    default: null,
  },
  kind: {
    type: 'word',
    noun: 'kind',
    words: ['plain', 'fancy'],
    meaning: 'kind',
    group: 'MODEL',
    default: 'plain',
  },
  parts: {
    type: 'words',
    noun: 'part',
    words: ['head', 'tail'],
    meaning: 'parts',
    group: 'OUTPUT',
    default: null,
  },
  loud: { type: 'boolean', meaning: 'loud', group: 'LOG', default: false },
} as const satisfies ParameterTable;

describe('a table of parameters', () => {
  test('gives what is said, else the base, else the default; text counts as what it says', () => {
    const given = { speed: '1/4', at: '1, -2', parts: 'tail,head,tail', loud: 'yes', turns: null };
    expect(resolveValues(table, given, { turns: 7, rate: 0.9 })).toEqual({
      out: null,
      rate: 0.25,
      turns: 7,
      at: [1, -2],
      kind: 'plain',
      parts: ['head', 'tail'],
      loud: true,
    });
  });

  test('is sorted by group, whatever the order of its pieces', () => {
    const { out, kind, ...rest } = table;
    expect(Object.keys(joinTables({ out }, rest, { kind }))).toEqual([
      'kind',
      'rate',
      'at',
      'turns',
      'out',
      'parts',
      'loud',
    ]);
  });

  test('is sorted by group where a run spells it out', () => {
    const sorted = Object.keys(joinTables(plainParameters, {}, {}));
    expect(Object.keys(plainParameters)).toEqual(sorted);
  });

  test.each([
    [{}, 'rate: is missing; give the rate, such as 0.5'],
    [{ rate: 1 }, 'rate: 1 is not a number from above 0 to below 1; give the rate, such as 0.5'],
    [{ rate: 'x' }, "rate: 'x' is not a number; write it as 0.05, 1e-6 or 1/20"],
    [{ rate: true }, 'rate: true is not a number from above 0 to below 1'],
    [{ turns: 1.5 }, 'turns: 1.5 is not a whole number from 1 to 9; give the turns'],
    [{ at: [1] }, 'at: [1] is not 2 finite numbers; give x,y such as 1,2'],
    [{ at: '1,b' }, "at: '1,b' is not a list of numbers; give x,y such as 1,2"],
    [{ kind: 'fanzy' }, "kind: no kind is called 'fanzy'; did you mean fancy?"],
    [{ kind: 7 }, 'kind: no kind is called 7; there are plain, fancy'],
    [{ parts: ['leg'] }, "parts: no part is called 'leg'; there are head, tail"],
    [{ parts: [] }, 'parts: the list is empty; name at least one part'],
    [{ parts: 3 }, 'parts: 3 is not a list of part names'],
    [{ loud: 'perhaps' }, "loud: 'perhaps' is neither yes nor no; write 1 or 0"],
    [{ out: '' }, "out: '' is not the name of a file"],
    [{ tuns: 4 }, 'tuns: there is no such parameter; did you mean turns?'],
  ])('refuses %j', (given, message) => {
    const base = Object.keys(given).length === 0 ? {} : { rate: 0.5 };
    expect(() => resolveValues(table, given, base)).toThrow(message);
  });

  test.each([
    ['a number', { rate: `${'1'.repeat(1e6)}x` }],
    ['a fraction', { rate: `1/${'9'.repeat(1e6)}.` }],
    ['a list', { at: '1,'.repeat(500_000) }],
    ['many numbers', { at: Array.from({ length: 500_000 }, () => 1) }],
    ['a word', { kind: 'f'.repeat(1e6) }],
    ['a name', { loud: { a: 'b'.repeat(1e6) } }],
  ])('refuses %s of a million characters at once and in a short line', (_, given) => {
    const said = { rate: 0.5, ...given };
    let message = '';
    try {
      resolveValues(table, said);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(400);
  });

  test('reads numbers as people write them, and nothing else', () => {
    const read = (text: string) => readValue('rate', table.rate, text);
    expect([read('1/20'), read(' 5e-1 '), read('.5')]).toEqual([0.05, 0.5, 0.5]);
    for (const text of ['0x1', '1/2/3', '', '1 2', 'Infinity', 'NaN', '1/0'])
      expect(() => read(text)).toThrow('is not a number');
  });
});
