import { spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';

const SECRET = 'nobody-may-read-this';

interface Target {
  readonly pid: number;
  readonly port: number;
  /** Address of the page, a token and all. */
  readonly url: string;
}

/** The server over a folder that has a secret beside it, and links to it inside. */
async function serve(args: readonly string[] = []): Promise<Target> {
  const folder = temporaryFolder();
  const runs = join(folder, 'runs');
  mkdirSync(runs);
  writeFileSync(join(folder, 'secret.parquet'), SECRET);
  copyFileSync(join(root, 'data/three-phases.parquet'), join(runs, 'run.parquet'));
  symlinkSync(join(folder, 'secret.parquet'), join(runs, 'link.parquet'));
  symlinkSync(folder, join(runs, 'folder'));
  const server = startEos(['dash', 'serve', runs, '--port', '0', ...args], { cwd: folder });
  const url = await addressOf(server);
  return { pid: server.child.pid!, port: Number(new URL(url).port), url };
}

/** What a server says that it serves at, once it does; it goes with the test. */
async function addressOf(server: ReturnType<typeof startEos>): Promise<string> {
  let printed = '';
  server.child.stdout?.on('data', (text: string) => {
    printed += text;
  });
  onTestFinished(() => {
    server.child.kill('SIGKILL');
  });
  await server.says('Ctrl-C ends it');
  return /http:\/\/\S+/.exec(printed)![0];
}

/**
 * Sends bytes, says no more, and gives back what comes until the connection ends or has been silent
 * for a while.
 */
function send(port: number, bytes: string | Uint8Array, silence = 400): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const end = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(silence, end);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

const get = (
  port: number,
  path: string,
  headers: readonly string[] = [`Host: 127.0.0.1:${port}`],
) =>
  send(
    port,
    [`GET ${path} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'),
    10_000,
  );

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

async function expectServing({ port }: Target): Promise<void> {
  const answer = await get(port, '/');
  expect(statusOf(answer)).toBe(200);
  expect(answer).toMatch(/content-security-policy:/i);
}

test('it listens on 127.0.0.1, with one socket, and on nothing else', async () => {
  const target = await serve();
  const folder = `/proc/${target.pid}/fd`;
  const inodes = new Set(
    readdirSync(folder).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, name)))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  const listening = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) =>
    readFileSync(`/proc/${target.pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, , , state, , , , , , inode]) =>
          (kind.startsWith('udp') || state === '0A') && inodes.has(inode!),
      )
      .map(([, address]) => `${kind} ${address}`),
  );
  expect(listening).toEqual([
    `tcp 0100007F:${target.port.toString(16).toUpperCase().padStart(4, '0')}`,
  ]);
});

test('no path leads to a file beside the shared ones', async () => {
  const target = await serve();
  const ups = [
    '..',
    '%2e%2e',
    '%2E.',
    '..%00',
    '.%2e',
    '%252e%252e',
    '....',
    '..;',
    '%c0%ae%c0%ae',
  ];
  const slashes = ['/', '%2f', '%5c', '\\', '//'];
  const paths = ups.flatMap((up) => slashes.map((slash) => `/runs/${up}${slash}secret.parquet`));
  paths.push(
    ...[
      '/../../../../etc/passwd',
      '//etc/passwd',
      '/runs//etc/passwd',
      '/runs/link.parquet',
      '/runs/folder/secret.parquet',
    ],
    ...[
      '/runs/%00',
      '/%',
      '/%zz',
      `/${'a/'.repeat(3000)}`,
      '/runs/run.parquet%00.html',
      '/runs/..',
      'secret.parquet',
      '*',
    ],
    ...[
      'http://evil.example/',
      'file:///etc/passwd',
      '/__proto__',
      '/constructor',
      '/runs/__proto__',
      '/runs/hasOwnProperty',
    ],
  );
  for (const path of paths) {
    const answer = await get(target.port, path);
    expect(answer, path).not.toContain(SECRET);
    expect(answer, path).not.toContain('root:');
    expect([path, statusOf(answer)]).not.toEqual([path, 500]);
  }
  await expectServing(target);
});

test('links inside what is shared are neither listed nor followed, named ones are', async () => {
  const folder = temporaryFolder();
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  for (const name of ['private.parquet', 'run.parquet', 'run.constrained.parquet'])
    writeFileSync(join(outside, name), SECRET);
  const share = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    writeFileSync(join(path, 'sweep.json'), '{}');
    return path;
  };
  const linked = share('linked');
  symlinkSync(outside, join(linked, 'summary'));
  const swapped = share('swapped');
  mkdirSync(join(swapped, 'summary'));
  writeFileSync(join(swapped, 'summary', 'private.parquet'), 'own');
  const runs = join(folder, 'runs');
  mkdirSync(runs);
  writeFileSync(join(runs, 'run.parquet'), 'own');
  symlinkSync(runs, join(folder, 'named'));
  symlinkSync(join(outside, 'run.parquet'), join(runs, 'other.parquet'));
  symlinkSync(join(outside, 'run.constrained.parquet'), join(runs, 'run.constrained.parquet'));
  const server = startEos(['dash', 'serve', linked, swapped, join(folder, 'named'), '--port', '0']);
  const port = Number(new URL(await addressOf(server)).port);
  const body = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
  const list = JSON.parse(body(await get(port, '/runs.json'))) as {
    runs: { name: string }[];
    sweeps: { name: string }[];
  };
  expect(list.runs.map(({ name }) => name)).toEqual(['run.parquet']);
  expect(list.sweeps.map(({ name }) => name)).toEqual(['swapped']);
  expect(body(await get(port, '/data/run.parquet'))).toBe('own');
  expect(body(await get(port, '/data/sweep-1/private.parquet'))).toBe('own');
  // A folder may be replaced by a link while the server runs, the shared one itself as well.
  renameSync(join(swapped, 'summary'), join(swapped, 'before'));
  symlinkSync(outside, join(swapped, 'summary'));
  renameSync(runs, join(folder, 'before'));
  symlinkSync(outside, runs);
  for (const path of [
    'run',
    'other',
    'private',
    'run.constrained',
    'sweep-1/private',
    'sweep-2/private',
  ]) {
    const answer = await get(port, `/data/${path}.parquet`);
    expect([path, statusOf(answer)]).toEqual([path, 404]);
    expect(answer).not.toContain(SECRET);
  }
  expect(body(await get(port, '/runs.json'))).not.toContain('private');
});

test('other hosts, origins and methods are refused', async () => {
  const target = await serve();
  const { port } = target;
  const own = `Host: 127.0.0.1:${port}`;
  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['GET', []],
    ['GET', ['Host: evil.example']],
    ['GET', [`Host: evil.example:${port}`]],
    ['GET', [`Host: 127.0.0.1.evil.example:${port}`]],
    ['GET', [`Host: 127.0.0.1:${port}@evil.example`]],
    ['GET', ['Host: evil.example:80']],
    ['GET', [`Host: [::ffff:1.2.3.4]:${port}`]],
    ['GET', [`Host: 0.0.0.0:${port}`]],
    ['GET', [own, `Host: evil.example`]],
    ['GET', [own, 'Origin: http://evil.example']],
    ['GET', [own, 'Origin: null']],
    ['GET', [own, `Origin: http://localhost:${port + 1}`]],
    ['GET', [own, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors']],
    ...[
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'CONNECT',
      'PROPFIND',
      'get',
      'G\u00c9T',
    ].map((method) => [method, [own, 'Content-Length: 0']] as const),
  ];
  for (const [method, headers] of refused) {
    for (const path of ['/', '/runs/run.parquet']) {
      const answer = await send(
        port,
        [`${method} ${path} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'),
      );
      const status = statusOf(answer);
      const what = `${method} ${path} ${headers.join(' ')}`;
      expect([what, status === 0 || (status >= 400 && status < 500)]).toEqual([what, true]);
      expect(answer, what).not.toContain('PAR1');
      expect(answer, what).not.toMatch(/access-control-allow/i);
    }
  }
  await expectServing(target);
});

test('what is no HTTP, or too much of it, is refused', async () => {
  const target = await serve();
  const { port } = target;
  const head = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const attacks: readonly (string | Uint8Array)[] = [
    '\r\n\r\n\r\n',
    'GET /\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256),
    Uint8Array.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
    `${head}X: ${'x'.repeat(1 << 20)}\r\n\r\n`,
    `${head}${Array.from({ length: 5000 }, (_, i) => `X-${i}: 1\r\n`).join('')}\r\n`,
    `GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\n\r\n`,
    `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /secret HTTP/1.1\r\n\r\n`,
    `${head}Content-Length: 99999999999999999999\r\n\r\n`,
    `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `${head}X : 1\r\n\r\n`,
    `${head}X: a\u0000b\r\n\r\n`,
    `${head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `${head}Expect: 100-continue\r\n\r\n`,
    `GET /runs/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nRange: bytes=${'0-,'.repeat(2000)}0-\r\nConnection: close\r\n\r\n`,
    `GET /runs/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nRange: bytes=99999999999999999999-\r\nConnection: close\r\n\r\n`,
    `GET /runs/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nRange: bytes=-0\r\nConnection: close\r\n\r\n`,
  ];
  for (const attack of attacks) {
    const answer = await send(port, attack);
    expect(answer).not.toContain(SECRET);
    expect(statusOf(answer)).not.toBe(500);
    await expectServing(target);
  }
});

test('500 connections that say little or nothing keep nobody from being served', async () => {
  const target = await serve();
  const { port } = target;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let i = 0; i < 500; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    if (i % 4 === 1) socket.write('GET / HTT');
    if (i % 4 === 2) socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `);
    // Asks for a run and reads none of it.
    if (i % 4 === 3) {
      socket.pause();
      socket.write(`GET /runs/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(20));
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (let i = 0; i < 10; i++) await expectServing(target);
  for (const socket of sockets) socket.resetAndDestroy();
  await expectServing(target);
});

test('2,000 connections that send a byte now and then lock nobody out', async () => {
  const { port } = await serve(['--token', 'sesame-open']);
  const script = join(root, 'test/safety/slow-senders.mjs');
  const attackers = spawn(process.execPath, [script, String(port), 'sesame-open']);
  onTestFinished(() => {
    attackers.kill('SIGKILL');
  });
  await watch(attackers).says('a thousand were cut');
  let longest = 0;
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    const headers = [`Host: 127.0.0.1:${port}`, `Cookie: eos-token-${port}=sesame-open`];
    for (const [path, cookie, status] of [
      ['/', headers, 200],
      ['/runs.json', headers, 200],
      ['/', headers.slice(0, 1), 401],
    ] as const)
      expect([path, statusOf(await get(port, path, cookie))]).toEqual([path, status]);
    longest = Math.max(longest, performance.now() - before);
  }
  console.log(`three visits beside 2,000 slow senders: at most ${Math.round(longest)} ms`);
});

test('after the answer to a bad request the connection ends, whatever still comes', async () => {
  const { port } = await serve();
  for (const bad of ['NONSENSE\r\n\r\n', 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n']) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    const closed = new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
    socket.write(bad);
    const drip = setInterval(() => socket.write('x'), 50);
    onTestFinished(() => {
      clearInterval(drip);
      socket.destroy();
    });
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
});

test('an open address is served only to those who have the token', async () => {
  const target = await serve(['--host', '0.0.0.0', '--token', 'sesame-open']);
  const { port } = target;
  const own = `Host: 127.0.0.1:${port}`;
  for (const [path, headers] of [
    ['/', []],
    ['/?token=', []],
    ['/?token=sesame-ope', []],
    ['/?token[]=sesame-open', []],
    ['/', ['Cookie: token=sesame-open']],
    ['/', ['Authorization: Bearer guess']],
  ] as const) {
    const answer = await get(port, path, [own, ...headers]);
    expect([path, statusOf(answer)]).toEqual([path, 401]);
    expect(answer).not.toContain('sesame-open');
  }
  expect([200, 302, 303, 307]).toContain(statusOf(await get(port, '/?token=sesame-open', [own])));
});
