import { count, plural } from '../format.ts';
import type { RunColumn } from '../models/minimal/columns.ts';
import { type RunOptions, resolveConfig } from '../models/minimal/config.ts';
import { DIVERGENCE_LOSS, gradient, lossSplit } from '../models/minimal/loss.ts';
import { startModelRun } from '../models/minimal/run.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
import { runSchema } from '../operators/standard.ts';
import { summarize } from '../operators/summarize.ts';
import { stabilityOf } from '../optimizers/index.ts';
import { type CheckResult, contradictions, doesNotApply } from './check.ts';
import { allowance, wrongColumns } from './own-columns.ts';
import { FIXED_POINT, firstWrongStep } from './own-steps.ts';
import type { RunTable } from './run-table.ts';

/** What a file says of its run besides its rows. */
export interface FileFacts {
  /** `eos.config` as it stands there; undefined where the parameters were given by the caller. */
  readonly config: RunOptions | undefined;
  /** `eos.summary`; undefined where there is none, null where it is no record. */
  readonly summary: Readonly<Record<string, unknown>> | null | undefined;
  /** Names of the columns in the file. */
  readonly columns: readonly string[];
  /** Whether an older version wrote it, which told less. */
  readonly older: boolean;
  /** The digest of the parameters in the file, and what it should be. */
  readonly digest: string | undefined;
  readonly digestOfConfig: string | undefined;
}

const STATEMENTS = {
  config: 'the parameters of the file go together, and with its columns',
  rows:
    'rows are complete: all steps, or those that --every keeps, to the last one or to where the ' +
    'run was interrupted or diverged',
  steps:
    'row 0 is the start, and each row one step of gradient descent from the row before ' +
    '(within 1e-12)',
  columns:
    'every other column follows from α, β₁, β₂ and the parameters (within 1e-12), phases and ' +
    'cycles by their rules',
  summary: 'the summary is that of the rows',
} as const;

type Name = keyof typeof STATEMENTS;

/**
 * Holds a file against itself: all that it says twice, or that follows from the rest of it. These
 * checks apply to every file that has α, β₁ and β₂, however bad it is.
 */
export function checkFile(table: RunTable, facts: FileFacts): readonly CheckResult[] {
  const theta = (['alpha', 'beta1', 'beta2'] as const).every((name) => table.stored(name));
  const results: [Name, readonly string[] | string][] = [
    ['config', facts.config ? wrongConfig(table, facts, facts.config) : NO_CONFIG],
    ['rows', wrongRows(table, facts)],
    ['steps', theta ? wrongSteps(table) : NO_THETA],
    ['columns', theta ? [...wrongColumns(table), ...wrongDigits(table)] : NO_THETA],
    ['summary', ownPipeline(facts) ? 'the file has no summary' : wrongSummary(table, facts)],
  ];
  return results.map(([name, found]) => result(`file-${name}`, STATEMENTS[name], found));
}

const NO_CONFIG = 'the file does not say its parameters';
const NO_THETA = 'the file has not all of alpha, beta1 and beta2';

function result(name: string, statement: string, found: readonly string[] | string): CheckResult {
  const base = { name, statement, recomputed: [] };
  return { ...base, ...(typeof found === 'string' ? doesNotApply(found) : contradictions(found)) };
}

const STANDARD: readonly string[] = runSchema().map(({ name }) => name);

/**
 * Whether a program of its own made the file: of another kind, or with fewer operators, and then it
 * has no summary.
 */
function ownPipeline({ config, summary, columns }: FileFacts): boolean {
  if (summary !== undefined) return false;
  return !config || (!config.columns && STANDARD.some((name) => !columns.includes(name)));
}

/** Parameters that older versions do not tell. */
const SINCE: ReadonlySet<string> = new Set(['precision', 'optimizer', 'beta', 'momentum']);

function wrongConfig({ config }: RunTable, facts: FileFacts, recorded: RunOptions): string[] {
  const { columns, digest, digestOfConfig, older } = facts;
  const found: string[] = [];
  if (digest !== digestOfConfig && !(older && digest === undefined))
    found.push(
      `the digest of the parameters is ${digestOfConfig}, and the file says ${String(digest)}`,
    );
  const unsaid = [...Object.keys(config), 'moments'].filter(
    (name) => !Object.hasOwn(recorded, name) && !(older && SINCE.has(name)),
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
  const wanted: readonly string[] = recorded.columns ?? STANDARD;
  const missing = wanted.filter(
    (name) => !columns.includes(name) && !(older && !recorded.columns && name === 'digits'),
  );
  const extra = STANDARD.filter((name) => columns.includes(name) && !wanted.includes(name));
  if (missing.length > 0 && !ownPipeline(facts))
    found.push(`columns are missing: ${missing.join(', ')}`);
  if (extra.length > 0) found.push(`columns are not those asked for: ${extra.join(', ')}`);
  return found;
}

function wrongRows(table: RunTable, { config: recorded, summary }: FileFacts): string[] {
  const { config, step, length, lastStep } = table;
  const found: string[] = [];
  if (step[0] !== 0) found.push(`the first row is of step ${step[0]}, and should be of step 0`);
  const interrupted = summary?.interrupted === true;
  if (summary?.outcome === 'diverged') found.push(...wrongDivergence(table));
  // Another program does not tell how far its run was to go.
  else if (recorded && !interrupted && lastStep !== config.steps)
    found.push(
      `the last row is of step ${count(lastStep)} of ${count(config.steps)}, and nothing says why`,
    );
  if (recorded && lastStep > config.steps)
    found.push(`the last row is of step ${count(lastStep)}, of a run of ${count(config.steps)}`);
  if (interrupted && lastStep === config.steps)
    found.push('the run is said to have been interrupted, and has its last row');
  const all = Math.floor(lastStep / config.every) + 1;
  let next = 0;
  let lost = all;
  for (const t of step) {
    if (t > next) break;
    if (t < next) continue;
    next += config.every;
    lost--;
  }
  if (lost > 0)
    found.push(`the row of step ${next} is missing, of ${plural(length, 'row')} up to ${lastStep}`);
  return found;
}

function wrongDivergence(table: RunTable): string[] {
  const { divergedAt, lastStep, config } = table;
  if (divergedAt !== lastStep + 1)
    return [
      'the run is said to diverge at step ' +
        `${divergedAt === null ? 'null' : count(divergedAt)}, and its last row is of step ` +
        `${count(lastStep)}`,
    ];
  // A step of another optimizer does not follow from θ alone.
  if (config.optimizer !== 'gd') return [];
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
    ? [`the run is said to diverge at step ${count(divergedAt)}, where its loss is ${loss}`]
    : [];
}

function wrongSteps(table: RunTable): string[] | string {
  const { init, optimizer, precision } = table.config;
  const place = precision === 'float64' ? 0 : FIXED_POINT;
  const found: string[] = [];
  (['alpha', 'beta1', 'beta2'] as const).forEach((name, i) => {
    const own = table.column(name)[0]!;
    if (table.step[0] === 0 && !(Math.abs(own - init[i]!) <= place))
      found.push(`${name} of row 0 is ${own}, and the start is ${init[i]}`);
  });
  // What other optimizers keep besides θ is not in the file.
  if (optimizer !== 'gd')
    return found.length > 0 ? found : `a step of ${optimizer} does not follow from θ alone`;
  const wrong = firstWrongStep(table);
  return wrong ? [...found, wrong] : found;
}

function wrongDigits(table: RunTable): string[] {
  if (!table.stored('digits')) return [];
  const digits = table.column('digits');
  const row = digits.findIndex((value) => !(value >= 0 && value <= 15));
  if (row >= 0) return [`digits at step ${table.step[row]} are ${digits[row]}`];
  // In a few bits the start itself may lose some.
  const { precision } = table.config;
  return precision === 'float64' && digits[0]! < 14 ? [`digits of row 0 are ${digits[0]}`] : [];
}

/** Fields that the program which wrote the file alone can know. */
const NOT_OF_ROWS: ReadonlySet<string> = new Set([
  'warnings',
  'interrupted',
  'recovered',
  'precision',
]);

function wrongSummary(table: RunTable, { summary, older }: FileFacts): string[] {
  if (summary === undefined) return ['there is no summary'];
  if (summary === null) return ['the summary is no record'];
  const { precision } = table.config;
  const found: string[] = [];
  const fits =
    precision === 'float64'
      ? (summary.precision ?? (older ? 'float64' : undefined)) === 'float64'
      : precision === 'auto'
        ? typeof summary.precision === 'number'
        : summary.precision === Number(precision);
  if (typeof summary.interrupted !== 'boolean')
    found.push('it does not say whether it was interrupted');
  if (!fits)
    found.push(`precision is ${String(summary.precision)}, and ${precision} was asked for`);
  for (const [name, value] of Object.entries(summaryOfRows(table, summary) ?? {})) {
    if (NOT_OF_ROWS.has(name)) continue;
    // Where digits are not in the file nothing else tells how far it can be trusted.
    if (name === 'trusted_until' && !table.stored('digits')) continue;
    if (name === 'final_loss' && isLastLoss(table, summary[name])) continue;
    if (!same(summary[name], value))
      found.push(
        `${name} is ${JSON.stringify(summary[name])}, and should be ${JSON.stringify(value)}`,
      );
  }
  return found;
}

/**
 * Whether a value is the loss of the last row, as far as rounded α and β₂ tell where the file has
 * no losses.
 */
function isLastLoss(table: RunTable, value: unknown): boolean {
  if (table.stored('loss') || !table.has('loss') || typeof value !== 'number') return false;
  const last = table.length - 1;
  const loss = table.column('loss')[last]!;
  return Math.abs(value - loss) <= allowance(table, 'loss', last, loss);
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
  const run = startModelRun(table.config, stabilityOf(table.config));
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
