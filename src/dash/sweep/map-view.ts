import {
  type HeatMapRequest,
  QUANTITIES,
  type SweepTable,
  type TableParameter,
} from '../../pipeline/sweep/heat-map.ts';
import { otherAxis } from '../../pipeline/sweep/map-parameters.ts';

/**
 * What a map shows: a quantity over two parameters, a map for each value of a third, and filters
 * for the others.
 */
export interface MapView extends Required<Pick<HeatMapRequest, 'quantity' | 'x' | 'y'>> {
  readonly facet: string | null;
  readonly filters: ReadonlyMap<string, readonly number[]>;
}

/**
 * Reads what `writeMapView` has written; what does not fit this sweep gives way to a choice of its
 * own.
 */
export function readMapView(
  text: string | null,
  varied: readonly TableParameter[],
  table: SweepTable,
): MapView {
  const [quantityName, xName, yName, facetName, ...rest] = (text ?? '').split(',');
  const names = varied.map(({ column }) => column);
  const quantity =
    QUANTITIES[table.model].find(({ name }) => name === quantityName) ??
    QUANTITIES[table.model][0]!;
  const x = names.find((name) => name === xName) ?? names[0] ?? 'eta';
  const y =
    names.find((name) => name === yName && name !== x) ??
    names.find((name) => name !== x) ??
    otherAxis(table, x);
  const facet = names.find((name) => name === facetName && name !== x && name !== y) ?? null;
  const filters = new Map<string, number[]>();
  for (const part of rest) {
    const [column = '', value] = part.split('=');
    if (!names.includes(column) || column === x || column === y || column === facet) continue;
    if (table.numbers(column).includes(Number(value))) filters.set(column, [Number(value)]);
  }
  return { quantity, x, y, facet, filters };
}

export function writeMapView({ quantity, x, y, facet, filters }: MapView): string {
  const chosen = [...filters].map(([column, [value]]) => `${column}=${value}`);
  return [quantity.name, x, y, facet ?? '-', ...chosen].join(',');
}
