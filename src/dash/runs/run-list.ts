import type { FileOrigin } from '../load/bytes.ts';
import type { TableClient } from '../load/client.ts';

/** A run that the page may show. */
export interface ListedRun {
  readonly name: string;
  readonly origin: FileOrigin;
  /** How links name it; a dropped file has none. */
  readonly link: string | undefined;
  readonly writing?: boolean;
  /** Nothing of it can be read yet. */
  readonly empty?: boolean;
  /** Who answers for it, where it is no file. */
  readonly client?: TableClient;
  /** Takes another start θ₀ = (α, β₁, β₂), written with commas, where it can begin anew. */
  moveStart?(start: string): void;
  /** Files of other dynamics from the same start. */
  readonly dynamics: readonly { readonly name: string; readonly origin: FileOrigin }[];
}

/** Whether two entries name the same run: lists are read anew, and dropped files have no link. */
export const sameRun = (a: ListedRun, b: ListedRun): boolean =>
  a === b || (a.link !== undefined && a.link === b.link);

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

export const NO_RUNS: RunList = { live: false, runs: [], sweeps: [] };

/**
 * The runs inside the page (a single file), or those of the list beside it; undefined where its
 * server is silent.
 */
export function listRuns(): Promise<RunList | undefined> {
  const list = asked ?? readList();
  asked = undefined;
  return list;
}

let asked: Promise<RunList | undefined> | undefined;

/** Begins with the list before somebody wants it. */
export function askForRuns(): void {
  asked = readList();
}

async function readList(): Promise<RunList | undefined> {
  const inside = document.getElementById('eos-data')?.textContent;
  if (inside) return parseList(JSON.parse(inside), embedded);
  if (!/^https?:$/.test(location.protocol)) return NO_RUNS;
  try {
    const response = await fetch('runs.json', { cache: 'no-store' });
    return response.ok
      ? parseList(await response.json(), (path) => linkOrigin(String(path)))
      : NO_RUNS;
  } catch {
    return undefined;
  }
}

interface ListEntry {
  readonly name?: unknown;
  readonly path?: unknown;
  readonly data?: unknown;
  readonly writing?: unknown;
  readonly empty?: unknown;
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
      empty: run.empty === true,
      origin: origin(run.data ?? run.path),
      dynamics: Object.entries(run.companions ?? {}).map(([name, data]) => ({
        name,
        origin: origin(data),
      })),
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
  // A static server tells nothing of a file; its name may.
  const writing = name.endsWith('.partial');
  return { name, link, writing, origin: linkOrigin(link), dynamics: [] };
}

const SWEEP_PART = /^part-[0-9a-f]{16}-\d+\.parquet$/;

/** Parts of a sweep's summary among dropped files, by their names. */
export function droppedSweep(files: readonly File[]): ListedSweep | undefined {
  const parts = files.filter(({ name }) => SWEEP_PART.test(name));
  return parts.length > 0
    ? { name: 'dropped sweep', parts: parts.map((blob) => ({ kind: 'blob', blob })) }
    : undefined;
}

/** Dropped files: those named `run.DYNAMICS.parquet` go with their `run.parquet`. */
export function droppedRuns(files: readonly File[]): ListedRun[] {
  const tables = files.filter(({ name }) => !SWEEP_PART.test(name));
  const stem = (name: string) => name.replace(/\.(parquet|arrow)$/, '');
  const stems = new Set(tables.map(({ name }) => stem(name)));
  /** Name of the dynamics that a file is of, where its run is there too. */
  const dynamicsOf = (name: string): readonly [string, string] | undefined => {
    const match = /^(.+)\.([a-z][a-z-]*)$/.exec(stem(name));
    return match && stems.has(match[1]!) ? [match[1]!, match[2]!] : undefined;
  };
  return tables
    .filter(({ name }) => !dynamicsOf(name))
    .map((file) => ({
      name: file.name,
      link: undefined,
      origin: { kind: 'blob', blob: file },
      dynamics: tables.flatMap((other) => {
        const [run, name] = dynamicsOf(other.name) ?? [];
        return run === stem(file.name) && name !== undefined
          ? [{ name, origin: { kind: 'blob' as const, blob: other } }]
          : [];
      }),
    }));
}
