import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type DashServer,
  type DashServerOptions,
  startDashServer,
} from '../../src/cli/dash-server/dash-server.ts';
import { parseRange } from '../../src/cli/dash-server/send-file.ts';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** A request exactly as given: no client tidies the path or the headers. */
function ask(
  port: number,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly host?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: options.host ?? '127.0.0.1',
        port,
        path,
        method: options.method ?? 'GET',
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts),
          }),
        );
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** Sends bytes on a raw socket and returns all that comes back. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let back = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (part) => (back += part));
    socket.on('close', () => resolve(back));
    socket.on('error', () => resolve(back));
    setTimeout(() => socket.destroy(), 3000);
  });
}

describe('the server of the dashboard', () => {
  let folder: string;
  let server: DashServer;
  let port: number;
  const secret = 'not for the page';
  const run = Buffer.from(`PAR1${'0123456789'.repeat(100)}PAR1`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-server-'));
    mkdirSync(join(folder, 'runs'));
    writeFileSync(join(folder, 'secret.parquet'), secret);
    writeFileSync(join(folder, 'runs/run.parquet'), run);
    writeFileSync(join(folder, 'runs/run.constrained.parquet'), 'PAR1');
    writeFileSync(join(folder, 'runs/notes.txt'), secret);
    symlinkSync(join(folder, 'secret.parquet'), join(folder, 'runs/link.parquet'));
    server = await startDashServer({ files: [join(folder, 'runs')], port: 0 });
    port = Number(new URL(server.url).port);
  });
  afterAll(async () => {
    await server?.close();
    removeFolder(folder);
  });

  const stillServing = async () => expect((await ask(port, '/')).status).toBe(200);

  test('gives the page, the list and the runs, always with security headers', async () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    const list = JSON.parse((await ask(port, '/runs.json')).body.toString());
    expect(list).toEqual({
      version: 1,
      live: true,
      runs: [
        {
          name: 'run.parquet',
          path: 'data/run.parquet',
          companions: { constrained: 'data/run.constrained.parquet' },
        },
      ],
      sweeps: [],
    });
    for (const path of ['/', '/index.html', '/data/run.parquet', '/nowhere', '/runs.json']) {
      const { headers } = await ask(port, path);
      expect(headers['content-security-policy']).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      );
      expect(headers['content-security-policy']).not.toMatch(/'unsafe|https?:/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await ask(port, '/data/run.parquet')).body).toEqual(run);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])(
    'refuses %s',
    async (method) => {
      const { status, headers } = await ask(port, '/data/run.parquet', { method });
      expect(status).toBe(405);
      expect(headers.allow).toBe('GET, HEAD');
    },
  );

  test('answers HEAD like GET, without the bytes', async () => {
    const { status, headers, body } = await ask(port, '/data/run.parquet', { method: 'HEAD' });
    expect([status, headers['content-length'], headers['accept-ranges'], body.length]).toEqual([
      200,
      String(run.length),
      'bytes',
      0,
    ]);
    expect(headers.etag).toMatch(/^"[\w-]+"$/);
  });

  test('refuses foreign hosts, as DNS rebinding would bring them', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil:${port}`,
      `[::1`,
      `127.0.0.1:${port}@evil`,
      `evil.example#127.0.0.1:${port}`,
    ]) {
      expect((await ask(port, '/data/run.parquet', { headers: { host } })).status).toBe(403);
    }
    // The last is what a forwarded port sends.
    for (const host of [
      ...[`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'localhost:8888'],
    ])
      expect((await ask(port, '/', { headers: { host } })).status).toBe(200);
    expect(await raw(port, 'GET /data/run.parquet HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 40[03]/);
    expect(
      await raw(
        port,
        `GET http://evil.example/data/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 404/);
  });

  test('refuses foreign origins and sites', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${port}`,
      'http://127.0.0.1:1',
    ]) {
      expect((await ask(port, '/runs.json', { headers: { origin } })).status).toBe(403);
    }
    expect(
      (await ask(port, '/runs.json', { headers: { origin: `http://127.0.0.1:${port}` } })).status,
    ).toBe(200);
    expect(
      (
        await ask(port, '/runs.json', {
          headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
        })
      ).status,
    ).toBe(403);
    expect(
      (
        await ask(port, '/', {
          headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        })
      ).status,
    ).toBe(200);
  });

  test('no path leads out of the shared files', async () => {
    const paths = [
      '/../secret.parquet',
      '/data/../../secret.parquet',
      '/data/%2e%2e/%2e%2e/secret.parquet',
      '/data/..%2f..%2fsecret.parquet',
      '/data/notes.txt',
      '/data/link.parquet',
      '/data//etc/passwd',
      `//${folder}/secret.parquet`,
      `${folder}/secret.parquet`,
      '/data/run.parquet/../../secret.parquet',
      '/data/run.parquet%00.txt',
      '/data/..\\..\\secret.parquet',
      '/assets/../../../package.json',
      '/%',
      '/data/%ff',
      '/package.json',
      '/data/',
      '/data',
    ];
    for (const path of paths) {
      const { status, body } = await ask(port, path);
      expect([path, status]).toEqual([path, 404]);
      expect(body.toString()).not.toContain(secret);
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom(
            '..',
            '.',
            '%2e',
            '/',
            '%2f',
            '\\',
            '%5c',
            'data',
            'secret.parquet',
            'link.parquet',
            '%00',
            '~',
            '*',
          ),
          { maxLength: 10 },
        ),
        async (pieces) => {
          const { body } = await ask(port, `/${pieces.join('')}`);
          expect(body.toString()).not.toContain(secret);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a file that is replaced by a link or a pipe is no longer given', async () => {
    const path = join(folder, 'runs/swap.parquet');
    const single = await startDashServer({ files: [path], port: 0, waitForFiles: true });
    const its = Number(new URL(single.url).port);
    writeFileSync(path, 'PAR1 mine');
    expect((await ask(its, '/data/swap.parquet')).body.toString()).toBe('PAR1 mine');
    unlinkSync(path);
    symlinkSync(join(folder, 'secret.parquet'), path);
    expect((await ask(its, '/data/swap.parquet')).status).toBe(404);
    unlinkSync(path);
    execFileSync('mkfifo', [path]);
    expect((await ask(its, '/data/swap.parquet')).status).toBe(404);
    unlinkSync(path);
    symlinkSync(join(folder, 'secret.parquet'), `${path}.partial`);
    expect((await ask(its, '/data/swap.parquet')).status).toBe(404);
    unlinkSync(`${path}.partial`);
    await single.close();
  });

  test('a run being written is given under its final name', async () => {
    const path = join(folder, 'runs/new.parquet');
    writeFileSync(`${path}.partial`, 'PAR1 first part');
    const before = await ask(port, '/data/new.parquet');
    expect(before.body.toString()).toBe('PAR1 first part');
    writeFileSync(`${path}.whole`, 'PAR1 all of it!');
    renameSync(`${path}.whole`, path);
    const after = await ask(port, '/data/new.parquet');
    expect(after.body.toString()).toBe('PAR1 all of it!');
    expect(after.headers.etag).not.toBe(before.headers.etag);
    unlinkSync(path);
    unlinkSync(`${path}.partial`);
  });

  test('goes on when a shared folder vanishes, and gives it again when it is back', async () => {
    const shared = join(folder, 'passing');
    mkdirSync(shared);
    writeFileSync(join(shared, 'a.parquet'), 'PAR1');
    const other = await startDashServer({
      files: [shared, join(folder, 'runs/run.parquet')],
      port: 0,
    });
    const its = Number(new URL(other.url).port);
    const names = async () =>
      JSON.parse((await ask(its, '/runs.json')).body.toString()).runs.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names()).toEqual(['a.parquet', 'run.parquet']);
    removeFolder(shared);
    expect((await ask(its, '/data/a.parquet')).status).toBe(404);
    expect((await ask(its, '/data/run.parquet')).body).toEqual(run);
    mkdirSync(shared);
    writeFileSync(join(shared, 'b.parquet'), 'PAR1');
    expect(await names()).toEqual(['b.parquet', 'run.parquet']);
    await other.close();
  });

  test('lists files as people count', async () => {
    const shared = join(folder, 'counted');
    mkdirSync(shared);
    for (const name of ['run-10', 'run-9', 'b', 'run-1'])
      writeFileSync(join(shared, `${name}.parquet`), 'PAR1');
    const other = await startDashServer({ files: [shared], port: 0 });
    const { body } = await ask(Number(new URL(other.url).port), '/runs.json');
    await other.close();
    expect(JSON.parse(body.toString()).runs.map(({ name }: { name: string }) => name)).toEqual(
      ['b', 'run-1', 'run-9', 'run-10'].map((name) => `${name}.parquet`),
    );
  });

  test('gives ranges as HTTP has them', async () => {
    for (const [range, status, start, end] of [
      ['bytes=0-3', 206, 0, 4],
      ['bytes=-4', 206, run.length - 4, run.length],
      ['bytes=1000-', 206, 1000, run.length],
      ['bytes=5-999999', 206, 5, run.length],
      ['bytes=0-0,5-6', 200, 0, run.length],
      ['lines=1-2', 200, 0, run.length],
      ['bytes=-', 200, 0, run.length],
    ] as const) {
      const answer = await ask(port, '/data/run.parquet', { headers: { range } });
      expect(answer.status).toBe(status);
      expect(answer.body).toEqual(run.subarray(start, end));
      if (status === 206)
        expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${run.length}`);
    }
    for (const range of ['bytes=5000-', 'bytes=9-3', 'bytes=-0']) {
      const answer = await ask(port, '/data/run.parquet', { headers: { range } });
      expect([answer.status, answer.headers['content-range']]).toEqual([
        416,
        `bytes */${run.length}`,
      ]);
    }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([a, b]) => `bytes=${a}-${b}`),
        ),
        fc.nat(),
        (header, size) => {
          const parsed = parseRange(header, size);
          if (typeof parsed !== 'object') return;
          expect(parsed.start).toBeLessThanOrEqual(parsed.end);
          expect(parsed.start).toBeGreaterThanOrEqual(0);
          expect(parsed.end).toBeLessThan(size);
        },
      ),
    );
  });

  test('honours conditions as HTTP has them', async () => {
    const path = '/data/run.parquet';
    const { headers } = await ask(port, path, { method: 'HEAD' });
    const etag = headers.etag as string;
    const range = 'bytes=0-3';
    for (const [asked, status, length] of [
      [{ 'if-match': etag }, 200, run.length],
      [{ 'if-match': `"other", ${etag}`, range }, 206, 4],
      [{ 'if-match': '*' }, 200, run.length],
      [{ 'if-match': '"other"', range }, 412, 0],
      [{ 'if-match': `W/${etag}` }, 412, 0],
      [{ 'if-none-match': etag }, 304, 0],
      [{ 'if-none-match': `"other", W/${etag}` }, 304, 0],
      [{ 'if-none-match': '"other"' }, 200, run.length],
      [{ 'if-range': etag, range }, 206, 4],
      [{ 'if-range': '"other"', range }, 200, run.length],
      [{ 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT', range }, 200, run.length],
    ] as const) {
      const answer = await ask(port, path, { headers: asked as Record<string, string> });
      expect([asked, answer.status, answer.body.length]).toEqual([asked, status, length]);
      expect(answer.headers.etag).toBe(etag);
    }
  });

  test('survives 500 slow and broken connections, and serves the while', async () => {
    const open: Socket[] = [];
    const starts = [
      '',
      'G',
      'GET / HTTP/1.1\r\nHost: ',
      `GET /data/run.parquet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: `,
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 1000000\r\n\r\nx`,
      '\0\0\0\0\0',
      '\x16\x03\x01\x02\x00\x01\x00',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${'A: b\r\n'.repeat(300)}`,
    ];
    for (let i = 0; i < 500; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(starts[i % starts.length]!);
      open.push(socket);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    await stillServing();
    expect((await ask(port, '/data/run.parquet')).body).toEqual(run);
    const trickle = setInterval(() => {
      for (const socket of open) if (socket.writable) socket.write('x');
    }, 500);
    await stillServing();
    // The slow ones are shown the door.
    await expect
      .poll(
        () =>
          open.filter((socket) => socket.readableEnded || socket.destroyed || socket.closed).length,
      )
      .toBe(500);
    clearInterval(trickle);
    for (const socket of open) socket.destroy();
    await stillServing();
  });

  test('huge headers and addresses, and requests smuggled in others, are refused', async () => {
    expect(
      await raw(
        port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 4\d\d/);
    expect(
      await raw(
        port,
        `GET /${'a'.repeat(10_000)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 4\d\d/);
    expect(
      await raw(
        port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzzzz`,
      ),
    ).toMatch(/^HTTP\/1.1 400/);
    expect(
      await raw(
        port,
        `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      ),
    ).not.toContain(secret);
    await stillServing();
  });
});

describe('an open address', () => {
  test('needs a token, which the first visit turns into a cookie', async () => {
    const server = await startDashServer({ files: [], host: '0.0.0.0', port: 0 });
    const url = new URL(server.url);
    const port = Number(url.port);
    const token = url.searchParams.get('token')!;
    expect(token.length).toBeGreaterThan(20);
    const own = { host: `localhost:${port}` };
    expect((await ask(port, '/', { headers: own })).status).toBe(401);
    expect(
      (await ask(port, '/runs.json', { headers: { ...own, cookie: `eos-token-${port}=wrong` } }))
        .status,
    ).toBe(401);
    expect((await ask(port, `/?token=${token.slice(1)}`, { headers: own })).status).toBe(401);
    const first = await ask(port, `/?token=${token}&theme=dark`, { headers: own });
    expect([first.status, first.headers.location]).toEqual([303, './?theme=dark']);
    const [cookie] = first.headers['set-cookie'] as string[];
    expect(cookie).toMatch(/HttpOnly; SameSite=Lax; Path=\/$/);
    expect(
      (await ask(port, '/runs.json', { headers: { ...own, cookie: cookie!.split(';')[0]! } }))
        .status,
    ).toBe(200);
    expect(
      (await ask(port, `/?token=${token}`, { headers: { host: `evil.example:${port}` } })).status,
    ).toBe(403);
    await server.close();
  });
});

describe('from elsewhere', () => {
  const token = 'sesame-open';
  const started = async (options: Partial<DashServerOptions>) => {
    const server = await startDashServer({ files: [], port: 0, ...options });
    onTestFinished(server.close);
    return Number(new URL(server.url).port);
  };

  test('a link with the token works from another site, and its cookie goes along', async () => {
    const port = await started({ token });
    const fromAfar = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    const first = await ask(port, `/?token=${token}`, { headers: fromAfar });
    expect(first.status).toBe(303);
    const [cookie] = first.headers['set-cookie'] as string[];
    // Strict cookies stay at home where a link of another site leads here, by way of a redirect
    // too.
    expect(cookie).toMatch(/; SameSite=Lax; /);
    expect(cookie).not.toContain('Secure');
    const headers = { ...fromAfar, cookie: cookie!.split(';')[0]! };
    expect((await ask(port, '/', { headers })).status).toBe(200);
  });

  test('a forwarded port has another number here, and needs the token all the same', async () => {
    const port = await started({ token });
    const host = 'localhost:8888';
    expect((await ask(port, '/', { headers: { host } })).status).toBe(401);
    const cookie = `eos-token-${port}=${token}`;
    const own = { host, cookie, origin: `http://${host}` };
    expect((await ask(port, '/runs.json', { headers: own })).status).toBe(200);
    const foreign = { ...own, origin: 'http://localhost:9999' };
    expect((await ask(port, '/runs.json', { headers: foreign })).status).toBe(403);
  });

  test('allowed host names are answered to, with TLS in front too, and no others', async () => {
    const port = await started({ allowHosts: ['Lab.Example.org'] });
    for (const [host, origin, status] of [
      ['lab.example.org', 'https://lab.example.org', 200],
      ['LAB.example.org:8443', 'https://LAB.example.org:8443', 200],
      ['lab.example.org', 'https://evil.example', 403],
      ['evil.example', 'https://evil.example', 403],
      ['lab.example.org.evil.example', 'http://lab.example.org.evil.example', 403],
      [`127.0.0.1:${port}`, `https://127.0.0.1:${port}`, 403],
    ] as const)
      expect([host, (await ask(port, '/', { headers: { host, origin } })).status]).toEqual([
        host,
        status,
      ]);
    await expect(started({ allowHosts: ['lab.example.org:80'] })).rejects.toThrow(
      "--allow-host: 'lab.example.org:80' is not a host name",
    );
  });

  test('pages of allowed origins may show it in a frame, others may not', async () => {
    const port = await started({ token, allowFrames: ['http://localhost:8888'] });
    const cookie = `eos-token-${port}-framed=${token}`;
    const framed = await ask(port, '/', { headers: { cookie } });
    expect(framed.status).toBe(200);
    expect(framed.headers['content-security-policy']).toMatch(
      /; frame-ancestors 'self' http:\/\/localhost:8888$/,
    );
    expect(framed.headers['x-frame-options']).toBeUndefined();
    const { headers } = await ask(port, `/?token=${token}`);
    expect((headers['set-cookie'] as string[]).at(-1)).toMatch(/SameSite=None; Secure; Partition/);
    for (const bad of ['localhost:8888', 'http://a.example/path', '*', "http://a' script"])
      await expect(started({ allowFrames: [bad] })).rejects.toThrow('is not an origin');
  });

  test('an address of all of this computer is told as addresses that open', async () => {
    const server = await startDashServer({ files: [], host: '0.0.0.0', port: 0 });
    onTestFinished(server.close);
    for (const address of [server.url, ...server.forOthers]) {
      const { hostname, port, search, host } = new URL(address);
      expect(hostname).not.toBe('0.0.0.0');
      const answer = await ask(Number(port), `/${search}`, { host: hostname, headers: { host } });
      expect([address, answer.status]).toEqual([address, 303]);
    }
  });
});

describe('eos dash serve', () => {
  const start = (...args: string[]) =>
    spawn(process.execPath, [join(root, 'bin/run.js'), 'dash', 'serve', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const ended = async (...args: string[]) => {
    const child = start(...args);
    let text = '';
    child.stderr.on('data', (part) => (text += part));
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { code, lines: text.trim().split('\n') };
  };

  test('a busy or bad port, a bad address, a missing file: one line, exit code 2', async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as { port: number };
    for (const [args, message] of [
      [['--port', String(port)], `--port: ${port} is taken by another program`],
      [['--port', '70000'], "--port: '70000' is not a port"],
      [
        ['--host', '203.0.113.7', '--port', '0'],
        '--host: 203.0.113.7 is no address of this computer',
      ],
      [['--host', '0.0.0.0', '--token', 'short'], '--token: use at least 8'],
      [['/nowhere/run.parquet'], '/nowhere/run.parquet: there is no such file'],
    ] as const) {
      const { code, lines } = await ended(...args);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(message);
      expect(code).toBe(2);
    }
    busy.close();
  });

  test.runIf(process.platform === 'linux')(
    '--open gives the address to the system, and goes on without it',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'eos-open-'));
      writeFileSync(
        join(folder, 'xdg-open'),
        '#!/bin/sh\nprintf %s "$1" > "$(dirname "$0")/opened"\n',
        {
          mode: 0o755,
        },
      );
      for (const path of [`${folder}:${process.env.PATH}`, folder]) {
        const args = [join(root, 'bin/run.js'), 'dash', 'serve', '--open', '--port', '0'];
        const child = spawn(process.execPath, args, {
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { ...process.env, PATH: path },
        });
        const url = await new Promise<string>((resolve) =>
          child.stdout.on('data', (part) => resolve(/http:\S+/.exec(String(part))![0])),
        );
        if (path !== folder) {
          await expect
            .poll(() =>
              existsSync(join(folder, 'opened'))
                ? readFileSync(join(folder, 'opened'), 'utf8')
                : '',
            )
            .toBe(url);
          rmSync(join(folder, 'xdg-open'));
        }
        expect((await ask(Number(new URL(url).port), '/')).status).toBe(200);
        const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
        child.kill('SIGINT');
        expect(await code).toBe(0);
      }
      removeFolder(folder);
    },
  );

  test('listens on 127.0.0.1 alone, and Ctrl-C ends it whoever is connected', async () => {
    const child = start('--port', '0');
    const url = await new Promise<string>((resolve) =>
      child.stdout.on('data', (part) => resolve(/http:\S+/.exec(String(part))![0])),
    );
    const { port, hostname } = new URL(url);
    expect(hostname).toBe('127.0.0.1');
    await expect(ask(Number(port), '/', { host: '127.0.0.2' })).rejects.toThrow('ECONNREFUSED');
    const idle = connect(Number(port), '127.0.0.1');
    idle.on('error', () => {});
    const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await code).toBe(0);
    idle.destroy();
  });
});
