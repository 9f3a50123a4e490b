/** Connections: neither many that say nothing, nor many that ask and do not read, shut out one that asks. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { Connection } from './connection.js';

/** Above so many, the one that has been idle for the longest is closed. */
const MOST_CONNECTIONS = 2000;

/** Bytes that clients have not taken, of all answers: above, the one that has not read for the longest is closed. */
const MOST_UNSENT = 64 * 2 ** 20;

/** Node's server, whose connections are {@link Connection}s. */
export function pacedServer(
  options: ServerOptions,
  listener: RequestListener,
  most: number = MOST_CONNECTIONS,
): Server {
  const server = createServer(options, (request, answer) => {
    if (request.socket instanceof Connection) request.socket.receive(request, answer, listener);
  });
  /** The one that was answered last is the last. */
  const open = new Set<Connection>();
  /** The one that has not read for the longest is the first. */
  const unread = new Set<Connection>();
  const reports = {
    sending: (connection: Connection) => {
      unread.add(connection);
      const bytes = [...unread].reduce((sum, { writableLength }) => sum + writableLength, 0);
      if (bytes > MOST_UNSENT) firstOf(unread)?.destroy();
    },
    sent: (connection: Connection) => void unread.delete(connection),
    answered: (connection: Connection) => {
      if (open.delete(connection)) open.add(connection);
    },
    inTurn: oneEachTurn(),
  };
  const [serve] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const connection = new Connection(socket, reports);
    if (open.size >= most)
      ([...open].find(({ isBusy }) => !isBusy) ?? firstOf(unread) ?? connection).destroy();
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    serve?.call(server, connection);
  });
  return server;
}

const firstOf = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;

/** Node accepts one connection in each turn of its loop: a turn is as short as can be. */
function oneEachTurn(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  const turn = (): void => {
    waiting[0]?.();
    waiting.shift();
    if (waiting.length > 0) setImmediate(turn);
  };
  return (work) => {
    if (waiting.push(work) === 1) setImmediate(turn);
  };
}
