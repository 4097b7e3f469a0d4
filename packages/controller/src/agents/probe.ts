import { once } from 'node:events';
import { connect } from 'node:net';
import { DeployError, systemCode } from '@sampan/shared/errors.ts';
import type { AgentAddress } from './agent-address.ts';

/** The address that answered, after the name was resolved. */
export interface Peer {
  ip: string;
  port: number;
}

/**
 * Opens and closes a TCP connection, to find out why none came up: grpc-js tells that only in prose.
 * @throws DeployError AGENT_UNREACHABLE with the system's reason; what `signal` was aborted with.
 */
export async function probe(address: AgentAddress, signal: AbortSignal): Promise<Peer> {
  signal.throwIfAborted();
  const socket = connect({ host: address.host, port: address.port, signal });
  try {
    await once(socket, 'connect');
    return { ip: socket.remoteAddress ?? address.host, port: address.port };
  } catch (cause) {
    signal.throwIfAborted();
    throw new DeployError('AGENT_UNREACHABLE', { reason: reasonOf(cause, address) }, { cause });
  } finally {
    // Destroying a socket whose attempt was aborted reports that abort once more.
    socket.on('error', () => undefined).destroy();
  }
}

function reasonOf(error: unknown, address: AgentAddress): string {
  const code = systemCode(error) ?? 'UNKNOWN';
  const isAboutName = code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return `${code} ${isAboutName ? address.host : address.key}`;
}
