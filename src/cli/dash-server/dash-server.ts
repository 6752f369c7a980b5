import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { UsageError } from '../errors.ts';
import { type AccessRules, cookieName, isLoopback, refusal } from './access.ts';
import { checkedSweeps } from './checked-sweeps.ts';
import { growingRuns } from './growing-runs.ts';
import { SECURITY_HEADERS } from './headers.ts';
import { pageFiles } from './page-files.ts';
import { sendFile } from './send-file.ts';
import { locate, runList, type SharedFile, sharedRuns, sharedSweeps } from './shared-runs.ts';

export interface DashServerOptions {
  /** Run files and folders of runs; each may still be missing where `waitForFiles` is set. */
  readonly files: readonly string[];
  /** 127.0.0.1 unless given; any other address than this computer's own asks every request for a token. */
  readonly host?: string;
  /** Without it 7333, or the next free port. */
  readonly port?: number;
  /** Without it a random one, where one is needed. */
  readonly token?: string;
  readonly waitForFiles?: boolean;
}

export interface DashServer {
  /** The page's address, with the token where one is needed. */
  readonly url: string;
  close(): Promise<void>;
}

const FIRST_PORT = 7333;
const PORTS_TRIED = 20;
/** A slow client may hold a connection this long, and no longer. */
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
const MAX_CONNECTIONS = 2000;
/** Files sent at once; more are asked to come back. */
const MAX_SENDING = 128;
const MAX_URL = 4096;

/**
 * Serves the dashboard and the named runs, and nothing else: paths are looked up in a table, never joined to a folder.
 *
 * @throws UsageError where a file is missing, the port is taken, or an open address has too short a token
 */
export async function startDashServer(options: DashServerOptions): Promise<DashServer> {
  const host = options.host ?? '127.0.0.1';
  const located = locate(options.files, options.waitForFiles);
  const page = pageFiles();
  const token = isLoopback(host)
    ? options.token
    : (options.token ?? randomBytes(16).toString('base64url'));
  if (token !== undefined && !/^[\w.~-]{8,200}$/.test(token)) {
    throw new UsageError('--token: use at least 8 letters, digits, or any of . _ ~ -');
  }
  const rules = { host, port: 0, token };
  const handle = requestHandler(located, page, () => rules);
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: HEADERS_MS,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16_384,
    },
    handle,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  rules.port = await listen(server, host, options.port);
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${rules.port}/${token === undefined ? '' : `?token=${token}`}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function requestHandler(
  located: readonly string[],
  page: ReadonlyMap<string, string>,
  rules: () => AccessRules,
) {
  let sending = 0;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await respond(request, response);
    } catch (error) {
      // A folder may vanish, or be closed to us, while it is listed: that is no reason to end.
      if (response.headersSent) response.destroy();
      else
        answer(
          request,
          response,
          500,
          `the files cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
        );
    }
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    // Whatever a client sends along is not read.
    request.resume();
    const { token, port } = rules();
    const refused = refusal(request, rules());
    if (refused) {
      if (refused.status === 405) response.setHeader('Allow', 'GET, HEAD');
      answer(request, response, refused.status, refused.message);
      return;
    }
    const path = requestPath(request.url);
    const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
    if (token !== undefined && path === 'index.html' && query.has('token')) {
      // The token goes into a cookie and out of the address, where it could be seen or copied.
      query.delete('token');
      response.setHeader(
        'Set-Cookie',
        `${cookieName(port)}=${token}; HttpOnly; SameSite=Strict; Path=/`,
      );
      response
        .writeHead(303, { Location: query.size > 0 ? `/?${query}` : '/', 'Content-Length': 0 })
        .end();
      return;
    }
    if (path === 'runs.json') {
      response.setHeader('Cache-Control', 'no-store');
      const runs = sharedRuns(located);
      answer(
        request,
        response,
        200,
        runList(runs, await checkedSweeps(sharedSweeps(located)), true, await growingRuns(runs)),
        'application/json; charset=utf-8',
      );
      return;
    }
    const file = path === undefined ? undefined : findFile(path, page, located);
    if (!file) {
      answer(request, response, 404, 'there is nothing here');
      return;
    }
    if (sending >= MAX_SENDING) {
      response.setHeader('Retry-After', '1');
      answer(request, response, 503, 'too many files are being sent; try again');
      return;
    }
    sending++;
    try {
      if (!(await sendFile(file, request, response)))
        answer(request, response, 404, 'there is nothing here');
    } catch {
      // The client went away, or the file shrank while it was sent: either way there is nobody to tell.
      response.destroy();
    } finally {
      sending--;
    }
  }
}

/** The decoded path without its leading slash; undefined where it is none. */
function requestPath(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('/') || url.length > MAX_URL) return undefined;
  try {
    return decodeURIComponent(url.slice(1).split(/[?#]/)[0]!) || 'index.html';
  } catch {
    return undefined;
  }
}

function findFile(
  path: string,
  page: ReadonlyMap<string, string>,
  located: readonly string[],
): SharedFile | undefined {
  const own = page.get(path);
  if (own) return { path, file: own };
  if (!path.startsWith('data/')) return undefined;
  for (const run of sharedRuns(located)) {
    const match = [run, ...Object.values(run.companions)].find((file) => file.path === path);
    if (match) return match;
  }
  for (const sweep of sharedSweeps(located)) {
    const match = sweep.parts.find((file) => file.path === path);
    if (match) return match;
  }
  return undefined;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function listen(server: Server, host: string, port: number | undefined): Promise<number> {
  const candidates =
    port === undefined
      ? [...Array.from({ length: PORTS_TRIED }, (_, i) => FIRST_PORT + i), 0]
      : [port];
  for (const candidate of candidates) {
    const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(candidate, host, () => {
        server.off('error', resolve);
        resolve(undefined);
      });
    });
    if (!problem) break;
    if (problem.code === 'EADDRINUSE' && port === undefined) continue;
    if (problem.code === 'EADDRINUSE')
      throw new UsageError(
        `--port: ${port} is taken by another program; give another one, or none for the next free`,
      );
    if (problem.code === 'EACCES')
      throw new UsageError(`--port: ${port} needs more rights; give one above 1023`);
    throw new UsageError(`--host: ${host} is no address of this computer (${problem.code})`);
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
