import { Metadata, status as Status } from '@grpc/grpc-js';
import type { AgentConnection } from './agent-connection.ts';

/** Any answer proves that the agent lives, also that it does not know the method. */
const METHOD = '/grpc.health.v1.Health/Check';
const nothing = () => Buffer.alloc(0);

/** Asks for a sign of life over a connection that has been silent, since a host that vanished leaves it looking open. */
export function checkAlive(connection: AgentConnection, timeoutMs: number): Promise<'alive' | 'silent' | 'broken'> {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + timeoutMs };
    connection.client.makeUnaryRequest(METHOD, nothing, nothing, {}, new Metadata(), options, (error) => {
      if (error?.code === Status.DEADLINE_EXCEEDED) resolve('silent');
      else if (error?.code === Status.UNAVAILABLE) resolve('broken');
      else {
        connection.heard();
        resolve('alive');
      }
    });
  });
}
