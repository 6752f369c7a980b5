import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { UsageError } from '../errors.ts';
import { type AccessRules, isLoopback, ownAddresses, refusal, tokenCookies } from './access.ts';
import { type Connections, endSocket, guardConnections } from './connections.ts';
import { securityHeaders } from './headers.ts';
import { pageFiles } from './page-files.ts';
import { sendFile } from './send-file.ts';
import { locate } from './shared-runs.ts';
import { type Snapshots, snapshots } from './snapshots.ts';
import { type WatchedFiles, watchedFiles } from './watched-files.ts';

export interface DashServerOptions {
  /** Run files and folders of runs; each may still be missing where `waitForFiles` is set. */
  readonly files: readonly string[];
  /**
   * 127.0.0.1 unless given; any other address than this computer's own asks every request for a
   * token.
   */
  readonly host?: string;
  /** Without it 7333, or the next free port. */
  readonly port?: number;
  /** Without it a random one, where one is needed. */
  readonly token?: string;
  readonly waitForFiles?: boolean;
  /**
   * Further host names to answer to, and origins of pages that may show the dashboard in a frame.
   */
  readonly allowHosts?: readonly string[];
  readonly allowFrames?: readonly string[];
}

export interface DashServer {
  /** The page's address on this computer, with the token where one is needed. */
  readonly url: string;
  /** The addresses for other computers, where it listens on all of this one's. */
  readonly forOthers: readonly string[];
  close(): Promise<void>;
}

const FIRST_PORT = 7333;
const PORTS_TRIED = 20;
/** A slow client may hold a connection this long, and no longer. */
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const IDLE_MS = 30_000;
const MAX_URL = 4096;
/** Pages that are told of changes; others ask from time to time. */
const MAX_FOLLOWERS = 256;

/**
 * Serves the dashboard and the named runs, and nothing else: paths are looked up in a table, never
 * joined to a folder.
 *
 * @throws UsageError where a file is missing, the port is taken, or an open address has too short a
 * token
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
  const frames = (options.allowFrames ?? []).map(originOf);
  const hosts = (options.allowHosts ?? []).map(hostNameOf);
  const rules = { host, port: 0, token, hosts };
  const server = createServer({
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: HEADERS_MS,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 16_384,
  });
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  const connections = guardConnections(server);
  const states = snapshots();
  const files = watchedFiles(located, states);
  server.on('request', requestHandler({ files, states, connections, page, frames, rules }));
  rules.port = await listen(server, host, options.port);
  const query = token === undefined ? '' : `?token=${token}`;
  const addressOf = (name: string) =>
    `http://${name.includes(':') ? `[${name}]` : name}:${rules.port}/${query}`;
  const anywhere = host === '0.0.0.0' || host === '::';
  const others = anywhere
    ? ownAddresses().filter((address) => !isLoopback(address) && /^[\d.]+$/.test(address))
    : [];
  return {
    url: addressOf(anywhere ? 'localhost' : host),
    forOthers: others.map(addressOf),
    close: async () => {
      files.close();
      connections.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await states.close();
    },
  };
}

/** @throws UsageError where it is no origin, as it stands in front of the path of an address */
function originOf(text: string): string {
  const { origin } = URL.canParse(text) ? new URL(text) : { origin: '' };
  if (/^https?:/.test(origin) && text.replace(/\/$/, '').toLowerCase() === origin) return origin;
  throw new UsageError(
    `--allow-frame: '${text}' is not an origin; give one such as http://localhost:8888`,
  );
}

/** @throws UsageError where it is not the name of a host */
function hostNameOf(text: string): string {
  if (/^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i.test(text)) return text.toLowerCase();
  throw new UsageError(
    `--allow-host: '${text}' is not a host name; give one such as lab.example.org, without a port`,
  );
}

interface Served {
  readonly files: WatchedFiles;
  readonly states: Snapshots;
  readonly connections: Connections;
  readonly page: ReadonlyMap<string, string>;
  readonly frames: readonly string[];
  readonly rules: AccessRules;
}

function requestHandler({ files, states, connections, page, frames, rules }: Served) {
  const headers = Object.entries(securityHeaders(frames));
  let followers = 0;
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
    for (const [name, value] of headers) response.setHeader(name, value);
    // Whatever a client sends along is not read.
    request.resume();
    const { token, port } = rules;
    const refused = refusal(request, rules);
    if (refused) {
      if (refused.status === 405) response.setHeader('Allow', 'GET, HEAD');
      response.setHeader('Connection', 'close');
      response.on('finish', () => endSocket(request.socket));
      answer(request, response, refused.status, refused.message);
      return;
    }
    const path = requestPath(request.url);
    const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
    if (token !== undefined && path === 'index.html' && query.has('token')) {
      // The token goes into a cookie and out of the address, where it could be seen or copied.
      query.delete('token');
      response.setHeader('Set-Cookie', tokenCookies(token, port, frames.length > 0));
      response
        .writeHead(303, { Location: query.size > 0 ? `./?${query}` : './', 'Content-Length': 0 })
        .end();
      return;
    }
    if (path === 'runs.json') {
      response.setHeader('Cache-Control', 'no-store');
      answer(request, response, 200, await files.list(), 'application/json; charset=utf-8');
      return;
    }
    if (path === 'events' && request.method === 'GET') {
      follow(request, response);
      return;
    }
    const own = path === undefined ? undefined : page.get(path);
    const file = own && path ? { path, file: own } : path && (await files.find(path));
    if (!file) {
      answer(request, response, 404, 'there is nothing here');
      return;
    }
    const end = connections.begin(request);
    if (!end) {
      response.setHeader('Retry-After', '1');
      answer(request, response, 503, 'too many files are being sent; try again');
      return;
    }
    try {
      if (!(await sendFile(file, states, request, response)))
        answer(request, response, 404, 'there is nothing here, or nothing yet');
    } catch {
      // The client went away, or the file shrank while it was sent: either way there is nobody to
      // tell.
      response.destroy();
    } finally {
      end();
    }
  }

  /** Tells a page of every change, by server-sent events. */
  function follow(request: IncomingMessage, response: ServerResponse): void {
    if (followers >= MAX_FOLLOWERS) {
      answer(request, response, 503, 'too many pages follow; ask from time to time');
      return;
    }
    followers++;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 500\n\n');
    // Who does not read what it is told is told no more, rather than all of it kept.
    const send = (text: string) => {
      if (response.writableLength < MAX_UNREAD) response.write(text);
      else response.destroy();
    };
    const leave = files.follow((news) => send(`data: ${JSON.stringify(news)}\n\n`));
    response.on('close', () => {
      followers--;
      leave();
    });
  }
}

/** Connections that may wait to be taken; whoever finds no room tries again a second later only. */
const BACKLOG = 4096;
const MAX_UNREAD = 1 << 20;

/** The decoded path without its leading slash; undefined where it is none. */
function requestPath(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('/') || url.length > MAX_URL) return undefined;
  try {
    return decodeURIComponent(url.slice(1).split(/[?#]/)[0]!) || 'index.html';
  } catch {
    return undefined;
  }
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
      server.listen({ port: candidate, host, backlog: BACKLOG }, () => {
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
