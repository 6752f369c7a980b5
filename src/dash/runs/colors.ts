import type { Run } from '../app.ts';
import { PAGE, rampColor, runColor } from '../plots/theme.ts';

/** Values of a parameter as an ordered scale; undefined where they are words, or but one. */
export interface ValueScale {
  readonly low: number;
  readonly high: number;
  color(value: number): string;
}

const valueIn = (run: Run, parameter: string) => run.facts.parameters[parameter];

/** The scale of a parameter whose values are numbers; by factors where they span a decade. */
export function valueScale(runs: readonly Run[], parameter: string): ValueScale | undefined {
  const values = runs.map((run) => valueIn(run, parameter));
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < values.length || new Set(numbers).size < 2) return undefined;
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const log = low > 0 && high / low >= 10;
  const size = (value: number) => (log ? Math.log(value) : value);
  return {
    low,
    high,
    color: (value) => rampColor((size(value) - size(low)) / (size(high) - size(low))),
  };
}

/** The colour of a run: its own, or that of its value of a parameter. */
export function colorOf(runs: readonly Run[], run: Run, parameter: string | null): string {
  if (parameter === null) return runColor(PAGE, run.slot);
  const value = valueIn(run, parameter);
  const scale = valueScale(runs, parameter);
  if (scale && typeof value === 'number') return scale.color(value);
  const words = [...new Set(runs.map((each) => String(valueIn(each, parameter) ?? '')))].sort();
  return runColor(PAGE, words.indexOf(String(value ?? '')));
}
