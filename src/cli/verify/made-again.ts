import { lastValueFrom, tap } from 'rxjs';
import { CHECKPOINT_KEY, type Checkpoint, type Snapshot } from '../../pipeline/core/checkpoint.ts';
import type { Run } from '../../pipeline/core/run.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../pipeline/core/stored-state.ts';
import { duration } from '../../pipeline/format.ts';
import { SEAL_KEY } from '../../pipeline/formats/seal.ts';
import { jsonObject } from '../../pipeline/formats/table-file.ts';
import { PARTIAL } from '../../pipeline/node/file-target.ts';
import { type CheckResult, contradictions, doesNotApply } from '../../pipeline/theory/check.ts';
import type { TableReader, Values } from '../inspect/table-reader.ts';
import { isLogConfig } from '../recover-log.ts';
import { type AnyBatch, derivedOf, type Remake, remakeOf } from './remake.ts';

const AGAIN = {
  name: 'made-again',
  statement:
    'made once more from its parameters, the run has the very same rows, columns, summary and ' +
    'metadata, to the last bit',
};
const DERIVED = {
  name: 'file-derived',
  statement:
    'what follows from the losses and sharpnesses in the file is the same made once more: ' +
    'ratios, regimes, phases, cycles, summary',
};

/** Steps of the minimal model that are taken without being asked: some ten seconds. */
export const MOST_WORK = 5e7;
/** What they take, in seconds. */
const STEP_SECONDS = 4e-7;
/** Layouts of which this version writes every digit. */
const OWN_SCHEMA = '2';

/** What a file claims of the end of its run. */
interface Claims {
  readonly lastStep: number;
  readonly interrupted: boolean;
  readonly recovered: boolean;
  /** A file that is being written, or was left. */
  readonly partial: boolean;
}

/**
 * Makes the run of a file once more and compares: eos computes the same digits in every engine, so
 * a file that it has written differs in no bit.
 *
 * @param always however long it takes
 * @param most steps of the minimal model that it may take otherwise
 */
export async function madeAgain(
  path: string,
  table: TableReader,
  always: boolean,
  most = MOST_WORK,
): Promise<CheckResult> {
  const result = (found: readonly string[] | string, note?: string) => told(AGAIN, found, note);
  const said = jsonObject(table.metadata['eos.config']);
  if (said === null) return result('the file does not say its parameters');
  const version = table.metadata['eos.schema_version'];
  if (version === '1') {
    const newer = [...newerThings(table, said)];
    return newer.length === 0
      ? result('a file of an older version of eos, whose last digits may differ')
      : result([`eos.schema_version is 1, and the file has ${newer.join(', ')}`]);
  }
  if (version !== OWN_SCHEMA)
    return result([`eos.schema_version is ${String(version)}, and should be ${OWN_SCHEMA}`]);

  const remake = await remakeOf(path, table, said);
  const claims = await claimsOf(path, table);
  const found = wrongSchema(table, remake);
  const possible = table.rows * remake.every;
  if (!(Number.isSafeInteger(claims.lastStep) && claims.lastStep >= 0))
    return result([...found, `the last row is of step ${claims.lastStep}`]);
  if (remake.steps !== null && claims.lastStep >= possible)
    return result([
      ...found,
      `the last row is of step ${claims.lastStep}, and there are only ${table.rows} rows`,
    ]);
  const work = remake.work(claims.lastStep + 1);
  const part = work > most && !always;
  const steps = Math.max(1, Math.floor(((claims.lastStep + 1) * most) / work));
  found.push(...(await wrongRun(table, remake, claims, part ? steps : null)));
  const notes = notesOf(table, remake);
  if (!part || found.length > 0) return result(found, notes);
  const whole = duration(work * STEP_SECONDS);
  return {
    ...result(found),
    verdict: 'not reached',
    note: [
      `the first ${steps} of ${claims.lastStep + 1} steps are the same; all take about ` +
        `${whole}, and --again makes them`,
      notes,
    ]
      .filter((words) => words !== '')
      .join('; '),
  };
}

/**
 * Makes once more what follows from the rows of a measured run, in itself or in a log.
 * @returns undefined where the file is of another kind, or has not all that it follows from
 */
export async function derivedAgain(
  path: string,
  table: TableReader,
): Promise<CheckResult | undefined> {
  const said = jsonObject(table.metadata['eos.config']);
  const remake = said && !isLogConfig(said) ? await derivedOf(path, table, said) : undefined;
  if (!remake) return undefined;
  const found = await wrongRun(table, remake, await claimsOf(path, table), null);
  return told(DERIVED, found);
}

function told(
  check: Pick<CheckResult, 'name' | 'statement'>,
  found: readonly string[] | string,
  note?: string,
): CheckResult {
  return {
    ...check,
    recomputed: [],
    ...(typeof found === 'string' ? doesNotApply(found) : contradictions(found, note)),
  };
}

function notesOf(table: TableReader, { schema, taken }: Remake): string {
  const unknown = table.fields.filter(({ name }) => !schema.some((c) => c.name === name));
  const notes = [
    ...(unknown.length > 0 ? [`not of eos, and not looked at: ${namesOf(unknown)}`] : []),
    ...(taken.length > 0
      ? [`taken as they are, since the log is not in the file: ${taken.join(', ')}`]
      : []),
  ];
  return notes.join('; ');
}

/** What an older version did not write. */
function* newerThings(table: TableReader, said: object): Generator<string> {
  if (table.metadata['eos.digest'] !== undefined) yield 'eos.digest';
  if (table.metadata['eos.columns'] !== undefined) yield 'eos.columns';
  if (table.fields.some(({ name }) => name === 'digits')) yield 'digits';
  for (const name of ['optimizer', 'precision', 'model']) if (name in said) yield name;
}

async function claimsOf(path: string, table: TableReader): Promise<Claims> {
  const summary = jsonObject(table.metadata['eos.summary']);
  return {
    lastStep: await lastStepOf(table, summary?.last_step),
    interrupted: summary?.interrupted === true,
    recovered: summary?.recovered === true,
    partial: path.endsWith(PARTIAL),
  };
}

async function lastStepOf(table: TableReader, told: unknown): Promise<number> {
  const at = table.fields.findIndex(({ name }) => name === 'step');
  if (at < 0) return typeof told === 'number' ? told : Number.NaN;
  let last: unknown;
  for await (const { step } of table.read(['step']))
    if (step!.length > 0) last = step![step!.length - 1];
  return typeof last === 'number' ? last : Number.NaN;
}

/**
 * Whether a pipeline of somebody's own has made the file, with fewer operators, and then without a
 * summary.
 */
function ownPipeline({ fields, metadata }: TableReader, { schema }: Remake): boolean {
  const all = jsonObject(metadata['eos.config'])?.columns === null;
  const missing = schema.some(({ name }) => !fields.some((field) => field.name === name));
  return all && missing && metadata['eos.summary'] === undefined;
}

/** Columns with their types and what they mean. */
function wrongSchema(table: TableReader, remake: Remake): string[] {
  const { fields } = table;
  const { schema, possible } = remake;
  const found: string[] = [];
  const missing = schema.filter(({ name }) => !fields.some((field) => field.name === name));
  if (missing.length > 0 && !ownPipeline(table, remake))
    found.push(`columns are missing: ${namesOf(missing)}`);
  const others = fields.filter(
    ({ name }) => possible.includes(name) && !schema.some((c) => c.name === name),
  );
  if (others.length > 0)
    found.push(`columns are there that its config does not name: ${namesOf(others)}`);
  const twice = fields.filter(({ name }, i) => fields.findIndex((f) => f.name === name) < i);
  if (twice.length > 0) found.push(`columns are there twice: ${namesOf(twice)}`);
  for (const { name, symbol, unit, meaning, nullable = false, ...column } of schema) {
    const field = fields.find((each) => each.name === name);
    if (!field) continue;
    const type = column.listed === undefined ? column.type : 'GROUP';
    const expected = { type, symbol, unit, meaning, required: !nullable };
    for (const [what, value] of Object.entries(expected)) {
      const told = field[what as keyof typeof expected];
      if (told !== value)
        found.push(`the ${what} of column ${name} is ${show(told)}, and should be ${show(value)}`);
    }
  }
  const order = (names: readonly string[]) => names.join();
  const present = fields
    .map(({ name }) => name)
    .filter((name) => schema.some((c) => c.name === name));
  const wanted = schema.map(({ name }) => name).filter((name) => present.includes(name));
  if (twice.length === 0 && order(present) !== order(wanted))
    found.push(`the columns stand as ${present.join(', ')}, and should as ${wanted.join(', ')}`);
  return found;
}

/** @param steps how many are made at most; all of the run where null */
async function wrongRun(
  table: TableReader,
  remake: Remake,
  claims: Claims,
  steps: number | null,
): Promise<string[]> {
  const { lastStep, interrupted, recovered, partial } = claims;
  const summary = jsonObject(table.metadata['eos.summary']);
  const told = summary?.last_step;
  // Of a thinned run that was recovered, rows behind the last one had been computed too.
  const beyond = recovered && typeof told === 'number' ? told : lastStep;
  const until = interrupted
    ? Math.min(Math.max(lastStep, beyond), lastStep + remake.every)
    : lastStep + 1;
  // The last rows of a part of a thinned run are there only because it ends there.
  const surest = steps === null || remake.every === 1 ? undefined : steps - remake.every - 1;
  const rows = compareRows(table, remake, surest);
  let run: Run | undefined;
  let after: Snapshot | undefined;
  let work: Promise<void> = Promise.resolve();
  await lastValueFrom(
    remake.batches(steps === null ? until : steps - 1).pipe(
      tap((batch) => {
        run = batch.run;
        after = batch.after;
        work = work.then(() => rows.compare(batch));
        run.hold(work);
      }),
    ),
    { defaultValue: undefined },
  );
  await work;
  if (!run) return ['there are no rows'];
  const found = [...rows.found()];
  if (steps !== null) return found;
  const left = rows.unread();
  if (left > 0) found.push(`${left} rows at the end are not of the run`);
  const goesOn = !interrupted && run.interrupted;
  if (goesOn)
    found.push(`the run goes on behind step ${lastStep}, and nothing says why its rows end there`);
  else if (rows.missing() !== undefined && !(recovered || partial))
    found.push(`the row of step ${rows.missing()} is missing`);
  if (interrupted && !recovered && !partial && !run.interrupted)
    found.push('it is said to have been interrupted, and the run had come to its end');
  if (goesOn || partial) return found;
  found.push(...(await wrongMetadata(table, remake, run, claims, until)));
  return [...found, ...(await wrongCheckpoint(table, remake, run, after, recovered))];
}

/** In words, where a list differs; false where it does not. */
function wrongList(own: unknown, truth: ArrayLike<number>): string | false {
  if (!Array.isArray(own) || own.length !== truth.length)
    return `is not a list of ${truth.length} numbers`;
  const at = own.findIndex((value, i) => !Object.is(value, truth[i]));
  return at < 0 ? false : `has ${show(own[at])} at ${at}, which should be ${show(truth[at])}`;
}

/** Compares rows as they come with those of the file, in order, up to a step. */
function compareRows(
  table: TableReader,
  { schema, taken }: Remake,
  until = Number.POSITIVE_INFINITY,
) {
  const columns = schema.filter(
    ({ name }) => !taken.includes(name) && table.fields.some((field) => field.name === name),
  );
  const names = columns.map(({ name }) => name);
  const blocks = table.read(names)[Symbol.asyncIterator]();
  const differences = new Map<string, string>();
  let block: Readonly<Record<string, Values>> = {};
  let [at, size, row] = [0, 0, 0];
  let missing: number | undefined;
  let astray = false;

  return {
    async compare({ columns: again, length }: AnyBatch): Promise<void> {
      for (let i = 0; i < length && !astray; i++) {
        if (again.step![i]! >= until) return;
        if (at === size && !(await nextBlock())) {
          missing ??= again.step![i]!;
          return;
        }
        for (const { name, words, listed } of columns) {
          const own = block[name]![at] ?? Number.NaN;
          const value = again[name]![i]!;
          const truth = words ? words[value]! : value;
          const wrong =
            listed === undefined
              ? !Object.is(own, truth) && `is ${show(own)}, and should be ${show(truth)}`
              : wrongList(own, again[name]!.subarray(i * listed, (i + 1) * listed));
          if (wrong === false) continue;
          if (!differences.has(name))
            differences.set(name, `${name} in row ${row} (step ${again.step![i]}) ${wrong}`);
          // Rows of other steps are not to be compared.
          astray ||= name === 'step';
        }
        at++;
        row++;
      }
    },
    found: () => differences.values(),
    unread: () => (astray ? 0 : table.rows - row),
    missing: () => (astray ? undefined : missing),
  };

  async function nextBlock(): Promise<boolean> {
    for (;;) {
      const { done, value } = await blocks.next();
      if (done) return false;
      block = value;
      [at, size] = [0, names.length === 0 ? 0 : block[names[0]!]!.length];
      if (size > 0) return true;
    }
  }
}

async function wrongMetadata(
  table: TableReader,
  remake: Remake,
  run: Run,
  { lastStep, recovered }: Claims,
  beyond: number,
): Promise<string[]> {
  const { metadata } = table;
  const found: string[] = [];
  const expected: Record<string, string> = { ...remake.metadata(run, lastStep) };
  if (ownPipeline(table, remake)) delete expected['eos.summary'];
  if (recovered) {
    const made = await remake.recovered(beyond, run);
    if (made) expected['eos.summary'] = JSON.stringify(made);
  }
  for (const [key, text] of Object.entries(expected)) {
    const own = metadata[key];
    // What it seals is compared by --integrity.
    if (own === text || (own !== undefined && key === SEAL_KEY)) continue;
    if (own === undefined) found.push(`${key} is missing`);
    else found.push(...differences(key, parsed(own), parsed(text)));
  }
  return found;
}

/** From where the run would go on. */
async function wrongCheckpoint(
  { metadata, rows }: TableReader,
  { snapshotAt, every, taken }: Remake,
  run: Run,
  after: Snapshot | undefined,
  recovered: boolean,
): Promise<string[]> {
  const text = metadata[CHECKPOINT_KEY];
  if (snapshotAt === null)
    return text === undefined || taken.length > 0
      ? []
      : [`there is an ${CHECKPOINT_KEY}, and such a file goes on from none`];
  // A file that was left tells nothing of what became of its run behind it.
  if (run.divergedAt !== null && !recovered)
    return text === undefined ? [] : [`there is an ${CHECKPOINT_KEY}, and the run has diverged`];
  // Of the first rows of a thinned run it is not yet known which are kept.
  if (text === undefined) return every > 1 ? [] : [`${CHECKPOINT_KEY} is missing`];
  let stored: Checkpoint;
  try {
    stored = decodeCheckpoint(text);
  } catch (error) {
    return [(error as Error).message];
  }
  const { thin: thinned, ...stages } = stored.stages as Record<string, { readonly step?: unknown }>;
  const step = Object.values(stages).find((stage) => typeof stage?.step === 'number')?.step;
  if (!Number.isSafeInteger(step) || !(Number(step) > 0) || Number(step) > (rows + 1) * every)
    return [`${CHECKPOINT_KEY} is of step ${String(step)}`];
  const ends = every === 1 && step === rows;
  const snapshot = ends ? after : await snapshotAt(Number(step));
  const truth = decodeCheckpoint(encodeCheckpoint(stored.rows, snapshot ?? {})).stages;
  const kept = Object.fromEntries(Object.entries(truth).filter(([name]) => name in stages));
  const found = differences(`${CHECKPOINT_KEY}.stages`, stages, kept);
  const { seen, every: own } = (thinned ?? { seen: step, every }) as Record<string, unknown>;
  if (seen !== step || own !== every || stored.rows > rows || (every === 1 && stored.rows !== step))
    found.push(`${CHECKPOINT_KEY} is of ${stored.rows} rows, and of step ${step} of ${rows} rows`);
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Each place in which a value differs from another. */
function differences(path: string, own: unknown, truth: unknown): string[] {
  if (Object.is(own, truth)) return [];
  if (isRecord(own) && isRecord(truth)) {
    const keys = [...new Set([...Object.keys(truth), ...Object.keys(own)])];
    return keys.flatMap((key) => differences(`${path}.${key}`, own[key], truth[key]));
  }
  return [`${path} is ${show(own)}, and should be ${show(truth)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  if (value === undefined) return 'not there';
  if (typeof value !== 'number') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

function namesOf(columns: readonly { readonly name: string }[]): string {
  return columns.map(({ name }) => name).join(', ');
}
