import { GrpcFailure } from '../grpc/grpc-status.ts';
import type { AgentConnection } from './agent-connection.ts';

/** Any answer proves that the agent lives, also that it does not know the method. */
const METHOD = '/grpc.health.v1.Health/Check';
const NOTHING = Buffer.alloc(0);

/** Asks for a sign of life over a connection that has been silent, since a host that vanished leaves it looking open. */
export function checkAlive(connection: AgentConnection, timeoutMs: number): Promise<'alive' | 'silent' | 'broken'> {
  return new Promise((resolve) => {
    const onEnd = (failure: unknown) => {
      const status = failure instanceof GrpcFailure ? failure.status : undefined;
      if (status === 'DEADLINE_EXCEEDED') return resolve('silent');
      if (status === 'UNAVAILABLE' || (failure !== undefined && status === undefined)) return resolve('broken');
      connection.heard();
      resolve('alive');
    };
    try {
      connection.call(METHOD, { onMessage: () => undefined, onEnd }, timeoutMs).finish(NOTHING);
    } catch {
      resolve('broken');
    }
  });
}
