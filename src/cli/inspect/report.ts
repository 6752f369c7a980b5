import type { Column } from '../../pipeline/core/schema.ts';
import { RUN_COLUMNS } from '../../pipeline/models/minimal/columns.ts';
import { resolveConfig } from '../../pipeline/models/minimal/config.ts';
import { PARTIAL } from '../../pipeline/node/file-target.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import { MEASURED_COLUMNS } from '../../pipeline/phases/measured/columns.ts';
import { type Prediction, predict } from '../../pipeline/theory/predict.ts';
import { loadDataOf } from '../data-file.ts';
import type { Found } from '../predict/text.ts';
import type { OnRead } from '../reader/job.ts';
import { reading } from '../reader/reading.ts';
import { openTable, type TableReader } from './table-reader.ts';

/** What `eos inspect` has found in a file. */
export interface Report {
  readonly file: string;
  readonly kind: 'parquet' | 'arrow';
  readonly bytes: number;
  readonly rows: number;
  /** Of a `.partial` file: whether a program still writes it, or has left it. */
  readonly unfinished?: 'growing' | 'left';
  readonly row_groups: number;
  readonly schema: readonly {
    readonly name: string;
    readonly type: string;
    readonly expected: string | null;
  }[];
  readonly missing_columns: readonly string[];
  readonly missing_metadata: readonly string[];
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly summary: Readonly<Record<string, unknown>> | null;
  /** The formula of the optimizer's threshold, such as 2/η. */
  readonly threshold: string;
  /** What could have been said before the run; null where its parameters are not known. */
  readonly predicted: Prediction | null;
  /** The same as the run did it; null where the file does not tell. */
  readonly measured: Found | null;
  /** From the summary, or else from the columns. */
  readonly phases: readonly {
    readonly phase: string;
    readonly first_step: number;
    readonly last_step: number;
  }[];
  /**
   * Largest ηS/2 in each of up to 60 stretches of equal length (null where a stretch has no finite
   * one); the sharpness itself where there is no ratio.
   */
  readonly sharpness: { readonly column: string; readonly bins: readonly (number | null)[] } | null;
}

const METADATA = ['eos.schema_version', 'eos.config', 'eos.summary'] as const;
const BINS = 60;
/** Cycles that are measured. */
const MOST_CYCLES = 10_000;
/** Characters of a phase's name that are kept. */
const LONGEST = 200;

/** Reads a run file, or any table, and tells what it holds. */
export function inspectFile(file: string): Promise<Report> {
  return reading().job(file, inspectJob, file);
}

async function inspect(read: OnRead, file: string): Promise<Report> {
  const table = await openTable(file);
  read(table.bytes + table.rows);
  // Of columns of one name it is the first that is read.
  const named = new Map(table.fields.toReversed().map((field) => [field.name, field]));
  const names = new Set(named.keys());
  const numeric = new Set(
    [...named.values()].filter(({ kind }) => kind === 'number').map(({ name }) => name),
  );
  const phased = ['text', 'number'].includes(named.get('phase')?.kind ?? '');
  const summary = jsonObject(table.metadata['eos.summary']);
  const config = jsonObject(table.metadata['eos.config']);
  const columns = await expectedColumns(config);
  const predicted = predictionOf(config);
  const cycled = ['step', 'cycle', 'sharpness_ratio'].every((name) => numeric.has(name));
  return {
    file,
    kind: table.kind,
    bytes: table.bytes,
    rows: table.rows,
    ...(file.endsWith(PARTIAL) ? { unfinished: await stateOf(file) } : {}),
    row_groups: table.groups.length,
    schema: table.fields.map(({ name, type }) => {
      const wanted = columns.find((column) => column.name === name)?.type ?? null;
      return { name, type, expected: wanted === null || wanted === type ? null : wanted };
    }),
    missing_columns: columns.map(({ name }) => name).filter((name) => !names.has(name)),
    missing_metadata: METADATA.filter((key) => !(key in table.metadata)),
    config,
    summary,
    threshold: thresholdOf(config),
    predicted,
    measured:
      predicted !== null && predicted.reason === undefined && summary !== null
        ? measuredIn(summary, cycled && config?.every === 1 ? await cyclesOf(table) : [])
        : null,
    phases:
      phasesOf(summary) ?? (phased ? await phasesFromColumns(table, numeric.has('step')) : []),
    sharpness: await sparkline(
      table,
      ['sharpness_ratio', 'sharpness'].find((name) => numeric.has(name)),
    ),
  };
}

export const inspectJob = { name: 'inspect', work: inspect } as const;

type Config = Readonly<Record<string, unknown>> | null;

/**
 * The columns that the file of such a run has; those of the minimal model where nothing is said.
 */
async function expectedColumns(config: Config): Promise<readonly Column[]> {
  if (config?.source === 'training-log') return MEASURED_COLUMNS;
  if (config === null || (config.model ?? 'minimal') === 'minimal') return RUN_COLUMNS;
  const { findTraining } = await import('../../pipeline/sources/trainings/index.ts');
  try {
    await loadDataOf(config);
    const runs = await findTraining(config).open();
    return runs.schema(runs.resolve(config));
  } catch {
    return [];
  }
}

async function stateOf(file: string): Promise<'growing' | 'left'> {
  const { refuseIfLocked } = await import('../../pipeline/node/lock.ts');
  return refuseIfLocked(file.slice(0, -PARTIAL.length)).then(
    () => 'left',
    () => 'growing',
  );
}

/** The formula of the threshold of the run's optimizer. */
function thresholdOf(config: Config): string {
  if (typeof config?.threshold === 'string') return config.threshold;
  return config === null ? 'threshold' : stabilityOf(config).formula;
}

function predictionOf(config: Report['config']): Prediction | null {
  if (config === null || config.moments === undefined || config.dynamics !== undefined) return null;
  try {
    return predict(resolveConfig({ ...config, columns: null }));
  } catch {
    return null;
  }
}

/** What a run did of what is predicted, as its summary and its whole cycles tell. */
function measuredIn(summary: NonNullable<Config>, cycles: Found['cycles']): Found {
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  const spans = phasesOf(summary) ?? [];
  const edge = spans.filter(({ phase }) => phase === 'edge-of-stability');
  const time = (summary.convergence_time ?? {}) as { readonly step?: unknown };
  return {
    first_crossing: number(summary.first_crossing),
    edge_steps:
      spans.at(-1)?.phase === 'convergence'
        ? edge.reduce((n, { first_step, last_step }) => n + last_step - first_step + 1, 0)
        : null,
    convergence_time: number(time.step),
    cycles,
  };
}

/** The whole cycles of a run of which every step is there. */
async function cyclesOf(table: TableReader): Promise<Found['cycles']> {
  const starts: { cycle: number; first_step: number; highest: number }[] = [];
  for await (const block of table.read(['step', 'cycle', 'sharpness_ratio'])) {
    const { step, cycle, sharpness_ratio: ratio } = block as Record<string, ArrayLike<unknown>>;
    for (let i = 0; i < step!.length; i++) {
      const now = Number(cycle![i]);
      let last = starts.at(-1);
      if (now > (last?.cycle ?? 0) && starts.length <= MOST_CYCLES) {
        last = { cycle: now, first_step: Number(step![i]), highest: 0 };
        starts.push(last);
      }
      if (last) last.highest = Math.max(last.highest, Number(ratio![i]));
    }
  }
  return starts.slice(0, -1).map(({ first_step, highest }, k) => ({
    first_step,
    period: starts[k + 1]!.first_step - first_step,
    overshoot: highest - 1,
  }));
}

function jsonObject(text: string | undefined): Readonly<Record<string, unknown>> | null {
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function phasesOf(summary: Readonly<Record<string, unknown>> | null): Report['phases'] | undefined {
  const phases = summary?.phases;
  if (!Array.isArray(phases)) return undefined;
  return phases.filter(
    (span): span is Report['phases'][number] =>
      typeof span === 'object' &&
      span !== null &&
      typeof span.phase === 'string' &&
      typeof span.first_step === 'number' &&
      typeof span.last_step === 'number',
  );
}

async function phasesFromColumns(table: TableReader, stepped: boolean): Promise<Report['phases']> {
  const spans: { phase: string; first_step: number; last_step: number }[] = [];
  let row = 0;
  for await (const block of table.read(stepped ? ['step', 'phase'] : ['phase'])) {
    const phases = block.phase!;
    for (let i = 0; i < phases.length; i++, row++) {
      const at = stepped ? block.step![i] : row;
      if (phases[i] == null || at == null) continue;
      const name = shortened(String(phases[i]));
      const phase = name.startsWith('eos-') ? 'edge-of-stability' : name;
      const step = Number(at);
      const last = spans.at(-1);
      if (last?.phase === phase) last.last_step = step;
      else if (spans.length < 1000) spans.push({ phase, first_step: step, last_step: step });
    }
  }
  return spans;
}

/** A copy of the beginning: a part of a long text would keep all of it in memory. */
function shortened(name: string): string {
  return name.length > LONGEST ? `${Array.from(name.slice(0, LONGEST)).join('')}…` : name;
}

async function sparkline(
  table: TableReader,
  column: string | undefined,
): Promise<Report['sharpness']> {
  if (column === undefined || table.rows === 0) return null;
  const bins = new Array<number | null>(Math.min(BINS, table.rows)).fill(null);
  let row = 0;
  for await (const block of table.read([column])) {
    const values = block[column]!;
    for (let i = 0; i < values.length; i++, row++) {
      const value = values[i] == null ? Number.NaN : Number(values[i]);
      if (!Number.isFinite(value)) continue;
      const bin = Math.floor((row * bins.length) / table.rows);
      const top = bins[bin] ?? null;
      if (top === null || value > top) bins[bin] = value;
    }
  }
  return bins.every((value) => value === null) ? null : { column, bins };
}
