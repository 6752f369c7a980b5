import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { View } from '../../src/dash/store.ts';
import { readLink, writeLink } from '../../src/dash/url.ts';

const id = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/);
const step = fc.integer({ min: 0, max: 1e9 });
const view: fc.Arbitrary<View> = fc
  .record({
    x: fc.constantFrom('step', 'log', 'time', 'crossing'),
    range: fc.option(
      fc.tuple(step, step).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const),
    ),
    last: fc.option(fc.integer({ min: 1, max: 1e9 })),
    cursor: fc.option(step),
    theme: fc.constantFrom('auto', 'light', 'dark'),
    refresh: fc.integer({ min: 1, max: 3600 }),
    y: fc.dictionary(
      id,
      fc.oneof(
        fc.constant('all' as const),
        fc.tuple(step, step).filter(([a, b]) => a < b),
      ),
      { noNullPrototype: true },
    ),
    units: fc.uniqueArray(id),
    color: fc.option(id),
    group: fc.option(id),
    minus: fc.option(id),
    where: fc.string({ maxLength: 40 }),
    columns: fc.uniqueArray(id),
    scales: fc.dictionary(id, fc.constantFrom('log', 'linear'), { noNullPrototype: true }),
    hidden: fc.uniqueArray(fc.tuple(id, id).map(([panel, series]) => `${panel}.${series}`)),
    added: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 3 }),
    full: fc.option(id),
    sweep: fc.option(fc.string({ minLength: 1, maxLength: 40 })),
    map: fc.option(fc.stringMatching(/^[a-z0-9_.,=+-]{1,40}$/)),
  })
  .map((made) => ({ ...made, pinned: made.cursor !== null }) as View);

test('a link reproduces the view and the runs', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.webPath({ size: 'small' }).filter((path) => path.length > 0),
        { maxLength: 12 },
      ),
      view,
      fc.option(fc.integer({ min: 1, max: 9 })),
      fc.boolean(),
      (runs, view, tour, embed) => {
        const link = { runs, asked: embed, view, lab: null, tour, embed, refreshGiven: true };
        expect(readLink(writeLink(link))).toEqual(link);
      },
    ),
  );
});

test('what a link cannot mean is left out, and nothing throws', () => {
  fc.assert(
    fc.property(fc.string(), (query) => {
      expect(readLink(query).view.refresh).toBeGreaterThanOrEqual(0);
    }),
  );
  const odd = readLink('from=9&to=3&theme=neon&refresh=-4&at=x&hide=<b>,loss.l1&run=');
  expect(odd).toMatchObject({
    runs: [],
    view: { range: null, theme: 'auto', refresh: 0, cursor: null, hidden: ['loss.l1'] },
  });
});
