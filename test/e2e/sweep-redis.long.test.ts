import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { newPlace, readManifest, sweepFolder } from '../../src/cli/sweep/folder.ts';
import { watchRedis } from '../../src/cli/sweep/redis/clients.ts';
import { redisOptions } from '../../src/cli/sweep/redis/connection.ts';
import { type PartJob, partJob } from '../../src/cli/sweep/redis/job.ts';
import { enqueue, openQueue, removeQueue } from '../../src/cli/sweep/redis/queue.ts';
import { sweepSpec } from '../../src/pipeline/sweep/sweep.ts';
import { describeWith, part, root } from '../setup/parts.ts';
import { comparable, eos, newFolder, parts, start, summaryRows } from './sweep-command.ts';

const PASSWORD = 'correct-horse-battery';

interface TestRedis {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const servers: ChildProcess[] = [];
afterAll(() => {
  for (const server of servers) server.kill('SIGKILL');
});

/** Its certificate, signed by itself, for 127.0.0.1; and the key, which is no secret. */
const CERTIFICATE = join(root, 'test/e2e/tls/cert.pem');
const KEY = join(root, 'test/e2e/tls/key.pem');

/**
 * A Redis of the test's own: on a free loopback port, with a password, and with all that it holds
 * on disk once it is stopped.
 */
async function newRedis({ tls = false } = {}): Promise<TestRedis> {
  const folder = newFolder();
  const port = await freePort();
  let server: ChildProcess | undefined;
  const redis: TestRedis = {
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    async start() {
      const persistence = ['--appendonly', 'yes', '--save', ''];
      const encrypted = [
        '--tls-cert-file',
        CERTIFICATE,
        '--tls-key-file',
        KEY,
        '--tls-ca-cert-file',
        CERTIFICATE,
      ];
      const ports = tls
        ? ['--port', '0', '--tls-port', String(port), ...encrypted]
        : ['--port', String(port)];
      const own = [...ports, '--bind', '127.0.0.1', '--dir', folder, '--requirepass', PASSWORD];
      server = spawn(part('redis'), [...own, ...persistence], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      servers.push(server);
      let log = '';
      server.stdout!.on('data', (data) => (log += data));
      while (!log.includes('Ready to accept connections')) {
        if (server.exitCode !== null) throw new Error(`Redis did not start:\n${log}`);
        await sleep(20);
      }
    },
    async stop() {
      const gone = new Promise((resolve) => server!.once('exit', resolve));
      server!.kill('SIGTERM');
      await gone;
    },
  };
  await redis.start();
  return redis;
}

/**
 * A port that nobody listens on, outside the range from which the system gives ports away: the
 * server must get it back after a restart.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Waits until parts of the sweep in a folder wait in the queue. */
async function waiting(engine: string, out: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (;;) {
    const { stdout, code } = await eos(
      ['sweep', 'status', '--out', out, '--engine', engine, '--json'],
      env,
    );
    if (code === 0 && JSON.parse(stdout).sweeps[0].queue.waiting > 0) return;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

const env = { EOS_REDIS_PASSWORD: PASSWORD };
const partsIn = (out: string) => (existsSync(join(out, 'summary')) ? parts(out).length : 0);

describeWith(['redis'], 'a sweep by workers of a queue', () => {
  test('is whole, no run twice or missing, whatever happens to workers and Redis', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const grid = ['--eta', '0.02:0.5:log:16', '--lambda2', '0.005:0.5:log:12', '--steps', '150000'];
    const sweep = start(['sweep', ...grid, '--out', out, '--engine', redis.url], env);
    // Workers may come before the sweep does.
    const worker = () =>
      start(
        ['worker', '--engine', redis.url, '--out', out, '--threads', '1', '--takeover', '2'],
        env,
      );
    const [killed, stopped, steady] = [worker(), worker(), worker()];

    await until(() => partsIn(out) >= 4);
    killed.child.kill('SIGKILL');
    await until(() => partsIn(out) >= 10);
    stopped.child.kill('SIGSTOP');
    await until(() => partsIn(out) >= 16);
    await redis.stop();
    await sleep(1000);
    await redis.start();
    await until(() => partsIn(out) >= 24);
    stopped.child.kill('SIGCONT');

    const [coordinator, first, second, third] = await Promise.all([
      sweep.done,
      killed.done,
      stopped.done,
      steady.done,
    ]);
    expect(coordinator).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/wrote .*: 192 runs in/),
    });
    expect(first).toMatchObject({ signal: 'SIGKILL' });
    expect(second).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the sweep is whole'),
    });
    expect(third).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the sweep is whole'),
    });

    const rows = await summaryRows(out);
    expect(rows).toHaveLength(192);
    expect(new Set(rows.map((row) => row.run_id)).size).toBe(192);
    expect(readdirSync(out).sort()).toEqual(['summary', 'sweep.json']);
    const alone = join(newFolder(), 'alone');
    expect(await eos(['sweep', ...grid, '--out', alone])).toMatchObject({ code: 0 });
    expect(comparable(rows)).toEqual(comparable(await summaryRows(alone)));

    // The password is nowhere: not in what is printed, not in what is written.
    for (const { stderr, stdout } of [coordinator, first, second, third])
      expect(stderr + stdout).not.toContain(PASSWORD);
    for (const name of parts(out))
      expect(readFileSync(join(out, 'summary', name)).includes(PASSWORD)).toBe(false);
    expect(readFileSync(join(out, 'sweep.json'), 'utf8')).not.toContain(PASSWORD);

    const again = await eos(['sweep', ...grid, '--out', out, '--engine', redis.url], env);
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('all 192 runs are there already'),
    });
    await redis.stop();
  });

  test('a queue that is lost is filled again from what the folder lacks', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const grid = [
      '--eta',
      '0.02:0.5:log:48',
      '--steps',
      '2000',
      '--out',
      out,
      '--engine',
      redis.url,
    ];
    const left = await eos(['sweep', ...grid, '--detach'], env);
    expect(left).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('handed over: 0 runs done now, 48 to do'),
    });
    const status = await eos(['sweep', 'status', '--out', out, '--engine', redis.url], env);
    expect(status.stdout).toMatch(
      /: 0 of 48 runs, 0 %; queue: 24 parts waiting, 0 active, 0 failed, 0 workers\n$/,
    );
    const cancelled = await eos(['sweep', 'cancel', '--out', out, '--engine', redis.url], env);
    expect(cancelled.stdout).toBe('cancelled, 24 parts taken out of the queue\n');

    const sweep = start(['sweep', ...grid], env);
    await waiting(redis.url, out, env);
    const client = new Redis(redis.url, { password: PASSWORD });
    await client.flushall();
    await client.quit();
    const worker = start(['worker', '--engine', redis.url, '--out', out, '--threads', '2'], env);
    expect(await sweep.done).toMatchObject({ code: 0 });
    expect(await worker.done).toMatchObject({ code: 0 });
    expect(await summaryRows(out)).toHaveLength(48);
    await redis.stop();
  });

  test('SIGTERM sends a worker home; its part goes to another', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const grid = [
      '--eta',
      '0.02:0.2:log:48',
      '--steps',
      '400000',
      '--out',
      out,
      '--engine',
      redis.url,
    ];
    const sweep = start(['sweep', ...grid], env);
    const args = [
      'worker',
      '--engine',
      redis.url,
      '--out',
      out,
      '--takeover',
      '2',
      '--threads',
      '1',
    ];
    const leaving = start(args, env);
    await until(() => partsIn(out) >= 2);
    leaving.child.kill('SIGTERM');
    expect(await leaving.done).toMatchObject({ code: 143 });
    const other = start(args, env);
    expect(await sweep.done).toMatchObject({ code: 0 });
    expect(await other.done).toMatchObject({ code: 0 });
    expect(await summaryRows(out)).toHaveLength(48);
    await redis.stop();
  });

  test('one signal ends worker and sweep while Redis is away, which both say once', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const work = ['--out', out, '--engine', redis.url];
    const sweep = start(['sweep', '--eta', '0.02:0.2:log:48', '--steps', '20000000', ...work], env);
    const worker = start(['worker', ...work, '--threads', '1'], env);
    const both = [sweep, worker];
    const said = ['', ''];
    both.forEach(({ child }, i) => {
      child.stderr!.on('data', (text) => {
        said[i] += text;
      });
    });
    const all = (text: string, times: number) =>
      said.every((each) => each.split(text).length - 1 === times);
    await until(() => partsIn(out) >= 1);
    await redis.stop();
    await until(() => all('nothing listens there', 1));
    await redis.start();
    await until(() => all('is back', 1));

    // The password changes, and nobody may stay.
    const admin = new Redis(redis.url, { password: PASSWORD });
    await admin.config('SET', 'requirepass', 'another');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => all('does not take this user and password', 1));
    await sleep(1500);
    await admin.config('SET', 'requirepass', PASSWORD);
    await until(() => all('is back', 2));
    admin.disconnect();

    await redis.stop();
    await until(() => all('nothing listens there', 2));
    for (const { child } of both) child.kill('SIGINT');
    const [coordinator, leaving] = await Promise.all([sweep.done, worker.done]);
    expect(coordinator).toMatchObject({ code: 130 });
    expect(leaving).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('parts under way go back to the queue'),
    });
    for (const { stderr } of [coordinator, leaving]) {
      expect(stderr).not.toMatch(/ioredis|\n\s+at /);
      expect(stderr.split('nothing listens there')).toHaveLength(3);
      expect(stderr.split('does not take this user')).toHaveLength(2);
    }
  });

  test('two folders with the same sweep do not meet, and leave nothing in Redis', async () => {
    const redis = await newRedis();
    const [mine, other] = [join(newFolder(), 'mine'), join(newFolder(), 'other')] as const;
    const grid = ['--eta', '0.02:0.5:log:48', '--steps', '2000', '--engine', redis.url];
    for (const out of [mine, other]) {
      expect(await eos(['sweep', ...grid, '--out', out, '--detach'], env)).toMatchObject({
        code: 0,
      });
    }
    const cancelled = await eos(['sweep', 'cancel', '--out', other, '--engine', redis.url], env);
    expect(cancelled.stdout).toBe('cancelled, 24 parts taken out of the queue\n');
    const status = await eos(['sweep', 'status', '--out', mine, '--engine', redis.url], env);
    expect(status.stdout).toMatch(/queue: 24 parts waiting/);
    const work = (out: string) =>
      start(['worker', '--engine', redis.url, '--out', out, '--threads', '1'], env).done;
    expect(await work(mine)).toMatchObject({ code: 0 });
    // A worker that comes to a cancelled sweep waits until somebody wants it again.
    const early = start(['worker', '--engine', redis.url, '--out', other, '--threads', '1'], env);
    let said = '';
    early.child.stderr!.on('data', (text) => {
      said += text;
    });
    await until(() => said.includes('is cancelled'));
    const again = start(['sweep', ...grid, '--out', other], env).done;
    expect(await early.done).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the sweep is whole'),
    });
    expect(await again).toMatchObject({ code: 0 });
    for (const out of [mine, other]) expect(await summaryRows(out)).toHaveLength(48);
    const client = new Redis(redis.url, { password: PASSWORD });
    await client.del('eos:probe');
    expect(await client.keys('*')).toEqual([]);
    client.disconnect();
    await redis.stop();
  });

  test('a sweep of networks has the rows that it has without a queue', async () => {
    const redis = await newRedis();
    const [out, alone] = [join(newFolder(), 'nets'), join(newFolder(), 'alone')] as const;
    const grid = '--model mlp --layers 1-6-1,1-8-1 --eta 0.1,0.3 --steps 100'.split(' ');
    const sweep = start(['sweep', ...grid, '--out', out, '--engine', redis.url], env);
    const worker = start(['worker', '--engine', redis.url, '--out', out, '--threads', '1'], env);
    expect(await sweep.done).toMatchObject({ code: 0 });
    expect(await worker.done).toMatchObject({ code: 0 });
    expect(await eos(['sweep', ...grid, '--out', alone], env)).toMatchObject({ code: 0 });
    const rows = comparable(await summaryRows(out));
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(comparable(await summaryRows(alone)));
    await redis.stop();
  });

  test('a queue may be taken out of Redis by any number of processes at once', async () => {
    const redis = await newRedis();
    const { options } = await redisOptions(redis.url, {
      ca: undefined,
      cert: undefined,
      key: undefined,
    });
    const connection = {
      options: { ...options, password: PASSWORD },
      shown: redis.url,
      explain: String,
    };
    const place = newPlace(sweepSpec({ eta: '0.02:0.5:log:48' }));
    const clients = watchRedis(connection, () => {});
    const queues = Array.from({ length: 8 }, () => openQueue(place, connection));
    for (let round = 0; round < 10; round++) {
      await enqueue(queues[0]!, [0, 1, 2, 3]);
      await Promise.all(queues.map(removeQueue));
    }
    const client = new Redis(redis.url, { password: PASSWORD });
    expect(await client.keys('*')).toEqual([]);
    client.disconnect();
    clients.close();
    await redis.stop();
  });

  test('a database that Redis does not have is refused, the first stays as it is', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const { code, stderr } = await eos(
      ['sweep', '--eta', '0.1', '--out', out, '--engine', `${redis.url}/99`],
      env,
    );
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has no database 99;'),
    });
    expect(existsSync(out)).toBe(false);
    const client = new Redis(redis.url, { password: PASSWORD });
    expect(await client.keys('*')).toEqual([]);
    client.disconnect();
    await redis.stop();
  });

  test('poisoned jobs are refused and told, touch nothing, and the sweep is whole', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'deep', 'sweep');
    const grid = ['--eta', '0.02:0.5:log:48', '--steps', '100'];
    const engine = ['--out', out, '--engine', redis.url];
    expect(await eos(['sweep', ...grid, ...engine, '--detach'], env)).toMatchObject({ code: 0 });
    const [place] = await readManifest(sweepFolder(out));
    const { options, shown } = await redisOptions(redis.url.replace('://', `://:${PASSWORD}@`), {
      ca: undefined,
      cert: undefined,
      key: undefined,
    });
    const connection = { options, shown, explain: () => '' };
    const victim = join(dirname(dirname(out)), 'victim.parquet');
    writeFileSync(victim, 'as it was');
    const own = partJob(1);
    const poisoned: readonly (readonly [
      data: unknown,
      more?: { name?: string; jobId?: string; delay?: number },
    ])[] = [
      [{ ...own, part: '/../../../victim' }],
      [{ ...own, part: '0/../../../victim' }],
      [{ ...own, part: '1' }],
      [{ ...own, part: -1 }],
      [{ ...own, part: 1_000_000 }],
      [{ ...own, part: 0.5 }],
      [{ ...own, part: 2 ** 53 }],
      [{ ...own, part: 1e308 }],
      [{ ...own, part: null }],
      [{ ...own, part: true }],
      [{ ...own, part: [1] }],
      [{ ...own, part: { toString: 'x' } }],
      [{ ...own, part: '\u001b[31mred' }],
      [{}],
      ['text'],
      [[own]],
      [{ part: 1 }],
      [{ ...own, schema_version: '0' }],
      [{ ...own, program: '99.0.0' }],
      [{ ...own, out: '/tmp/elsewhere' }],
      [own, { name: 'other' }],
      [own, { jobId: 'mine' }],
      // Under the names of parts, in whose way they stand.
      [{ ...own, part: 99_999 }, { jobId: 'part-7' }],
      [{ ...partJob(9), part: 'x'.repeat(1_000_000) }, { jobId: 'part-9' }],
      [partJob(8), { jobId: 'part-8', delay: 1e12 }],
    ];
    const queue = openQueue(place!, connection);
    for (const id of ['part-7', 'part-8', 'part-9', 'part-3']) await queue.remove(id);
    for (const [i, [data, more = {}]] of poisoned.entries()) {
      const { name = 'part', jobId = `poison-${i}`, delay } = more;
      await queue.add(name, data as PartJob, { jobId, ...(delay ? { delay } : {}) });
    }
    // What is no JSON at all.
    await queue.add('part', partJob(3), { jobId: 'part-3' });
    await (await queue.backend.client).hset(queue.toKey('part-3'), { data: '{"part":' });
    await queue.close();

    const worker = start(['worker', ...engine, '--threads', '2', '--takeover', '2'], env);
    await until(() => partsIn(out) > 0);
    const sweep = await eos(['sweep', ...grid, ...engine], env);
    expect(sweep).toMatchObject({ code: 0 });
    const { code, stderr } = await worker.done;
    expect(code).toBe(0);
    const told = stderr + sweep.stderr;
    for (const [i, [, more]] of poisoned.entries())
      expect(told).toMatch(new RegExp(`job ${more?.jobId ?? `poison-${i}`} refused: `));
    expect(told).toMatch(/job part-3 refused: it names no part/);
    expect(told).not.toContain('\u001b[31m');
    expect(readFileSync(victim, 'utf8')).toBe('as it was');
    expect(readdirSync(dirname(dirname(out))).sort()).toEqual(['deep', 'victim.parquet']);
    expect(readdirSync(out).sort()).toEqual(['summary', 'sweep.json']);
    expect(parts(out)).toHaveLength(place!.plan.count);
    expect(await summaryRows(out)).toHaveLength(48);
    await redis.stop();
  });

  test('over TLS, with certificates on both sides', async () => {
    const redis = await newRedis({ tls: true });
    const out = join(newFolder(), 'sweep');
    const files = ['--redis-ca', CERTIFICATE, '--redis-cert', CERTIFICATE, '--redis-key', KEY];
    const engine = ['--out', out, '--engine', redis.url];
    const stranger = await eos(['sweep', '--eta', '0.1,0.2', ...engine], env);
    expect(stranger).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('self-signed certificate'),
    });
    expect(existsSync(out)).toBe(false);
    const sweep = start(['sweep', '--eta', '0.1,0.2', '--steps', '100', ...engine, ...files], env);
    const worker = start(['worker', ...engine, ...files, '--threads', '1'], env);
    expect(await sweep.done).toMatchObject({ code: 0 });
    expect(await worker.done).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('Warning'),
    });
    expect(await summaryRows(out)).toHaveLength(2);
    await redis.stop();
  });

  test('a wrong password is told as such, and not repeated', async () => {
    const redis = await newRedis();
    const out = join(newFolder(), 'sweep');
    const none = await eos(['sweep', '--eta', '0.1', '--out', out, '--engine', redis.url], {
      EOS_REDIS_PASSWORD: '',
    });
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('asks for a password') });
    const address = redis.url.replace('://', '://default:hunter2hunter2@');
    const wrong = await eos(['worker', '--out', out, '--engine', address], {
      EOS_REDIS_PASSWORD: '',
    });
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('does not take this user and password'),
    });
    expect(wrong.stderr + wrong.stdout).not.toContain('hunter2');
    expect(existsSync(out)).toBe(false);
    await redis.stop();
  });
});

describe('a Redis that is not there', () => {
  const refused = async (engine: string) => {
    const out = join(newFolder(), 'sweep');
    const result = await eos(['sweep', '--eta', '0.1', '--out', out, '--engine', engine]);
    expect(existsSync(out)).toBe(false);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    return result;
  };

  test('nothing listens', async () => {
    const address = `redis://user:hunter2@127.0.0.1:${await freePort()}`;
    const { code, stderr } = await refused(address);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^eos: --engine: no Redis answers at redis:\/\/127.0.0.1:\d+ \(nothing listens there\)/,
    );
    expect(stderr).not.toContain('hunter2');
  });

  test('something listens and is silent, or is no Redis', async () => {
    const open: Server[] = [];
    const listen = async (answer?: string) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (answer) socket.end(answer);
      });
      open.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `redis://127.0.0.1:${(server.address() as { port: number }).port}`;
    };
    const silent = await refused(await listen());
    expect(silent).toMatchObject({ code: 2, stderr: expect.stringContaining('(no answer)') });
    const web = await refused(await listen('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(web).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('(what answers is no Redis)'),
    });
    for (const server of open) server.close();
  });

  test.each([
    ['no address', 'nonsense', 'this is no address of a Redis'],
    ['another protocol', 'http://127.0.0.1', 'http:// is no address of a Redis'],
    ['a password that is no code', 'redis://:%zz@127.0.0.1', 'write %25 for a percent sign'],
    [
      'a query',
      'redis://127.0.0.1?password=hunter2',
      'what stands behind ? or # in the address would be ignored',
    ],
    [
      'a database beyond all numbers',
      'redis://127.0.0.1/99999999999',
      'there is no database 99999999999',
    ],
    ['a database that is no number', 'redis://127.0.0.1/main', "the database 'main' is no number"],
  ])('%s', async (_, engine, message) => {
    const { code, stderr } = await refused(engine);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(stderr).toMatch(/^eos: --engine: /);
    expect(stderr).not.toContain('hunter2');
  });
});
