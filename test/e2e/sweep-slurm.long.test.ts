import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eos } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';
import { comparable, newFolder, summaryRows } from './sweep-command.ts';

const run = promisify(execFile);

describeWith(['slurm'], 'a Slurm of one node', () => {
  const folder = newFolder();
  const path = (name: string) => join(folder, name);
  const daemons: ChildProcess[] = [];
  const slurm = async (command: string, ...args: string[]) => {
    const env = { ...process.env, SLURM_CONF: path('slurm.conf') };
    const { stdout } = await run(command, args, { cwd: folder, env });
    return stdout.trim();
  };
  const daemon = (command: string, ...args: string[]) => {
    const env = { ...process.env, SLURM_CONF: path('slurm.conf') };
    daemons.push(spawn(command, args, { cwd: folder, env, stdio: 'ignore' }));
  };
  /** Looks again and again until what a command says is what is waited for. */
  async function until(command: () => Promise<string>, right: (said: string) => boolean) {
    for (;;) {
      const said = await command().catch(() => '');
      if (right(said)) return said;
      await sleep(100);
    }
  }

  beforeAll(async () => {
    for (const name of ['state', 'spool']) mkdirSync(path(name));
    writeFileSync(path('munge.key'), randomBytes(128), { mode: 0o400 });
    const name = hostname().split('.')[0]!;
    const [controller, node] = [await freePort(), await freePort()];
    const lines = [
      'ClusterName=eos',
      `SlurmctldHost=${name}(127.0.0.1)`,
      'SlurmUser=root',
      'SlurmdUser=root',
      'AuthType=auth/munge',
      // What is requeued begins after that many seconds.
      `AuthInfo=socket=${path('munge.socket')},cred_expire=5`,
      `SlurmctldPort=${controller}`,
      `SlurmdPort=${node}`,
      `StateSaveLocation=${path('state')}`,
      `SlurmdSpoolDir=${path('spool')}`,
      `SlurmctldPidFile=${path('controller.pid')}`,
      `SlurmdPidFile=${path('node.pid')}`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_CPU_Memory',
      'MpiDefault=none',
      'ReturnToService=2',
      `NodeName=${name} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1024 State=UNKNOWN`,
      'PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    ];
    writeFileSync(path('slurm.conf'), `${lines.join('\n')}\n`);
    const files = ['key-file', 'socket', 'pid-file', 'log-file', 'seed-file'].map((kind) => [
      `--${kind}`,
      path(`munge.${kind.replace('-file', '')}`),
    ]);
    daemon('munged', '--force', '--foreground', ...files.flat());
    await until(
      async () => readdirSync(folder).join(),
      (names) => names.includes('munge.socket'),
    );
    daemon('slurmctld', '-D', '-i');
    await until(
      () => slurm('scontrol', 'ping'),
      (said) => said.includes('UP'),
    );
    daemon('slurmd', '-D');
    await until(
      () => slurm('sinfo', '-h', '-o', '%T'),
      (said) => said === 'idle',
    );
  });

  afterAll(async () => {
    for (const child of daemons.reverse()) {
      if (child.exitCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
  });

  test('carries out the job file that eos writes, with one task killed and requeued', async () => {
    const grid = ['--eta', '0.01:0.1:log:12', '--lambda2', '0.001:1:log:4', '--steps', '1000000'];
    const emit = ['--emit', 'slurm', '--tasks', '4', '--threads', '1'];
    const made = await eos(['sweep', ...grid, '--out', 'diagram', ...emit], { cwd: folder });
    expect([made.code, made.stderr]).toEqual([0, '']);
    writeFileSync(path('job.sh'), made.stdout);

    const job = (await slurm('sbatch', 'job.sh')).replace(/\D+/g, '');
    const state = (task: string) => slurm('scontrol', 'show', 'job', task);
    const running = await until(
      () => slurm('squeue', '-h', '-t', 'R', '-o', '%F_%K'),
      (tasks) => tasks !== '',
    );
    const victim = running.split('\n')[0]!;
    await slurm('scancel', '--signal=KILL', '--full', victim);
    const dead = await until(
      () => state(victim),
      (said) => !/JobState=(RUNNING|COMPLETING)/.test(said),
    );
    expect(dead).not.toContain('JobState=COMPLETED');
    await slurm('scontrol', 'requeue', victim);
    await until(
      () => slurm('squeue', '-h').then((left) => `left ${left}`),
      (left) => left === 'left ',
    );
    const logs = readdirSync(folder).filter(
      (name) => name.endsWith('.log') && name !== 'munge.log',
    );
    for (let task = 0; task < 4; task++)
      expect(
        await state(`${job}_${task}`),
        logs.map((log) => readFileSync(path(log))).join(),
      ).toContain('JobState=COMPLETED');

    const { stdout, stderr } = await eos(['sweep', 'status', '--out', 'diagram'], { cwd: folder });
    expect(stdout + stderr).toContain('48 of 48 runs, whole');
    expect((await eos(['sweep', ...grid, '--out', 'here', '-q'], { cwd: folder })).code).toBe(0);
    const rows = async (name: string) => comparable(await summaryRows(path(name)));
    expect(await rows('diagram')).toEqual(await rows('here'));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}
