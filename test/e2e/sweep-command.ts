import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterAll } from 'vitest';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
}

const started = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const folder of folders) removeFolder(folder);
});

/** A folder that is gone after the tests. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eos-sweep-'));
  folders.push(folder);
  return folder;
}

/** Starts the command as users do. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (data) => (stdout += data));
  child.stderr!.on('data', (data) => (stderr += data));
  const done = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => {
      started.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, done };
}

export function eos(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return start(args, env).done;
}

export type Row = Readonly<Record<string, unknown>>;

/** Rows of the summary of a sweep, in the order of its parts; BIGINTs as numbers. */
export async function summaryRows(out: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of parts(out)) {
    const file = await asyncBufferFromFile(join(out, 'summary', name));
    for (const row of await parquetReadObjects({ file })) {
      rows.push(
        Object.fromEntries(
          Object.entries(row).map(([k, v]) => [k, typeof v === 'bigint' ? Number(v) : v]),
        ),
      );
    }
  }
  return rows;
}

export function parts(out: string): string[] {
  return readdirSync(join(out, 'summary')).sort();
}

/**
 * Rows without what differs from one time to the next, in an order that does not depend on parts.
 */
export function comparable(rows: readonly Row[]): Row[] {
  return rows
    .map(({ wall_seconds: _, ...row }) => row)
    .sort((a, b) => (String(a.run_id) < String(b.run_id) ? -1 : 1));
}

/** JSON metadata of a run file. */
export async function runMetadata(path: string): Promise<{ summary: Row; config: Row }> {
  const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  const value = (key: string) => JSON.parse(pairs!.find((pair) => pair.key === key)!.value!);
  return { summary: value('eos.summary'), config: value('eos.config') };
}

/** What a row says in the words of `eos.summary`. */
export function asSummary(row: Row): Row {
  return {
    outcome: row.outcome,
    interrupted: row.interrupted,
    phases: JSON.parse(String(row.phases)),
    cycles: row.cycles,
    first_crossing: row.first_crossing ?? null,
    max_sharpness_ratio: row.max_sharpness_ratio,
    diverged_at: row.diverged_at ?? null,
    final_loss: row.final_loss,
    last_step: row.last_step,
    convergence_time: {
      delta: row.delta,
      epsilon: row.epsilon,
      step: row.convergence_time ?? null,
    },
    l_hat_slope: row.l_hat_slope ?? null,
    l_hat_slope_predicted: row.l_hat_slope_predicted ?? null,
    mean_l1_in_eos: row.mean_l1_in_eos ?? null,
    precision: row.precision ?? 'float64',
    trusted_until: row.trusted_until ?? null,
    mean_l1_predicted: row.mean_l1_predicted ?? null,
    warnings: JSON.parse(String(row.warnings)),
  };
}
