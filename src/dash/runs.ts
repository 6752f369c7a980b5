import { COMPANIONS, type Companion, type CompanionKind, hasColumns, type Run } from './app.ts';
import type { FileOrigin } from './load/bytes.ts';
import { tableClient } from './load/client.ts';
import { runFacts } from './load/facts.ts';
import { coarsePhases } from './panels/phase-bands.ts';

/** A run that the page may show. */
export interface ListedRun {
  readonly name: string;
  readonly origin: FileOrigin;
  /** How links name it; a dropped file has none. */
  readonly link: string | undefined;
  readonly writing?: boolean;
  readonly companions: readonly { readonly kind: CompanionKind; readonly origin: FileOrigin }[];
}

/** A sweep that the page may show: the parts of its summary. */
export interface ListedSweep {
  readonly name: string;
  readonly parts: readonly FileOrigin[];
  /** Runs that are in none of the parts, as far as the list tells. */
  readonly missing?: number;
  /** Parts that are left out because they are damaged. */
  readonly damaged?: number;
}

export interface RunList {
  /** The server watches the files: look at them often without being asked. */
  readonly live: boolean;
  readonly runs: readonly ListedRun[];
  readonly sweeps: readonly ListedSweep[];
}

const NO_RUNS: RunList = { live: false, runs: [], sweeps: [] };

/** The runs inside the page (a single file), or those of the list beside it. */
export async function listRuns(): Promise<RunList> {
  const inside = document.getElementById('eos-data')?.textContent;
  if (inside) return parseList(JSON.parse(inside), embedded);
  if (!/^https?:$/.test(location.protocol)) return NO_RUNS;
  try {
    const response = await fetch('runs.json', { cache: 'no-store' });
    return response.ok
      ? parseList(await response.json(), (path) => linkOrigin(String(path)))
      : NO_RUNS;
  } catch {
    return NO_RUNS;
  }
}

interface ListEntry {
  readonly name?: unknown;
  readonly path?: unknown;
  readonly data?: unknown;
  readonly writing?: unknown;
  readonly companions?: Record<string, unknown>;
}

function parseList(json: unknown, origin: (data: unknown) => FileOrigin): RunList {
  const list = json as { live?: unknown; runs?: unknown; sweeps?: unknown };
  const runs = Array.isArray(list?.runs) ? list.runs : [];
  const sweeps = Array.isArray(list?.sweeps) ? list.sweeps : [];
  return {
    live: list?.live === true,
    sweeps: distinct(
      sweeps.map(
        (sweep: { name?: unknown; parts?: unknown; missing?: unknown; damaged?: unknown }) => ({
          name: String(sweep.name),
          parts: Array.isArray(sweep.parts) ? sweep.parts.map(origin) : [],
          missing: countOf(sweep.missing),
          damaged: countOf(sweep.damaged),
        }),
      ),
    ),
    runs: runs.map((run: ListEntry) => ({
      name: String(run.name),
      link: String(run.path ?? run.name),
      writing: run.writing === true,
      origin: origin(run.data ?? run.path),
      companions: COMPANIONS.flatMap((kind) =>
        run.companions?.[kind] === undefined
          ? []
          : [{ kind, origin: origin(run.companions[kind]) }],
      ),
    })),
  };
}

const countOf = (value: unknown): number =>
  Number.isSafeInteger(value) ? Math.max(0, Number(value)) : 0;

/** Sweeps under names that tell them apart: folders in different places may be called the same. */
export function distinct(sweeps: readonly ListedSweep[]): readonly ListedSweep[] {
  const seen = new Map<string, number>();
  return sweeps.map((sweep) => {
    const count = (seen.get(sweep.name) ?? 0) + 1;
    seen.set(sweep.name, count);
    return count === 1 ? sweep : { ...sweep, name: `${sweep.name} (${count})` };
  });
}

function embedded(data: unknown): FileOrigin {
  const text = atob(String(data));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return { kind: 'bytes', bytes: bytes.buffer };
}

/** A link that is none is kept as it is: the attempt to open it tells what is wrong with it. */
const linkOrigin = (path: string): FileOrigin => ({
  kind: 'url',
  url: URL.canParse(path, document.baseURI) ? new URL(path, document.baseURI).href : path,
});

/** The run that a link names: from the list, or a file beside the page. */
export function linkedRun(link: string, list: RunList): ListedRun {
  const listed = list.runs.find((run) => run.link === link || run.name === link);
  if (listed) return listed;
  const name = link.split(/[?#]/)[0]!.split('/').pop() || link;
  return { name, link, origin: linkOrigin(link), companions: [] };
}

const SWEEP_PART = /^part-[0-9a-f]{16}-\d+\.parquet$/;

/** Parts of a sweep's summary among dropped files, by their names. */
export function droppedSweep(files: readonly File[]): ListedSweep | undefined {
  const parts = files.filter(({ name }) => SWEEP_PART.test(name));
  return parts.length > 0
    ? { name: 'dropped sweep', parts: parts.map((blob) => ({ kind: 'blob', blob })) }
    : undefined;
}

/** Dropped files: those named `run.constrained.parquet` go with their `run.parquet`. */
export function droppedRuns(files: readonly File[]): ListedRun[] {
  const companionOf = (file: File) =>
    COMPANIONS.find((kind) => new RegExp(`\\.${kind}\\.(parquet|arrow)$`).test(file.name));
  const stem = (name: string) => name.replace(/\.(parquet|arrow)$/, '');
  const mains = files.filter((file) => !companionOf(file) && !SWEEP_PART.test(file.name));
  const alone = mains.length === 0 ? files.filter(({ name }) => !SWEEP_PART.test(name)) : mains;
  return alone.map((file) => ({
    name: file.name,
    link: undefined,
    origin: { kind: 'blob', blob: file },
    companions: files.flatMap((other) => {
      const kind = companionOf(other);
      return kind && other !== file && stem(other.name) === `${stem(file.name)}.${kind}`
        ? [{ kind, origin: { kind: 'blob' as const, blob: other } }]
        : [];
    }),
  }));
}

let nextId = 1;

/** Opens a run and what lies beside it; phases follow with `withPhases`. */
export async function openRun(listed: ListedRun, onBytes: (bytes: number) => void): Promise<Run> {
  const client = tableClient(onBytes);
  try {
    const info = await client.open(listed.origin);
    const companions = await Promise.all(
      listed.companions.map((companion) => openCompanion(companion, onBytes)),
    );
    return {
      id: nextId++,
      name: listed.name,
      link: listed.link,
      slot: 0,
      client,
      writing: listed.writing ?? false,
      info,
      facts: runFacts(info.metadata),
      phases: [],
      anchors: new Map(),
      companions: companions.flatMap((companion) => companion ?? []),
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A companion that cannot be read is left out: the run itself is what matters. */
async function openCompanion(
  { kind, origin }: ListedRun['companions'][number],
  onBytes: (bytes: number) => void,
): Promise<Companion | undefined> {
  try {
    const client = tableClient(onBytes);
    return { kind, client, info: await client.open(origin) };
  } catch {
    return undefined;
  }
}

/** The run with its phases, and the values from which derived lines start. */
export async function withPhases(run: Run): Promise<Run> {
  const phases = hasColumns(run, ['phase']) ? await run.client.intervals('phase') : [];
  const start =
    coarsePhases(phases).find(({ word }) => word === 'edge-of-stability')?.first ??
    run.info.firstStep;
  const columns = ['l_hat', 'alpha'].filter((column) => hasColumns(run, [column]));
  const row =
    columns.length > 0 && run.info.rows > 0 ? await run.client.row(start, columns) : undefined;
  const anchors = new Map(
    Object.entries(row?.values ?? {}).flatMap(([column, value]) =>
      typeof value === 'number' ? [[column, value] as const] : [],
    ),
  );
  return { ...run, phases, anchors };
}
