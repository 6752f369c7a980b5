import { type LabOptions, labTable } from './lab-parameters.ts';

const LONGEST = 400;

/** What was said, the model first, then in the order of the command line. */
function given(options: LabOptions): [string, string][] {
  const names = ['model', ...Object.keys(labTable(options).parameters)];
  return names.flatMap((name): [string, string][] =>
    options[name] ? [[name, options[name]]] : [],
  );
}

/** Options as a short text for a link: `preset=paper;eta=0.07`. */
export const writeLab = (options: LabOptions): string =>
  given(options)
    .map((pair) => pair.join('='))
    .join(';');

/** Reads such a text; undefined where it names what no run has. */
export function readLab(text: string): LabOptions | undefined {
  const pairs = text
    .split(';')
    .filter(Boolean)
    .map((pair) => pair.split('='));
  if (text.length > LONGEST || !pairs.every(([name, value]) => name && value)) return undefined;
  const options = Object.fromEntries(pairs) as LabOptions;
  try {
    labTable(options);
    return options;
  } catch {
    return undefined;
  }
}

/** The command that streams the same run into a file. */
export const labCommand = (options: LabOptions, steps: number): string =>
  [
    'eos stream',
    ...given(options).map(([name, value]) => `--${name} ${value}`),
    `--steps ${steps} --out run.parquet`,
  ].join(' ');
