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
  /** Further names under which the server may be reached, such as that of a proxy. */
  readonly hosts: readonly string[];
}

/** Addresses that reach only this computer. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Refuses what no page of ours would send: foreign methods, hosts (DNS rebinding) and origins, and
 * wrong tokens.
 */
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
  // A proxy that gives the server another name may speak TLS for it.
  const own = rules.hosts.includes(host.split(':')[0]!.toLowerCase())
    ? [`http://${host}`, `https://${host}`]
    : [`http://${host}`];
  if (origin !== undefined && !own.includes(origin))
    return { status: 403, message: 'this server does not answer to other origins' };
  const fromAfar =
    request.headers['sec-fetch-site'] === 'cross-site' &&
    request.headers['sec-fetch-mode'] !== 'navigate';
  if (fromAfar) return { status: 403, message: 'this server does not answer to other sites' };
  if (rules.token !== undefined && !hasToken(request, rules.token, rules.port))
    return { status: 401, message: 'open the link with ?token=… that eos printed' };
  return undefined;
}

function isOwnHost(header: string, { host, port, hosts }: AccessRules): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(header);
  if (!match) return false;
  const name = match[1]!.replace(/^\[|\]$/g, '').toLowerCase();
  // A forwarded port may have another number here. Names that foreign sites can rebind are no such
  // names.
  if (isLoopback(name) || hosts.includes(name)) return true;
  if (Number(match[2] ?? 80) !== port) return false;
  if (name === host.toLowerCase()) return true;
  return !isLoopback(host) && (name === hostname().toLowerCase() || ownAddresses().includes(name));
}

/** The addresses of this computer, those that others reach first. */
export function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const rank = ({ internal, family }: (typeof all)[number]) =>
    Number(internal) * 2 + Number(family !== 'IPv4');
  return all.sort((a, b) => rank(a) - rank(b)).map(({ address }) => address);
}

const cookieName = (port: number): string => `eos-token-${port}`;

/**
 * The cookies that carry the token. The first goes along where a link of another site is followed;
 * a frame in a page of another site is given the second alone, which browsers take over TLS and
 * from localhost.
 */
export function tokenCookies(token: string, port: number, framed: boolean): readonly string[] {
  const cookie = `${cookieName(port)}=${token}; HttpOnly; SameSite=Lax; Path=/`;
  const inFrames =
    `${cookieName(port)}-framed=${token}; HttpOnly; SameSite=None; Secure; ` +
    'Partitioned; Path=/';
  return framed ? [cookie, inFrames] : [cookie];
}

function hasToken(request: IncomingMessage, token: string, port: number): boolean {
  const cookies = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim().split('='))
    .flatMap(([name, value]) => (name?.startsWith(cookieName(port)) ? [value] : []));
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('token');
  return [...cookies, query].some((given) => typeof given === 'string' && same(given, token));
}

/** Compares in a time that tells nothing of how much was right. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
