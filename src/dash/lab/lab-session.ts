import type { DynamicsFile } from '../app.ts';
import { connect, METHODS, type TableClient } from '../load/client.ts';
import type { TableApi } from '../load/protocol.ts';
import type { ListedRun } from '../runs/run-list.ts';
import { foreseeing } from './foreseen.ts';
import type { LinkedRun } from './lab-link.ts';
import {
  LAB_METHODS,
  type LabApi,
  type LabStatus,
  type LabWorkerApi,
  type Until,
} from './lab-protocol.ts';
import LabWorker from './lab-worker.ts?worker&inline';

/** A run of the lab in a worker of its own. */
export interface Session {
  readonly listed: ListedRun;
  readonly api: LabApi & TableClient;
  status: LabStatus;
  /** Whether it began at a step of another run. */
  readonly forked: boolean;
  /** The dynamics that go along, as they stand. */
  dynamics: readonly DynamicsFile[];
  /** Runs that it was before it began anew, and what was set in it last. */
  past: readonly LinkedRun[];
  setting: string;
  /** Until when it was told to play. */
  until: Until;
}

/**
 * Starts a worker for a run.
 *
 * @param told what it tells while it goes
 * @param atLeisure whether nobody waits for what is drawn now
 */
export async function openSession(
  listed: (api: TableClient) => ListedRun,
  { recipe, to }: LinkedRun,
  from: string | undefined,
  told: (session: Session, status: LabStatus) => void,
  atLeisure: () => boolean,
): Promise<Session> {
  let session: Session | undefined;
  const worker = connect<LabWorkerApi & TableApi>(
    new LabWorker(),
    [...METHODS, ...LAB_METHODS],
    (reply) => {
      if ('status' in reply && session) told(session, reply.status as LabStatus);
    },
  );
  const api = { ...foreseeing(worker, atLeisure), close: worker.close };
  try {
    const status = await api.start(recipe, to, from);
    session = {
      ...{ listed: listed(api), api, status, forked: from !== undefined },
      ...{ dynamics: [], past: [], setting: '', until: 'stopped' },
    };
    return session;
  } catch (error) {
    api.close();
    throw error;
  }
}

/** A run as a link tells it, with the dynamics that go along. */
export function linkedRun({ status: { recipe, step }, dynamics }: Session): LinkedRun {
  const { also: _, ...options } = recipe.options;
  const names = dynamics.map(({ name }) => name).join(',');
  const all = { ...options, ...(names ? { also: names } : {}) };
  return { recipe: { ...recipe, options: all }, to: step };
}

/** Lets these dynamics go along with a run. */
export async function accompany(session: Session, names: readonly string[]): Promise<void> {
  const { api, dynamics } = session;
  if (names.length + dynamics.length === 0) return;
  await api.accompany(names);
  session.dynamics = await Promise.all(
    names.map(async (name) => {
      const client = dynamicsClient(api, name);
      return { name, client, info: await client.open(session.listed.origin) };
    }),
  );
}

/** Takes over what has become of them, unless others were chosen meanwhile. */
export async function followDynamics(session: Session): Promise<void> {
  const { dynamics, status } = session;
  const now = await Promise.all(
    dynamics
      .filter(({ name }) => status.along.includes(name))
      .map(async (file) => ({ ...file, info: (await file.client.refresh()) ?? file.info })),
  );
  if (session.dynamics === dynamics) session.dynamics = now;
}

function dynamicsClient(api: LabApi, name: string): TableClient {
  const methods = METHODS.map((method) => [
    method,
    (...args: readonly unknown[]) => api.ofDynamics(name, method, args),
  ]);
  // It ends with the run.
  return { ...(Object.fromEntries(methods) as TableApi), close() {} };
}
