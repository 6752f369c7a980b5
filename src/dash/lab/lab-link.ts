import type { Change, LabOptions, Recipe } from './lab-parameters.ts';
import { besideModel, labTable, liveParameters, withOptions } from './lab-parameters.ts';

/** A run of the lab as a link tells it: how to compute it, and as far as which step. */
export interface LinkedRun {
  readonly recipe: Recipe;
  readonly to: number;
}

const LONGEST = 4000;
const MOST_RUNS = 3;
const RUNS = ';;';

/** What was said, the model first, then in the order of the command line. */
function given(options: LabOptions, table = labTable(options)): string[] {
  const names = ['model', ...Object.keys(table.parameters)];
  return names.flatMap((name) => (options[name] ? [`${name}=${options[name]}`] : []));
}

/**
 * Runs as a short text for a link: `preset=paper;eta=0.07`, behind `at=500` what was changed after
 * step 500, and at last the step where the run stands. Where that would be too long, only their
 * starts.
 */
export function writeLab(runs: readonly LinkedRun[]): string {
  const texts = runs.map(({ recipe: { options, changes }, to }) => {
    const table = labTable(options);
    return [
      ...given(options),
      ...changes.flatMap((change) => [`at=${change.after}`, ...given(change.options, table)]),
      ...(to > 0 && to !== changes.at(-1)?.after ? [`at=${to}`] : []),
    ].join(';');
  });
  const all = texts.join(RUNS);
  return all.length <= LONGEST
    ? all
    : runs.map(({ recipe }) => given(recipe.options).join(';')).join(RUNS);
}

/** Reads such a text; undefined where it names what no run has. */
export function readLab(text: string): readonly LinkedRun[] | undefined {
  if (text.length > LONGEST) return undefined;
  try {
    return text.split(RUNS).slice(0, MOST_RUNS).map(readRun);
  } catch {
    return undefined;
  }
}

function readRun(text: string): LinkedRun {
  const pairs = text.split(';').filter(Boolean);
  let options: LabOptions = {};
  const changes: Change[] = [];
  let to = 0;
  for (const pair of pairs) {
    const [name, value, ...more] = pair.split('=');
    if (!name || !value || more.length > 0) throw new Error(pair);
    const last = changes.at(-1);
    if (name === 'at') {
      const step = Number(value);
      if (!Number.isSafeInteger(step) || step < to) throw new Error(pair);
      to = step;
    } else if (to === 0) options = { ...options, [name]: value };
    else if (last?.after === to)
      changes[changes.length - 1] = { after: to, options: { ...last.options, [name]: value } };
    else changes.push({ after: to, options: { [name]: value } });
  }
  const table = labTable(
    changes.reduce((all, change) => withOptions(all, change.options), options),
  );
  const live = liveParameters(table);
  const changed = changes.flatMap((change) => Object.keys(change.options));
  const known = besideModel(table.model).map(({ name }) => name);
  const beside = options.also?.split(',') ?? [];
  if (
    !changed.every((name) => live.includes(name)) ||
    !beside.every((name) => known.includes(name))
  )
    throw new Error(text);
  return { recipe: { options, changes }, to };
}

/** The command that streams the same run into a file. */
export const labCommand = (options: LabOptions, steps: number): string =>
  [
    'eos stream',
    ...given(options).map((pair) => `--${pair.replace('=', ' ')}`),
    `--steps ${steps} --out run.parquet`,
  ].join(' ');
