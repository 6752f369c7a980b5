import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

export interface AccessRules {
  readonly host: string;
  readonly port: number;
  /** Needed from everybody where it is set. */
  readonly token: string | undefined;
}

/** Addresses that reach only this computer. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/** Refuses what no page of ours would send: foreign methods, hosts (DNS rebinding) and origins, and wrong tokens. */
export function refusal(request: IncomingMessage, rules: AccessRules): Refusal | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, message: 'only GET and HEAD are answered' };
  // Of two hosts Node tells the first alone.
  if (
    request.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length > 1
  )
    return { status: 400, message: 'a request has one host' };
  const host = request.headers.host ?? '';
  if (!isOwnHost(host, rules))
    return { status: 403, message: 'this server does not answer to that host name' };
  const { origin } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, message: 'this server does not answer to other origins' };
  const fromAfar =
    request.headers['sec-fetch-site'] === 'cross-site' &&
    request.headers['sec-fetch-mode'] !== 'navigate';
  if (fromAfar) return { status: 403, message: 'this server does not answer to other sites' };
  if (rules.token !== undefined && !hasToken(request, rules.token, rules.port))
    return { status: 401, message: 'open the link with ?token=… that eos printed' };
  return undefined;
}

function isOwnHost(header: string, { host, port }: AccessRules): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(header);
  if (!match || Number(match[2] ?? 80) !== port) return false;
  const name = match[1]!.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === host.toLowerCase() || isLoopback(name)) return true;
  if (isLoopback(host)) return false;
  const own = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
  return name === hostname().toLowerCase() || own.includes(name);
}

export const cookieName = (port: number): string => `eos-token-${port}`;

function hasToken(request: IncomingMessage, token: string, port: number): boolean {
  const cookie = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim().split('='))
    .find(([name]) => name === cookieName(port))?.[1];
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('token');
  return [cookie, query].some((given) => typeof given === 'string' && same(given, token));
}

/** Compares in a time that tells nothing of how much was right. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
