import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CAPACITY } from '../../../src/pipeline/phases/measured/constants.ts';
import type { SpikeRow } from '../../../src/pipeline/phases/measured/spike-cause.ts';
import {
  createSpikeRows,
  type SpikeColumns,
} from '../../../src/pipeline/phases/measured/spike-rows.ts';

const none = Number.NaN;
const orNull = (value: number) => (Number.isNaN(value) ? null : value);

type Measured = 'sharpness' | 'ratio' | 'l1' | 'work' | 'directions' | 'leading';
type Drawn = Readonly<Record<'step' | 'eta' | 'loss' | Measured, number>>;

/** A row of other numbers comes first, and one last: only a part is taken in. */
function columnsOf(rows: readonly Drawn[]): SpikeColumns {
  const column = (name: keyof Drawn) => [7777, ...rows.map((row) => row[name]), 7777];
  return {
    ...{ step: column('step'), eta: column('eta'), loss: column('loss') },
    ...{ sharpness: column('sharpness'), sharpness_ratio: column('ratio'), l1: column('l1') },
    ...{ edge_work: column('work'), edge_directions: column('directions') },
    l1_leading: column('leading'),
  };
}

test('rows are kept as they were, from their states too, and at most twice the capacity', () => {
  const value = fc.option(fc.integer({ min: 1, max: 999 }), { nil: none });
  const drawn = fc.record({
    ...{ sharpness: value, ratio: value, l1: value, work: value, directions: value },
    leading: value,
  });
  fc.assert(
    fc.property(
      fc.array(drawn, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 12_000 }),
      fc.nat(12_000),
      fc.nat(12_000),
      fc.integer({ min: 1, max: 700 }),
      (draws, count, cut, looked, part) => {
        let rows = createSpikeRows();
        let kept: SpikeRow[] = [];
        let pending: Drawn[] = [];
        let then = { state: () => [] as SpikeRow[], rows: '[]' };
        for (let step = 0; step < count; step++) {
          if (step === cut) rows = createSpikeRows(JSON.parse(JSON.stringify(rows.state()())));
          const row = { ...draws[step % draws.length]!, step, eta: 0.1, loss: step % 7 };
          const last = kept.at(-1) ?? { sharpness: 0, ratio: 0, directions: 0 };
          const carried = (name: 'sharpness' | 'ratio' | 'directions') =>
            Number.isNaN(row[name]) ? last[name] : row[name];
          pending.push(row);
          // In parts of any length, and all before they are asked for.
          if (pending.length === part || [cut - 1, looked, count - 1].includes(step)) {
            rows.push(columnsOf(pending), 1, pending.length + 1);
            expect(rows.ratio()).toBe(carried('ratio'));
            pending = [];
          }
          const { l1, work, leading } = row;
          kept.push({
            ...{ ...row, sharpness: carried('sharpness'), ratio: carried('ratio') },
            ...{ l1: orNull(l1), work: orNull(work), leading: orNull(leading) },
            ...{ directions: carried('directions'), measured: !Number.isNaN(row.ratio) },
          });
          if (kept.length > 2 * CAPACITY) kept = kept.slice(CAPACITY);
          if (step === looked) then = { state: rows.state(), rows: JSON.stringify(kept) };
        }
        expect(rows.state()()).toEqual(kept);
        // What was asked for before is told as it was then.
        expect(JSON.parse(JSON.stringify(then.state()))).toEqual(JSON.parse(then.rows));
        const first = kept[0]?.step ?? 0;
        const from = Math.min(cut, looked, count - 1);
        const to = Math.max(cut, looked);
        expect(rows.around(from, 5, to)).toEqual(
          kept.filter(
            ({ step }) => step >= Math.max(from, first) - 5 && step <= Math.max(to, first) + 1,
          ),
        );
      },
    ),
    { numRuns: 20 },
  );
});
