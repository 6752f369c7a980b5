import { describe, expect, test } from 'vitest';
import {
  heatMap,
  QUANTITIES,
  type Quantity,
  type SweepTable,
  variedParameters,
} from '../../src/pipeline/sweep/heat-map.ts';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { openSweep, type SweepOptions, sweepSpec } from '../../src/pipeline/sweep/sweep.ts';
import { OUTCOMES, SWEEP_COLUMNS, sweepRows } from '../../src/pipeline/sweep/sweep-columns.ts';

const [outcome, cycles, , time] = QUANTITIES.minimal as [Quantity, ...Quantity[]];

function tableOf(options: SweepOptions): SweepTable {
  const sweep = openSweep(sweepSpec(options));
  const rows = sweepRows();
  for (let i = 0; i < sweep.runs; i++) rows.add(runToResult(sweep.config(i))!, 0);
  const at = (name: string) =>
    rows.columns[SWEEP_COLUMNS.findIndex((column) => column.name === name)]!;
  return {
    length: sweep.runs,
    model: 'minimal',
    words: () => undefined,
    numbers: (name) =>
      Float64Array.from(at(name) as (number | null)[], (value) => value ?? Number.NaN),
    texts: (name) =>
      name === 'outcome'
        ? Array.from(at(name) as number[], (code) => OUTCOMES[code]!)
        : (at(name) as string[]),
  };
}

const grid = { eta: '0.01:0.5:log:9', lambda2: '0.05:0.5:lin:4', steps: '3000' };

describe('heatMap', () => {
  const table = tableOf(grid);
  const map = heatMap(table, { quantity: outcome, x: 'eta', y: 'lambda2' });

  test('has a cell for each run where nothing else varies', () => {
    expect(variedParameters(table).map(({ column }) => column)).toEqual(['eta', 'lambda2']);
    const { cells } = map.facets[0]!;
    expect(cells).toHaveLength(36);
    expect(cells.every(({ runs }) => runs === 1)).toBe(true);
    for (const { x, y, value, row } of cells) {
      const [eta, lambda2] = [table.numbers('eta')[row]!, table.numbers('lambda2')[row]!];
      expect(eta >= x.from && eta <= x.to && lambda2 >= y.from && lambda2 <= y.to).toBe(true);
      expect(OUTCOMES[value]).toBe(table.texts('outcome')[row]);
    }
  });

  test('tells grids of factors from grids of differences; its places leave no gap', () => {
    expect(map.x.log).toBe(true);
    expect(map.y.log).toBe(false);
    for (const { places } of [map.x, map.y]) {
      for (let i = 1; i < places.length; i++) expect(places[i]!.from).toBe(places[i - 1]!.to);
      for (const { from, value, to } of places) expect(from < value && value < to).toBe(true);
    }
  });

  test('draws the border at η = 2/S∞(θ₀), for each λ₂ where the formula says', () => {
    const { border } = map.facets[0]!;
    expect(border.map(({ y }) => y)).toEqual(
      [...new Set(table.numbers('lambda2'))].sort((a, b) => a - b),
    );
    // λ₁α∞² = 2/η with Q = −0.01, as long as λ₂ is small.
    const expected = 2 / ((100 * 2) / (Math.sqrt(0.0001 + 4) + 0.01));
    for (const { x } of border) expect(x).toBeCloseTo(expected, 9);
    const turned = heatMap(table, { quantity: outcome, x: 'lambda2', y: 'eta' }).facets[0]!.border;
    for (const { y } of turned) expect(y).toBeCloseTo(expected, 9);
  });

  test('where most runs diverged there is no value; where none is reached, NaN', () => {
    const { cells } = heatMap(table, { quantity: time!, x: 'eta', y: 'lambda2' }).facets[0]!;
    for (const { diverged, value, row } of cells) {
      expect(diverged).toBe(table.texts('outcome')[row] === 'diverged');
      const expected = diverged ? Number.NaN : table.numbers('convergence_time')[row]!;
      expect(value).toBe(expected);
    }
    expect(cells.some(({ diverged }) => diverged)).toBe(true);
    expect(cells.some(({ diverged, value }) => !diverged && Number.isNaN(value))).toBe(true);
    expect(cells.some(({ value }) => value > 0)).toBe(true);
  });

  test('takes medians of runs, a map a value of a third parameter, rows asked for', () => {
    const several = tableOf({ ...grid, delta: '0.01,0.02,0.3', floor: '1e-6,1e-3' });
    const whole = heatMap(several, { quantity: cycles!, x: 'eta', y: 'lambda2' });
    expect(whole.facets[0]!.cells.every(({ runs }) => runs === 6)).toBe(true);
    const parts = heatMap(several, { quantity: cycles!, x: 'eta', y: 'lambda2', facet: 'delta' });
    expect(parts.facets.map(({ value }) => value)).toEqual([0.01, 0.02, 0.3]);
    expect(parts.facets.every(({ cells }) => cells.every(({ runs }) => runs === 2))).toBe(true);
    const filters = new Map([
      ['floor', [1e-3]],
      ['delta', [0.3]],
    ]);
    const one = heatMap(several, { quantity: cycles!, x: 'eta', y: 'lambda2', filters }).facets[0]!;
    expect(one.cells).toHaveLength(36);
    for (const { runs, row } of one.cells) {
      expect(runs).toBe(1);
      expect([several.numbers('floor')[row], several.numbers('delta')[row]]).toEqual([1e-3, 0.3]);
    }
  });

  test('thins long axes: two thousand values share two hundred places', () => {
    const length = 2000;
    const line = Float64Array.from({ length }, (_, i) => i + 1);
    const wide: SweepTable = {
      length,
      model: 'minimal',
      words: () => undefined,
      numbers: (name) => (name === 'eta' ? line : new Float64Array(length).fill(1)),
      texts: () => new Array<string>(length).fill('converged'),
    };
    const { x, facets } = heatMap(wide, { quantity: outcome, x: 'eta', y: 'lambda2' });
    expect(x.places).toHaveLength(200);
    expect(facets[0]!.cells.reduce((sum, { runs }) => sum + runs, 0)).toBe(length);
  });
});
