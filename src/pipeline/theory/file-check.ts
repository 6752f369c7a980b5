import type { RunColumn } from '../models/minimal/columns.ts';
import {
  DIVERGENCE_LOSS,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../models/minimal/config.ts';
import { gradient, lossSplit } from '../models/minimal/loss.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
import { runSchema } from '../operators/standard.ts';
import { summarize } from '../operators/summarize.ts';
import { startModelRun } from '../sources/descent/stepper.ts';
import { type CheckResult, doesNotApply, plural } from './check.ts';
import { wrongColumns } from './own-columns.ts';
import { type OwnRun, runAgain } from './own-run.ts';
import { firstWrongStep } from './own-steps.ts';
import type { RunTable } from './run-table.ts';

/** What a file says of its run besides its rows. */
export interface FileFacts {
  /** `eos.config` as it stands there; undefined where the parameters were given by the caller. */
  readonly config: RunOptions | undefined;
  /** `eos.summary`; undefined where there is none, null where it is no record. */
  readonly summary: Readonly<Record<string, unknown>> | null | undefined;
  /** Names of the columns in the file. */
  readonly columns: readonly string[];
  /** The digest of the parameters in the file, and what it should be. */
  readonly digest: string | undefined;
  readonly digestOfConfig: string | undefined;
}

const STATEMENTS = {
  config: 'the parameters of the file go together, and with its columns',
  rows: 'rows are complete: all steps, or those that --every keeps, to the last one or to where the run was interrupted or diverged',
  steps:
    'row 0 is the start, and each row one step of gradient descent from the row before (within 1e-12)',
  columns:
    'every other column follows from α, β₁, β₂ and the parameters (within 1e-12), phases and cycles by their rules',
  summary: 'the summary is that of the rows',
} as const;

type Name = keyof typeof STATEMENTS;

/**
 * Holds a file against itself: all that it says twice, or that follows from the rest of it. These checks apply to every
 * file that has α, β₁ and β₂, however bad it is.
 */
export function checkFile(table: RunTable, facts: FileFacts): readonly CheckResult[] {
  const theta = (['alpha', 'beta1', 'beta2'] as const).every((name) => table.stored(name));
  const claimed = endClaimed(table.config, facts.summary);
  const again = theta && facts.config ? runAgain(table, claimed !== 'interrupted') : undefined;
  const results: [Name, readonly string[] | string][] = [
    ['config', facts.config ? wrongConfig(table, facts, facts.config) : NO_CONFIG],
    ['rows', wrongRows(table, claimed, again)],
    ['steps', theta ? wrongSteps(table, again) : NO_THETA],
    ['columns', theta ? allWrongColumns(table, again) : NO_THETA],
    [
      'summary',
      facts.config || facts.summary ? wrongSummary(table, facts, again) : 'the file has no summary',
    ],
  ];
  return results.map(([name, found]) => result(`file-${name}`, STATEMENTS[name], found));
}

const NO_CONFIG = 'the file does not say its parameters';
const NO_THETA = 'the file has not all of alpha, beta1 and beta2';

function result(name: string, statement: string, found: readonly string[] | string): CheckResult {
  const base = { name, statement, recomputed: [] };
  if (typeof found === 'string') return { ...base, ...doesNotApply(found) };
  const words =
    found.length === 0 ? 'nothing contradicts it' : plural(found.length, 'contradiction');
  return {
    ...base,
    verdict: found.length === 0 ? 'holds' : 'fails',
    measured: found.length,
    predicted: 0,
    margin: -found.length,
    text: { measured: words, predicted: '', margin: '' },
    ...(found.length > 0 ? { note: found.slice(0, 5).join('; ') } : {}),
    details: { found },
  };
}

type End = 'steps' | 'diverged' | 'interrupted';

function endClaimed({ steps: _ }: RunConfig, summary: FileFacts['summary']): End {
  if (summary?.interrupted === true) return 'interrupted';
  return summary?.outcome === 'diverged' ? 'diverged' : 'steps';
}

/** Parameters that older versions do not tell. */
const SINCE: ReadonlySet<string> = new Set(['precision', 'optimizer', 'beta', 'momentum']);

function wrongConfig(
  { config }: RunTable,
  { columns, summary, digest, digestOfConfig }: FileFacts,
  recorded: RunOptions,
): string[] {
  // Files of older versions tell neither their precision nor their digits.
  const old = !columns.includes('digits') && summary?.precision === undefined;
  const found: string[] = [];
  if (digest !== digestOfConfig && !(old && digest === undefined))
    found.push('the parameters have another digest than the file gives');
  const unsaid = [...Object.keys(config), 'moments'].filter(
    (name) => !Object.hasOwn(recorded, name) && !(old && SINCE.has(name)),
  );
  if (unsaid.length > 0) found.push(`parameters are missing: ${unsaid.join(', ')}`);
  const { moments } = resolveConfig({ ...recorded, columns: null });
  for (const [name, value] of Object.entries(moments)) {
    const own = config.moments[name as keyof typeof moments];
    if (own !== value) {
      const of =
        config.samples === null
          ? 'the moments given'
          : `${config.samples} points of seed ${config.seed}`;
      found.push(`moments.${name} is ${own}, and that of ${of} is ${value}`);
    }
  }
  if (config.samples === null && config.seed !== 0) found.push('there is a seed, but no sample');
  const wanted: readonly string[] = recorded.columns ?? runSchema().map(({ name }) => name);
  const missing = wanted.filter(
    (name) => !columns.includes(name) && !(old && !recorded.columns && name === 'digits'),
  );
  const extra = columns.filter((name) => !wanted.includes(name));
  if (missing.length > 0) found.push(`columns are missing: ${missing.join(', ')}`);
  if (extra.length > 0) found.push(`columns are not those asked for: ${extra.join(', ')}`);
  return found;
}

function wrongRows(table: RunTable, claimed: End, again: OwnRun | undefined): string[] {
  const { config, step, length, lastStep } = table;
  const found: string[] = [];
  if (step[0] !== 0) found.push(`the first row is of step ${step[0]}`);
  if (lastStep > config.steps)
    found.push(`the last row is of step ${lastStep}, of a run of ${config.steps}`);
  if (claimed === 'steps' && lastStep !== config.steps)
    found.push(`the last row is of step ${lastStep} of ${config.steps}, and nothing says why`);
  if (claimed === 'interrupted' && lastStep === config.steps && table.everyStep)
    found.push('the run is said to have been interrupted, and has all its rows');
  if (claimed === 'diverged') found.push(...wrongDivergence(table));
  if (config.every === 1) {
    if (!table.everyStep) found.push(`rows are missing: ${length} of ${lastStep + 1}`);
    return found;
  }
  const steps = new Set(step);
  let lost = 0;
  for (let t = 0; t <= lastStep; t += config.every) if (!steps.has(t)) lost++;
  if (lost > 0) found.push(`${plural(lost, 'row')} that --every ${config.every} keeps are missing`);
  if (again?.identical) found.push(...wrongThinning(table, again));
  else if (table.everyStep && lastStep > 4 * config.every)
    found.push(`all rows are there, of which --every ${config.every} keeps a part`);
  return found;
}

/** Which rows stand there, against which would, in the same run. */
function wrongThinning(table: RunTable, { keptSteps }: OwnRun): string[] {
  const kept = keptSteps(table.config.every);
  const differs = kept.findIndex((t, i) => t !== table.step[i]);
  if (differs < 0 && kept.length === table.length) return [];
  return [
    `rows are not those that --every ${table.config.every} keeps, from row ${Math.max(0, differs)} on`,
  ];
}

function wrongDivergence(table: RunTable): string[] {
  const { divergedAt, lastStep, config } = table;
  if (divergedAt !== lastStep + 1)
    return [
      `the run is said to diverge at step ${divergedAt}, and its last row is of step ${lastStep}`,
    ];
  if (!(['alpha', 'beta1', 'beta2'] as const).every((name) => table.stored(name))) return [];
  const last = table.length - 1;
  const theta = {
    alpha: table.column('alpha')[last]!,
    beta1: table.column('beta1')[last]!,
    beta2: table.column('beta2')[last]!,
  };
  const slope = gradient(theta, config.moments);
  const next = {
    alpha: theta.alpha - config.eta * slope.alpha,
    beta1: theta.beta1 - config.eta * slope.beta1,
    beta2: theta.beta2 - config.eta * slope.beta2,
  };
  const { loss } = lossSplit(next, config.moments);
  return loss <= DIVERGENCE_LOSS * (1 - 1e-9)
    ? [`the run is said to diverge at step ${divergedAt}, where its loss is ${loss}`]
    : [];
}

function wrongSteps(table: RunTable, again: OwnRun | undefined): string[] | string {
  // What other optimizers keep besides θ is not in the file: the run made again has to tell.
  if (table.config.optimizer !== 'gd')
    return again?.identical
      ? []
      : `a step of ${table.config.optimizer} does not follow from θ alone`;
  const { init } = table.config;
  const found: string[] = [];
  (['alpha', 'beta1', 'beta2'] as const).forEach((name, i) => {
    const own = table.column(name)[0]!;
    if (table.step[0] === 0 && own !== init[i])
      found.push(`${name} of row 0 is ${own}, and the start is ${init[i]}`);
  });
  const wrong = firstWrongStep(table);
  return wrong ? [...found, wrong] : found;
}

function allWrongColumns(table: RunTable, again: OwnRun | undefined): readonly string[] {
  const found = wrongColumns(table);
  const digits = table.stored('digits') ? wrongDigits(table) : [];
  return again?.identical ? [...new Set([...found, ...again.differences])] : [...found, ...digits];
}

function wrongDigits(table: RunTable): string[] {
  const digits = table.column('digits');
  const row = digits.findIndex((value) => !(value >= 0 && value <= 15));
  if (row >= 0) return [`digits at step ${table.step[row]} are ${digits[row]}`];
  return digits[0]! < 14 ? [`digits of row 0 are ${digits[0]}`] : [];
}

/** Fields that the program which wrote the file alone can know. */
const NOT_OF_ROWS: ReadonlySet<string> = new Set([
  'warnings',
  'interrupted',
  'recovered',
  'precision',
]);

function wrongSummary(table: RunTable, facts: FileFacts, again: OwnRun | undefined): string[] {
  const { summary } = facts;
  if (summary === undefined) return ['there is no summary'];
  if (summary === null) return ['the summary is no record'];
  const { precision } = table.config;
  const found: string[] = [];
  const fits =
    precision === 'float64'
      ? (summary.precision ?? 'float64') === 'float64'
      : precision === 'auto'
        ? typeof summary.precision === 'number'
        : summary.precision === Number(precision);
  if (typeof summary.interrupted !== 'boolean')
    found.push('it does not say whether it was interrupted');
  if (!fits)
    found.push(`precision is ${String(summary.precision)}, and ${precision} was asked for`);
  const truth = again?.identical ? again.summary : summaryOfRows(table, summary);
  if (!truth) return found;
  for (const [name, value] of Object.entries(truth)) {
    if (!again?.identical && NOT_OF_ROWS.has(name)) continue;
    if (name === 'interrupted' || name === 'recovered') continue;
    // Files of older versions do not tell how far they can be trusted.
    if (!(name in summary) && name === 'trusted_until' && !table.stored('digits')) continue;
    const own = name === 'warnings' ? ofTheRun(summary[name]) : summary[name];
    const expected = name === 'warnings' ? ofTheRun(value) : value;
    if (!same(own, expected))
      found.push(`${name} is ${JSON.stringify(own)}, and should be ${JSON.stringify(expected)}`);
  }
  return found;
}

/** Warnings without those of how the program ended. */
function ofTheRun(warnings: unknown): unknown {
  if (!Array.isArray(warnings)) return warnings;
  return warnings.filter(
    ({ kind }: { kind?: unknown }) => kind !== 'interrupted' && kind !== 'recovered',
  );
}

function summaryOfRows(
  table: RunTable,
  summary: Readonly<Record<string, unknown>>,
): Partial<RunSummary> | undefined {
  const needed = ['alpha', 'beta1', 'beta2', 'loss', 'sharpness', 'phase', 'cycle'] as const;
  if (!table.everyStep || !needed.every((name) => table.has(name))) return undefined;
  const optional: readonly RunColumn[] = ['l1', 'l_hat', 'gfs_sharpness', 'digits'];
  const names = [...needed, ...optional.filter((name) => table.stored(name))];
  const columns = Object.fromEntries(names.map((name) => [name, table.column(name)]));
  const run = startModelRun(table.config);
  run.divergedAt = table.divergedAt;
  run.bits = typeof summary.precision === 'number' ? summary.precision : null;
  const stage = summarize().definition.start(run);
  stage.next({ step: table.step, ...columns } as never, table.length, {});
  return stage.finish?.(run) as Partial<RunSummary> | undefined;
}

/** Whether two values of a summary are the same, numbers within the rounding of sums. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return a === b || Math.abs(a - b) <= 1e-9 * Math.abs(b);
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const keys = Object.keys(b);
    return (
      Object.keys(a).length === keys.length &&
      keys.every((key) => same((a as never)[key], (b as never)[key]))
    );
  }
  // Numbers that JSON cannot hold are null in it.
  return a === b || (a === null && typeof b === 'number' && !Number.isFinite(b));
}
