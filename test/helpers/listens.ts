import { once } from 'node:events';
import { connect } from 'node:net';

/** Whether somebody takes connections: on a socket's path, or on a port of 127.0.0.1. */
export async function listens(at: string | number): Promise<boolean> {
  const socket = typeof at === 'string' ? connect(at) : connect(at, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
