import { NETWORK_SWEEP_PARAMETERS, networkColumnName } from './network-parameters.ts';
import { SWEEP_PARAMETER_NAMES, SWEEP_PARAMETERS } from './parameters.ts';
import type { SweptConfig } from './sweep.ts';
import { columnName } from './sweep-columns.ts';

/** A parameter of a sweep, by the column of its summary. */
export interface MapParameter {
  readonly column: string;
  readonly symbol: string;
}

/** What of a sweep may vary, by the model of its runs. */
export const MAP_PARAMETERS: Readonly<Record<SweptConfig['model'], readonly MapParameter[]>> = {
  minimal: SWEEP_PARAMETER_NAMES.map((name) => ({
    column: columnName(name),
    symbol: SWEEP_PARAMETERS[name].symbol,
  })),
  mlp: Object.entries(NETWORK_SWEEP_PARAMETERS).map(([name, parameter]) => ({
    column: networkColumnName(name),
    // Of words it is a placeholder.
    symbol: 'words' in parameter || parameter.type === 'text' ? name : parameter.symbol,
  })),
};

/** The model of a sweep, by the columns of its summary. */
export const sweptModelOf = (has: (column: string) => boolean): SweptConfig['model'] =>
  has('layers') ? 'mlp' : 'minimal';

/** Those of networks whose values are words. */
export const WORD_COLUMNS: readonly string[] = Object.entries(NETWORK_SWEEP_PARAMETERS)
  .filter(([, { type }]) => type === 'word' || type === 'text')
  .map(([name]) => networkColumnName(name));

/** A column of words: those that there are, sorted, and which of them each row has. */
export interface Words {
  readonly words: readonly string[];
  /** NaN where a row has none. */
  readonly codes: Float64Array;
}

/** Words as numbers, with which maps work; an empty text is none. */
export function wordsOf(texts: readonly string[]): Words {
  const words = [...new Set(texts)].filter((text) => text !== '').sort();
  const places = new Map(words.map((word, i) => [word, i]));
  return { words, codes: Float64Array.from(texts, (text) => places.get(text) ?? Number.NaN) };
}

/** A parameter that all runs have, for sweeps over one alone: their map has one row. */
export function otherAxis({ model }: Pick<SweptConfig, 'model'>, x: string): string {
  const other = model === 'minimal' ? 'lambda2' : 'seed';
  return x === other ? 'eta' : other;
}
