import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How many connections there may be, in all and from one address. */
const MAX_CONNECTIONS = 1024;
const MAX_OF_ADDRESS = 512;
/** For a moment there may be so many, however. */
const MOST_CONNECTIONS = 4096;
const GRACE = 100;
/** Answers under way at the same time; more are asked to come back. */
const MAX_ANSWERS = 768;
/**
 * An answer that nobody has taken anything of for so many milliseconds gives its place to another.
 */
const STALLED = 5000;
/** Milliseconds in which a client may still read the answer to a bad request. */
const LINGER = 500;
const LOOK = 500;

interface Client {
  readonly address: string;
  answers: number;
  /** Bytes sent so far, and when that changed last. */
  sent: number;
  movedAt: number;
}

/** The connections of a server: whoever is slow or silent keeps nobody else from being served. */
export interface Connections {
  /** Room for an answer that takes a while; undefined where all is taken. @returns gives it back */
  begin(request: IncomingMessage): (() => void) | undefined;
  close(): void;
}

/**
 * Cuts the connections that have waited longest for their client to finish a request, once there
 * are too many.
 */
export function guardConnections(server: Server): Connections {
  /** Those that wait for a request come in the order in which they began to. */
  const clients = new Map<Socket, Client>();
  const answering = new Set<Socket>();
  let trimming: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    for (const [socket, client] of clients) {
      if (socket.bytesWritten === client.sent) continue;
      client.sent = socket.bytesWritten;
      client.movedAt = Date.now();
    }
  }, LOOK);
  timer.unref();

  /** The one of a choice that least deserves its place. */
  function worst(among: (client: Client, socket: Socket) => boolean): Socket | undefined {
    let stalled: Socket | undefined;
    let oldest = Date.now() - STALLED;
    for (const [socket, client] of clients) {
      if (!among(client, socket)) continue;
      if (client.answers === 0) return socket;
      if (client.movedAt >= oldest) continue;
      oldest = client.movedAt;
      stalled = socket;
    }
    return stalled;
  }

  /** Cuts what is too much of all, and of each address. */
  function trim(): void {
    trimming = undefined;
    const counts = new Map<string, number>();
    for (const { address } of clients.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const cut = (count: number, among: (client: Client) => boolean) => {
      for (let i = 0; i < count; i++) drop(worst(among));
    };
    for (const [address, count] of counts)
      cut(count - MAX_OF_ADDRESS, (client) => client.address === address);
    cut(clients.size - MAX_CONNECTIONS, () => true);
  }

  function drop(socket: Socket | undefined): void {
    if (!socket) return;
    clients.delete(socket);
    socket.destroy();
  }

  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (clients.size >= MOST_CONNECTIONS) drop(worst(() => true) ?? socket);
    clients.set(socket, { address, answers: 0, sent: 0, movedAt: Date.now() });
    socket.on('close', () => clients.delete(socket));
    // Not at once: who has just come shall be heard before it is looked at who is too slow.
    if (clients.size > MAX_OF_ADDRESS) trimming ??= setTimeout(trim, GRACE);
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const client = clients.get(socket);
    if (!client) return;
    client.answers++;
    client.movedAt = Date.now();
    response.on('close', () => {
      client.answers--;
      // It waits anew, behind all others.
      if (clients.delete(socket) && !socket.destroyed) clients.set(socket, client);
    });
  });
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) socket.destroy();
    else endSocket(socket, 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });

  return {
    begin({ socket }) {
      if (answering.size >= MAX_ANSWERS) {
        const slow = worst((_, each) => answering.has(each));
        if (!slow) return undefined;
        answering.delete(slow);
        slow.destroy();
      }
      answering.add(socket);
      return () => answering.delete(socket);
    },
    close() {
      clearInterval(timer);
      clearTimeout(trimming);
    },
  };
}

/**
 * Ends a connection for good, whatever its client still does; a last answer has its time to arrive.
 */
export function endSocket(socket: Duplex, text = ''): void {
  socket.end(text);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER).unref();
}
