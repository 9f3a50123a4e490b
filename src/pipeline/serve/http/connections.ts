/** Connections: many that say nothing must not shut out one that asks. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Above so many, the one that has been idle for the longest is closed. */
const MOST_CONNECTIONS = 2000;

export interface Connections {
  /** A request of this connection is being answered. */
  busy(socket: Socket): void;
  idle(socket: Socket): void;
}

/** Watches the connections of a server. */
export function limitConnections(server: Server, most: number = MOST_CONNECTIONS): Connections {
  /** Idle ones, the longest first. */
  const idle = new Set<Socket>();
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open++;
    idle.add(socket);
    socket.on('close', () => {
      open--;
      idle.delete(socket);
    });
    const [oldest] = idle;
    if (open > most) oldest?.destroy();
  });
  return {
    busy: (socket) => void idle.delete(socket),
    idle: (socket) => {
      if (!socket.destroyed) idle.add(socket);
    },
  };
}
